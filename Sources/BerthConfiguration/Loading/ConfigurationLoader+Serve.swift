extension ConfigurationLoader {
    /// What `berthd serve` is to host.
    public enum Served: Sendable, Hashable {
        /// A folder: a published ASP.NET Core application where its `web.config` says so, else files.
        case folder
        /// A handler module, loaded into the daemon itself.
        case module(String)
        /// A program that speaks HTTP, started in the folder.
        case command([String])
    }

    /// The snapshot of one site without any configuration, as `berthd serve FOLDER` wants it.
    ///
    /// - Parameters:
    ///   - folder: Absolute.
    ///   - bindings: As in a site file.
    /// - Returns: One site named after the folder, or the errors, whose places are in a file `(command line)`.
    public static func serve(
        _ served: Served, folder: String, bindings: [String], files: FileAccess = .system
    ) -> ConfigurationSnapshot {
        var lines = ["[site]", "bindings = [\(bindings.map(tomlString).joined(separator: ", "))]", "[[application]]"]
        lines.append("root = \(tomlString(folder))")
        switch served {
        case .folder:
            if !isPublishedApplication(folder, files) { lines.append("hosting = \"static\"") }
        case .module(let path):
            lines += ["hosting = \"in-process\"", "isolation = \"none\"", "module = \(tomlString(path))"]
        case .command(let words):
            lines += ["hosting = \"out-of-process\"", "command = [\(words.map(tomlString).joined(separator: ", "))]"]
        }
        let place = "(command line)"
        let name = siteName(for: folder)
        let loader = ConfigurationLoader(
            siteDirectories: [place], daemonFile: "\(place)/berth.toml",
            files: .over(files, texts: ["\(place)/\(name).toml": lines.joined(separator: "\n") + "\n"]))
        return loader.load()
    }

    /// Whether there is a `web.config` with `<aspNetCore>`, or one that is too broken to say.
    private static func isPublishedApplication(_ folder: String, _ files: FileAccess) -> Bool {
        let file = FilePath.joined(folder, "web.config")
        do {
            let text = try files.read(file, WebConfigReader.sizeMax)
            guard let config = WebConfigReader.read(text, file: file, diagnostics: DiagnosticCollector()) else {
                return true
            }
            return config.module != nil
        } catch {
            return error != .notFound
        }
    }

    /// The folder's own name, less what a site's name may not hold.
    private static func siteName(for folder: String) -> String {
        let name = FilePath.name(of: FilePath.withoutTrailingSlash(folder)).unicodeScalars.filter { scalar in
            SiteReader.problem(inName: String(scalar)) == nil
        }
        let text = String(String.UnicodeScalarView(name))
        return SiteReader.problem(inName: text) == nil ? text : "site"
    }

    private static func tomlString(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
