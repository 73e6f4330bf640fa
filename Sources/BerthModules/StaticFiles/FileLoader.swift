internal import CBerthModule
internal import CBerthSystem
internal import Glibc

/// A file as it was found on the disk. Whoever has it owns content, descriptor and path.
struct FoundFile {
    let identity: FileIdentity
    /// Below its folder, ending in NUL.
    let diskPath: berth_octets
    let documentIndex: Int
    /// Octets that will be sent.
    let size: Int
    /// Small files have this, others a descriptor.
    let content: UnsafeMutablePointer<UInt8>?
    /// -1 for a small file.
    let fd: Int32
    /// What `fd` is counted in.
    let budget: Unmanaged<FileBudget>
}

/// Looks for files on the disk. Every path is resolved by the kernel beneath its folder: neither `..` nor a symbolic link
/// leads out of it (openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS).
enum FileLoader {
    /// Octets up to which a file is kept in memory. Source: DESIGN, "to about 16 KiB".
    static let smallMax = 16_384

    enum Outcome {
        case found(FoundFile)
        /// It is as the entry has it.
        case unchanged
        case isDirectory
        case noDocument
        case unknownType
        /// A negated errno.
        case failed(Int32)
    }

    /// What is looked for.
    struct Search {
        /// Below the folder; `.` is the folder itself. Ends in NUL.
        let path: UnsafePointer<CChar>
        let pathCount: Int
        /// The request ended in a slash: a default document is wanted.
        let wantsDocument: Bool
        /// Nil: the first look.
        let expected: FileIdentity?
        /// Content is not needed when nothing changed.
        let types: MediaTypes
        let documents: [berth_octets]
        let budget: FileBudget
    }

    /// Opens, looks, and reads what is small. Blocks.
    static func load(_ search: Search, in folder: Int32) -> Outcome {
        let system = cberth_system_linux()
        guard search.wantsDocument else { return open(search.path, search.pathCount, 0, search, in: folder) }

        // The folder first: "no such file" must be told from "no default document".
        let directory = system.pointee.open_beneath(system, folder, search.path, 0)
        guard directory >= 0 else { return .failed(directory) }
        var status = cberth_file_status()
        let result = system.pointee.file_status(system, directory, &status)
        _ = system.pointee.close(system, directory)
        guard result == 0 else { return .failed(result) }
        guard status.mode & S_IFMT == S_IFDIR else { return .failed(-ENOTDIR) }

        for (index, document) in search.documents.enumerated() {
            let count = search.pathCount + 1 + document.length
            let outcome = withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { room -> Outcome in
                guard let path = room.baseAddress, let name = document.cString else { return .failed(-ENOENT) }
                memcpy(path, search.path, search.pathCount)
                path[search.pathCount] = 0x2f
                memcpy(path + search.pathCount + 1, name, document.length)
                path[count] = 0
                return open(path, count, index, search, in: folder)
            }
            switch outcome {
            case .failed(-ENOENT), .isDirectory: continue
            default: return outcome
            }
        }
        return .noDocument
    }

    private static func open(
        _ path: UnsafePointer<CChar>, _ pathCount: Int, _ documentIndex: Int, _ search: Search, in folder: Int32
    ) -> Outcome {
        let system = cberth_system_linux()
        let fd = system.pointee.open_beneath(system, folder, path, 0)
        guard fd >= 0 else { return .failed(fd) }
        var keeps = false
        defer { if !keeps { _ = system.pointee.close(system, fd) } }

        var status = cberth_file_status()
        let result = system.pointee.file_status(system, fd, &status)
        guard result == 0 else { return .failed(result) }
        if status.mode & S_IFMT == S_IFDIR { return .isDirectory }
        // A FIFO, a socket, a device: nothing a client should reach.
        guard status.mode & S_IFMT == S_IFREG, status.size <= UInt64(Int.max) else { return .failed(-ENOENT) }
        let identity = FileIdentity(status)
        if let expected = search.expected, expected == identity { return .unchanged }

        let octets = UnsafeRawPointer(path).assumingMemoryBound(to: UInt8.self)
        guard search.types.type(of: berth_octets(octets, pathCount)) != nil else { return .unknownType }
        let size = Int(status.size)
        var content: UnsafeMutablePointer<UInt8>?
        var count = size
        if size <= smallMax {
            let room = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, size))
            count = 0
            while count < size {
                let got = system.pointee.read_at(system, fd, room + count, size - count, UInt64(count))
                if got == -Int(EINTR) { continue }
                guard got >= 0 else {
                    room.deallocate()
                    return .failed(Int32(got))
                }
                if got == 0 { break }  // Shrunk meanwhile: what is there is what is sent.
                count += got
            }
            content = room
        } else {
            guard search.budget.takeOpenFile() else { return .failed(-EMFILE) }
            keeps = true
        }
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: pathCount + 1)
        copy.update(from: octets, count: pathCount)
        copy[pathCount] = 0
        return .found(
            FoundFile(
                identity: identity, diskPath: berth_octets(UnsafePointer(copy), pathCount),
                documentIndex: documentIndex,
                size: count, content: content, fd: keeps ? fd : -1, budget: .passUnretained(search.budget)))
    }

    /// Whether the open file of an entry is as it was when its head was made: one that was written anew in its place could be
    /// shorter than the head promises. Asks the kernel once.
    static func isIntact(_ entry: UnsafeMutablePointer<FileEntry>) -> Bool {
        let system = cberth_system_linux()
        var status = cberth_file_status()
        guard system.pointee.file_status(system, entry.pointee.fd, &status) == 0 else { return false }
        return FileIdentity(status) == entry.pointee.identity
    }

    /// Whether the file of an entry is as it was, told without waiting for a disk; nil: it can't be told so.
    static func isUnchanged(_ entry: UnsafeMutablePointer<FileEntry>, in folder: Int32) -> Bool? {
        guard let path = entry.pointee.diskPath.cString else { return nil }
        let system = cberth_system_linux()
        let fd = system.pointee.open_beneath(system, folder, path, UInt32(CBERTH_OPEN_BENEATH_CACHED))
        if fd == -EAGAIN { return nil }
        guard fd >= 0 else { return false }
        defer { _ = system.pointee.close(system, fd) }
        var status = cberth_file_status()
        guard system.pointee.file_status(system, fd, &status) == 0 else { return false }
        return FileIdentity(status) == entry.pointee.identity
    }
}
