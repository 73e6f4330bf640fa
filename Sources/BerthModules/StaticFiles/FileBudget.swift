internal import CBerthSystem
internal import Synchronization

/// What the file caches of all applications and loops may hold together, so that a thousand sites take no more than one.
///
/// Any thread. Touched when a file is opened, cached or let go, never by a request whose file is at hand.
final class FileBudget: Sendable {
    /// Octets of content in memory. Ours: as much as eight full caches.
    static let contentMax = 64 << 20
    /// The part of the process's descriptors that caches may keep for files, and as much again for folders. Ours.
    static let keptShare: UInt64 = 8
    /// The part that files may take in all, those included that are only open for the requests that send them. Ours.
    static let openShare: UInt64 = 4

    /// That of the daemon.
    static let daemon = FileBudget(
        contentMax: contentMax, descriptorLimit: min(cberth_descriptor_limit(), 1 << 24))

    private let contentMax: Atomic<Int>
    let keptFilesMax: Int
    let foldersMax: Int
    let openFilesMax: Int

    private let content = Atomic<Int>(0)
    private let keptFiles = Atomic<Int>(0)
    private let folders = Atomic<Int>(0)
    private let openFiles = Atomic<Int>(0)

    init(contentMax: Int, descriptorLimit: UInt64) {
        self.contentMax = Atomic(contentMax)
        keptFilesMax = Int(descriptorLimit / Self.keptShare)
        foldersMax = Int(descriptorLimit / Self.keptShare)
        openFilesMax = Int(descriptorLimit / Self.openShare)
    }

    /// Lowers the octets of content; before the first file is cached.
    func limitContent(to octets: Int) {
        contentMax.min(octets, ordering: .relaxed)
    }

    /// Room for a file in a cache. False: there is none now, and nothing was taken.
    func takeRoom(for entry: UnsafeMutablePointer<FileEntry>) -> Bool {
        entry.pointee.fd < 0
            ? Self.take(entry.pointee.size, of: content, upTo: contentMax.load(ordering: .relaxed))
            : Self.take(1, of: keptFiles, upTo: keptFilesMax)
    }

    func giveRoomBack(of entry: UnsafeMutablePointer<FileEntry>) {
        if entry.pointee.fd < 0 {
            content.subtract(entry.pointee.size, ordering: .relaxed)
        } else {
            keptFiles.subtract(1, ordering: .relaxed)
        }
    }

    func takeFolder() -> Bool { Self.take(1, of: folders, upTo: foldersMax) }
    func giveFolderBack() { folders.subtract(1, ordering: .relaxed) }
    func takeOpenFile() -> Bool { Self.take(1, of: openFiles, upTo: openFilesMax) }
    func giveOpenFileBack() { openFiles.subtract(1, ordering: .relaxed) }

    private static func take(_ count: Int, of used: borrowing Atomic<Int>, upTo most: Int) -> Bool {
        if used.add(count, ordering: .relaxed).newValue <= most { return true }
        used.subtract(count, ordering: .relaxed)
        return false
    }
}
