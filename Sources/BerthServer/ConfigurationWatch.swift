import BerthConfiguration
import BerthEventLoop
import CBerthSystem
import Glibc

/// Notices changes in the folders of the configuration: files of sites, their overrides, `berth.toml`, and that a folder comes or
/// goes. What an application's own folder holds (`web.config`) is not watched. Control thread only.
struct ConfigurationWatch {
    /// Milliseconds of silence after which files are read: an editor or a package writes several. Ours.
    static let silenceMilliseconds: UInt64 = 200
    /// Milliseconds after the first change at which they are read all the same. Ours: within a second, as DESIGN has it.
    static let delayMillisecondsMax: UInt64 = 800
    private static let bufferSize = 16_384

    /// Readable when something has changed.
    let descriptor: Int32
    private let system: UnsafePointer<cberth_system>
    /// Names of folders whose coming and going counts.
    private var folders: Set<String> = []
    /// What was said already about a folder that cannot be watched.
    private var reported: Set<String> = []

    init(_ system: UnsafePointer<cberth_system>) throws(SystemError) {
        self.system = system
        descriptor = try checked("inotify_init1", system.pointee.watch_create(system))
    }

    func close() { _ = system.pointee.close(system, descriptor) }

    /// Watches every folder that a load reads; after each load, because folders come.
    ///
    /// - Returns: what cannot be watched, a sentence each, once.
    mutating func watch(_ loader: ConfigurationLoader) -> [String] {
        var paths: [String] = []
        for folder in loader.siteDirectories {
            paths += [Self.parent(folder), folder]
            folders.insert(Self.name(folder))
            paths += Self.names(in: folder).filter { $0.hasSuffix(".toml.d") }.map { folder + "/" + $0 }
        }
        paths += [Self.parent(loader.daemonFile), loader.daemonFile + ".d"]
        var sentences: [String] = []
        for path in paths {
            let result = system.pointee.watch_directory(system, descriptor, path)
            if result >= 0 {
                reported.remove(path)
            } else if result != -ENOENT && result != -ENOTDIR && reported.insert(path).inserted {
                sentences.append(
                    "changes in \(path) are not noticed: \(SystemError("inotify_add_watch", -result).reason)")
            }
        }
        return sentences
    }

    /// Takes what has happened; whether any of it is about the configuration.
    func takeEvents() -> Bool {
        var isRelevant = false
        var buffer = [UInt8](repeating: 0, count: Self.bufferSize)
        while true {
            let count = buffer.withUnsafeMutableBytes { octets in
                octets.baseAddress.map { system.pointee.read_some(system, descriptor, $0, octets.count) } ?? 0
            }
            if count <= 0 { return isRelevant }
            isRelevant = buffer.withUnsafeBytes { isAboutConfiguration($0[..<count]) } || isRelevant
        }
    }

    /// Events as inotify(7) lays them out: watch, mask, cookie, length of the name, the name with its NULs.
    func isAboutConfiguration(_ events: Slice<UnsafeRawBufferPointer>) -> Bool {
        let octets = UnsafeRawBufferPointer(rebasing: events)
        var offset = 0
        while offset + 16 <= octets.count {
            let mask = octets.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
            let length = Int(octets.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            let end = min(offset + 16 + length, octets.count)
            let name = String(decoding: octets[(offset + 16)..<end].prefix { $0 != 0 }, as: UTF8.self)
            // The queue ran over, or a watched folder itself is gone.
            if mask & (Self.overflow | Self.gone) != 0 || matters(name) { return true }
            offset = end
        }
        return false
    }

    private static let overflow: UInt32 = 0x4000
    private static let gone: UInt32 = 0x400 | 0x800

    private func matters(_ name: String) -> Bool {
        if name.hasPrefix(".") { return false }
        return name.hasSuffix(".toml") || name.hasSuffix(".toml.d") || folders.contains(name)
    }

    /// When to read, where the latest change is seen at `now`.
    static func deadline(first: MonotonicInstant, now: MonotonicInstant) -> MonotonicInstant {
        min(now.adding(milliseconds: silenceMilliseconds), first.adding(milliseconds: delayMillisecondsMax))
    }

    private static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    private static func name(_ path: String) -> String {
        String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
    }

    private static func names(in folder: String) -> [String] {
        (try? FileAccess.system.list(folder, 65_536)) ?? []
    }
}
