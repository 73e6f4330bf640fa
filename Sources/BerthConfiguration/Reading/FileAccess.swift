import Glibc

/// How the loader reaches files: three closures, so that tests need no disk.
///
/// Called on the thread that loads; every answer is bounded.
public struct FileAccess: Sendable {
    public enum Kind: Sendable { case absent, file, directory, nullDevice, other }

    public enum Failure: Error, Sendable, Hashable {
        case notFound
        /// Not a regular file.
        case notAFile
        case tooLarge
        /// errno of the call that failed.
        case system(Int32)
    }

    /// Reads a whole regular file of at most `limit` octets.
    public var read: @Sendable (_ path: String, _ limit: Int) throws(Failure) -> [UInt8]
    /// Names in a directory, in no order; at most `limit` of them, else `tooLarge`.
    public var list: @Sendable (_ directory: String, _ limit: Int) throws(Failure) -> [String]
    /// What a path is, links followed.
    public var kind: @Sendable (_ path: String) -> Kind

    public init(
        read: @escaping @Sendable (_ path: String, _ limit: Int) throws(Failure) -> [UInt8],
        list: @escaping @Sendable (_ directory: String, _ limit: Int) throws(Failure) -> [String],
        kind: @escaping @Sendable (_ path: String) -> Kind
    ) {
        self.read = read
        self.list = list
        self.kind = kind
    }

    /// The machine's own files.
    public static let system = FileAccess(
        read: { (path, limit) throws(Failure) in try readFile(path, limit) },
        list: { (directory, limit) throws(Failure) in try listDirectory(directory, limit) },
        kind: { path in
            var status = stat()
            return stat(path, &status) == 0 ? kind(of: status) : .absent
        }
    )

    private static func kind(of status: stat) -> Kind {
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .directory
        case S_IFCHR:
            var null = stat()
            return stat("/dev/null", &null) == 0 && null.st_rdev == status.st_rdev ? .nullDevice : .other
        default: return .other
        }
    }

    private static func readFile(_ path: String, _ limit: Int) throws(Failure) -> [UInt8] {
        // Not blocking: a pipe in a folder of site files must not stop the daemon.
        let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else { throw errno == ENOENT ? .notFound : .system(errno) }
        defer { close(fd) }
        var status = stat()
        guard fstat(fd, &status) == 0 else { throw .system(errno) }
        guard kind(of: status) == .file else { throw .notAFile }
        guard status.st_size <= limit else { throw .tooLarge }
        // One octet more than the file has, to see its end; a file that grows meanwhile is followed up to the limit.
        var octets = [UInt8](repeating: 0, count: Int(status.st_size) + 1)
        var count = 0
        while count <= limit {
            if count == octets.count { octets += [UInt8](repeating: 0, count: min(65536, limit + 1 - count)) }
            let read = octets[count...].withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress, $0.count) }
            if read < 0 {
                if errno == EINTR { continue }
                throw .system(errno)
            }
            if read == 0 { break }
            count += read
        }
        guard count <= limit else { throw .tooLarge }
        return Array(octets.prefix(count))
    }

    private static func listDirectory(_ directory: String, _ limit: Int) throws(Failure) -> [String] {
        guard let stream = opendir(directory) else { throw errno == ENOENT ? .notFound : .system(errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            guard names.count < limit else { throw .tooLarge }
            names.append(name)
        }
        return names
    }
}
