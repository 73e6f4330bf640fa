/// Finds the files of every site in the layers of folders.
///
/// A later layer's `NAME.toml` replaces the earlier one; `NAME.toml.d/*.toml` of all layers overrides single values, in
/// the order of the file names; a link to `/dev/null` masks. As systemd does it with units.
struct DropInDirectory {
    /// Names in one folder.
    static let entriesMax = 65536
    /// Files that override one site.
    static let overridesMax = 64

    /// The files of one name.
    struct Source {
        /// The file's name without `.toml`.
        var name: String
        /// Nil where only overrides are there.
        var file: String?
        /// In the order in which they are applied.
        var overrides: [String]
    }

    /// The folders, the weakest first.
    let layers: [String]
    let files: FileAccess

    /// Every site that is not masked, by name. A folder that is not there is empty.
    func sources(diagnostics: DiagnosticCollector) -> [Source] {
        var siteFiles: [String: String?] = [:]
        var overrides: [String: [String: String?]] = [:]
        for layer in layers {
            for name in names(in: layer, diagnostics) {
                let path = FilePath.joined(layer, name)
                if name.hasSuffix(".toml") {
                    let site = String(name.dropLast(5))
                    switch files.kind(path) {
                    case .nullDevice: siteFiles[site] = .some(nil)
                    case .directory: continue
                    default: siteFiles[site] = path
                    }
                } else if name.hasSuffix(".toml.d"), files.kind(path) == .directory {
                    let site = String(name.dropLast(7))
                    for override in names(in: path, diagnostics) where override.hasSuffix(".toml") {
                        let file = FilePath.joined(path, override)
                        overrides[site, default: [:]][override] = files.kind(file) == .nullDevice ? .some(nil) : file
                    }
                }
            }
        }
        let names = Set(siteFiles.keys).union(overrides.keys)
        return names.sorted().compactMap { name in
            // Masked: neither the file nor what overrides it.
            if let file = siteFiles[name], file == nil { return nil }
            let changes = overrides[name] ?? [:]
            let applied = changes.keys.sorted().compactMap { changes[$0] ?? nil }
            guard siteFiles[name] != nil || !applied.isEmpty else { return nil }
            return Source(name: name, file: siteFiles[name] ?? nil, overrides: applied)
        }
    }

    private func names(in folder: String, _ diagnostics: DiagnosticCollector) -> [String] {
        do {
            return try files.list(folder, Self.entriesMax).filter { !$0.hasPrefix(".") }.sorted()
        } catch .notFound {
            return []
        } catch .tooLarge {
            diagnostics.error(
                .tooManyFiles, at: SourceLocation(file: folder), "more than \(Self.entriesMax) files in this folder")
        } catch {
            diagnostics.error(.unreadable, at: SourceLocation(file: folder), error.sentence(of: "folder"))
        }
        return []
    }
}
