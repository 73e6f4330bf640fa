import BerthConfiguration
import BerthEventLoop
import CBerthSystem
import Glibc

/// Tells when `app_offline.htm` comes to the root folder of an application, changes, or goes.
///
/// The kernel reports changes of the folder (inotify), so an application that nobody touches costs nothing. Not reported, and
/// seen with the next reload: a root that is a link and is pointed elsewhere, and what another machine does on a shared file
/// system. Names are compared without regard to case, as on Windows. Control thread only.
/// Source: ANCM's file watcher.
final class OfflineWatch {
    /// Kind of its token on the control loop.
    static let tokenKind: UInt8 = 221
    static let fileName = "app_offline.htm"
    /// Octets of the page that are shown; the rest is cut. Ours: what a loop passes on with one call.
    static let pageOctetsMax = 262_144
    /// Entries of a root folder among which other spellings of the name are looked for; in a larger one only changes show
    /// them. Ours: a look at each of them must not hold the control thread.
    static let entriesMax = 4096

    private let system: UnsafePointer<cberth_system>
    private let descriptor: Int32
    private var roots: [UInt32: String] = [:]
    /// By watch of the kernel: whose root it is.
    private var watches: [Int32: Set<UInt32>] = [:]
    /// By application: the name as it is spelled there.
    private var spellings: [UInt32: String] = [:]

    init(loop: EventLoop) {
        system = loop.system
        descriptor = system.pointee.watch_create(system)
        if descriptor < 0
            || loop.register(
                descriptor, EPOLLIN.rawValue, EventToken(kind: Self.tokenKind, index: 0, generation: 1)) < 0
        {
            DaemonLog.warning("folders cannot be watched for \(Self.fileName); it is looked for at each reload only")
        }
    }

    deinit { if descriptor >= 0 { _ = system.pointee.close(system, descriptor) } }

    /// The application's root is this folder from now on. Called again with each reload, because folders are replaced.
    func follow(_ application: UInt32, root: String) {
        let watch = descriptor < 0 ? -1 : system.pointee.watch_directory(system, descriptor, root)
        if watch == -ENOSPC {
            DaemonLog.warning(
                "\(root) cannot be watched for \(Self.fileName): all watches of the user are in use (fs.inotify.max_user_watches)"
            )
        }
        if watch < 0 || watches[watch]?.contains(application) != true { unwatch(application) }
        if watch >= 0 { watches[watch, default: []].insert(application) }
        if roots[application] != root { spellings[application] = nil }
        roots[application] = root
    }

    func forget(_ application: UInt32) {
        unwatch(application)
        roots[application] = nil
        spellings[application] = nil
    }

    private func unwatch(_ application: UInt32) {
        for (watch, applications) in watches where applications.contains(application) {
            watches[watch]?.remove(application)
            if applications.count == 1 {
                watches[watch] = nil
                _ = system.pointee.watch_remove(system, descriptor, watch)  // EINVAL: its folder is gone
            }
        }
    }

    /// The applications in whose roots something happened to a file of that name.
    func changes() -> Set<UInt32> {
        var changed: Set<UInt32> = []
        withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 8) { buffer in
            guard let start = buffer.baseAddress else { return }
            while true {
                let count = system.pointee.read_some(system, descriptor, start, buffer.count)
                if count <= 0 { return }
                var offset = 0
                while offset + MemoryLayout<inotify_event>.size <= count {
                    let event = start.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                    let nameStart = start + offset + MemoryLayout<inotify_event>.size
                    offset += MemoryLayout<inotify_event>.size + Int(event.len)
                    note(
                        event, event.len == 0 ? "" : String(cString: nameStart.assumingMemoryBound(to: CChar.self)),
                        &changed)
                }
            }
        }
        return changed
    }

    private func note(_ event: inotify_event, _ name: String, _ changed: inout Set<UInt32>) {
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 {
            // What it was is lost.
            changed.formUnion(roots.keys)
            return
        }
        guard let applications = watches[event.wd] else { return }
        if event.mask & UInt32(IN_IGNORED) != 0 {
            watches[event.wd] = nil
            changed.formUnion(applications)
        } else if event.mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF) != 0 {
            changed.formUnion(applications)
        } else if name.utf8.count == Self.fileName.utf8.count, name.lowercased() == Self.fileName {
            for application in applications { spellings[application] = name }
            changed.formUnion(applications)
        }
    }

    /// What the application shows instead of itself; nil: no such file is there. Empty for one that cannot be read.
    func page(of application: UInt32) -> [UInt8]? {
        guard let root = roots[application] else { return nil }
        let folder = system.pointee.open_directory(system, root)
        guard folder >= 0 else { return nil }
        defer { _ = system.pointee.close(system, folder) }
        for name in Set([spellings[application] ?? Self.fileName, Self.fileName]) {
            if let page = read(name, in: folder) { return page }
        }
        let names = (try? FileAccess.system.list(root, Self.entriesMax)) ?? []
        guard
            let name = names.first(where: {
                $0.utf8.count == Self.fileName.utf8.count && $0.lowercased() == Self.fileName
            })
        else { return nil }
        spellings[application] = name
        return read(name, in: folder)
    }

    /// A file below the root, never one that a link elsewhere names: the daemon may be allowed more than the application.
    private func read(_ name: String, in folder: Int32) -> [UInt8]? {
        let fd = system.pointee.open_beneath(system, folder, name, 0)
        if fd == -ENOENT || fd == -ENOTDIR { return nil }
        if fd < 0 { return [] }
        defer { _ = system.pointee.close(system, fd) }
        var status = cberth_file_status()
        guard system.pointee.file_status(system, fd, &status) == 0, status.mode & S_IFMT == S_IFREG else { return nil }
        var octets = [UInt8](repeating: 0, count: Int(min(status.size, UInt64(Self.pageOctetsMax))))
        let count = octets.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { system.pointee.read_at(system, fd, $0, bytes.count, 0) } ?? 0
        }
        return Array(octets.prefix(max(count, 0)))
    }
}
