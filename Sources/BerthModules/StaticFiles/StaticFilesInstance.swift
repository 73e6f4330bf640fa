internal import CBerthModule
internal import CBerthSystem
internal import Glibc

/// One application of files: its folders and what is said about them. Immutable; shared by all loops.
final class StaticFilesInstance: @unchecked Sendable {
    /// A folder of files and the path it is reached by, below the application's own.
    struct Folder {
        /// Empty for the root, "/img" for a virtual directory.
        let prefix: berth_octets
        /// Absolute, ending in NUL.
        let path: berth_octets
    }

    let host: HostTable
    /// The longest prefix first, so the root last.
    let folders: [Folder]
    let documents: [berth_octets]
    let types: MediaTypes
    /// The value of Cache-Control; count 0: none is sent.
    let cacheControl: berth_octets
    let sendsETag: Bool
    let servesHiddenFiles: Bool
    let hashSeed: UInt64
    /// Shared with all other applications.
    let budget = FileBudget.daemon

    /// Source: IIS `<defaultDocument>`, less its ASP pages.
    static let stockDocuments = ["Default.htm", "index.htm", "index.html"]

    init(_ host: HostTable, _ reader: inout SettingsReader) {
        self.host = host
        var folders: [Folder] = []
        for setting in reader.table("directories") {
            var prefix = setting.name
            while prefix.hasSuffix("/") { prefix.removeLast() }
            if !prefix.hasPrefix("/") || prefix.contains("//") {
                reader.problem("'\(setting.name)' is no path; write one that begins with a slash", at: setting)
            }
            Self.check(setting.value, at: setting.location, &reader)
            folders.append(Folder(prefix: .copy(of: prefix), path: .copy(of: setting.value)))
        }
        let own = reader.setting("root")
        let root = own?.value ?? reader.root
        Self.check(root, at: own?.location ?? "", &reader)
        folders.append(Folder(prefix: .copy(of: ""), path: .copy(of: root)))
        self.folders = folders.sorted { $0.prefix.count > $1.prefix.count }

        let names = reader.list("default_documents")
        for setting in names where setting.value.isEmpty || setting.value.contains("/") {
            reader.problem("'\(setting.value)' is no name of a file", at: setting)
        }
        documents = (names.isEmpty ? Self.stockDocuments : names.map(\.value)).map { .copy(of: $0) }

        var additions: [(String, String)] = []
        for setting in reader.table("media_types") {
            if !setting.value.contains("/") || setting.value.utf8.contains(where: { $0 < 0x20 || $0 >= 0x7f }) {
                reader.problem("'\(setting.value)' is no media type; write one like \"text/plain\"", at: setting)
            }
            additions.append((setting.name, setting.value))
        }
        types = MediaTypes(additions: additions)

        let control = reader.setting("cache_control")
        if let control, control.value.utf8.contains(where: { $0 < 0x20 || $0 >= 0x7f }) {
            reader.problem("'cache_control' holds an octet that no field may have", at: control)
        }
        cacheControl = .copy(of: control?.value ?? "")
        sendsETag = reader.isOn("etag", default: true)
        servesHiddenFiles = reader.isOn("hidden_files", default: false)

        var seed: UInt64 = 0
        if cberth_random(&seed, MemoryLayout<UInt64>.size) != 0 {
            reader.problem("the system gives no random octets", at: "")
        }
        hashSeed = seed
    }

    deinit {
        for folder in folders {
            folder.prefix.deallocate()
            folder.path.deallocate()
        }
        documents.forEach { $0.deallocate() }
        types.deallocate()
        cacheControl.deallocate()
    }

    private static func check(_ path: String, at location: String, _ reader: inout SettingsReader) {
        guard path.hasPrefix("/") else {
            return reader.problem("'\(path)' is no absolute path of a folder", at: location)
        }
        let system = cberth_system_linux()
        let fd = path.withCString { system.pointee.open_directory(system, $0) }
        guard fd >= 0 else { return reader.problem("cannot open '\(path)': \(SmallFile.reason(-fd))", at: location) }
        _ = system.pointee.close(system, fd)
    }

    /// The folder a path of the application lies in, and what is left of the path, without slashes at its start.
    func locate(_ path: berth_octets) -> (folder: Int, rest: berth_octets) {
        var index = 0
        while index < folders.count - 1 {
            let prefix = folders[index].prefix
            if path.count >= prefix.count, path.prefix(prefix.length).equals(prefix),
                path.count == prefix.count || path.start.map({ $0[prefix.length] == 0x2f }) ?? false
            {
                break
            }
            index += 1
        }
        var rest = path.dropFirst(folders[index].prefix.length)
        while rest.count > 0, let start = rest.start, start.pointee == 0x2f { rest = rest.dropFirst(1) }
        return (index, rest)
    }
}
