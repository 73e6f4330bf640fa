import Glibc

/// Turns the files an administrator drops into one snapshot, or into everything that is wrong with them.
///
/// Reads files and blocks while it does; belongs on the control thread. Costs memory and time proportional to the
/// files; a load of 10 000 small sites takes a second or two. Throws nothing: what is wrong is in the snapshot.
public struct ConfigurationLoader: Sendable {
    /// The folders of site files, the weakest first.
    public var siteDirectories: [String]
    /// `berth.toml`; its overrides are in `berth.toml.d` beside it. It need not exist.
    public var daemonFile: String
    public var files: FileAccess
    /// The numbers that sites had before, by name. They keep them, and come first where two claim one prefix.
    public var rememberedSiteIDs: [String: UInt32] = [:]
    /// The environment that `%NAME%` in a `web.config` refers to.
    public var variable: @Sendable (String) -> String? = { name in getenv(name).map { String(cString: $0) } }

    /// The folders of an installed Berth.
    public init() {
        self.init(
            siteDirectories: ["/usr/lib/berth/sites.d", "/etc/berth/sites.d", "/run/berth/sites.d"],
            daemonFile: "/etc/berth/berth.toml")
    }

    /// One folder with a `berth.toml` and a `sites.d`.
    public init(configurationDirectory: String, files: FileAccess = .system) {
        self.init(
            siteDirectories: [FilePath.joined(configurationDirectory, "sites.d")],
            daemonFile: FilePath.joined(configurationDirectory, "berth.toml"), files: files)
    }

    public init(siteDirectories: [String], daemonFile: String, files: FileAccess = .system) {
        self.siteDirectories = siteDirectories
        self.daemonFile = daemonFile
        self.files = files
    }

    /// Reads everything, now.
    public func load() -> ConfigurationSnapshot {
        var assembly = SnapshotAssembly(loader: self)
        assembly.readDaemon()
        assembly.readSites()
        return assembly.finish()
    }

    /// Reads `text` as the file of one site, with the defaults of a daemon without a `berth.toml`.
    ///
    /// `files` is asked for the `web.config` of its applications; without it there is none.
    public static func check(
        text: String, name: String, files: FileAccess? = nil, daemonText: String? = nil
    ) -> ConfigurationSnapshot {
        let folder = "/etc/berth/sites.d"
        let own = ["\(folder)/\(name).toml": text, "/etc/berth/berth.toml": daemonText].compactMapValues { $0 }
        let loader = ConfigurationLoader(
            siteDirectories: [folder], daemonFile: "/etc/berth/berth.toml", files: .over(files, texts: own))
        return loader.load()
    }
}

extension FileAccess {
    /// Files that exist only as text, with those of `base` behind them.
    public static func over(_ base: FileAccess? = nil, texts: [String: String]) -> FileAccess {
        let octets = texts.mapValues { Array($0.utf8) }
        return FileAccess(
            read: { (path, limit) throws(Failure) in
                guard let text = octets[path] else {
                    guard let base else { throw .notFound }
                    return try base.read(path, limit)
                }
                guard text.count <= limit else { throw .tooLarge }
                return text
            },
            list: { (directory, limit) throws(Failure) in
                let inside = octets.keys.filter { $0.hasPrefix(directory + "/") }
                let names = Set(inside.map { String($0.dropFirst(directory.utf8.count + 1).prefix { $0 != "/" }) })
                if names.isEmpty {
                    guard let base else { throw .notFound }
                    return try base.list(directory, limit)
                }
                guard names.count <= limit else { throw .tooLarge }
                return Array(names)
            },
            kind: { path in
                if octets[path] != nil { return .file }
                if octets.keys.contains(where: { $0.hasPrefix(path + "/") }) { return .directory }
                return base?.kind(path) ?? .absent
            })
    }
}
