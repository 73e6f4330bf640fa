internal import CBerthSystem
internal import Glibc

/// Reads a small file whole. Blocks; never on a loop.
enum SmallFile {
    struct Failure: Error {
        /// "No such file or directory"; for an administrator.
        let reason: String
    }

    static func read(_ path: String, octetsMax: Int) -> Result<[UInt8], Failure> {
        let system = cberth_system_linux()
        let fd = path.withCString { system.pointee.open_read(system, $0) }
        guard fd >= 0 else { return .failure(Failure(reason: reason(-fd))) }
        defer { _ = system.pointee.close(system, fd) }

        var status = cberth_file_status()
        let result = system.pointee.file_status(system, fd, &status)
        guard result == 0 else { return .failure(Failure(reason: reason(-result))) }
        guard status.mode & S_IFMT == S_IFREG else { return .failure(Failure(reason: "it is no regular file")) }
        guard status.size <= UInt64(octetsMax) else {
            return .failure(Failure(reason: "it is longer than \(octetsMax) octets"))
        }
        var octets: [UInt8] = []
        while octets.count <= octetsMax {
            var got = 0
            octets += [UInt8](unsafeUninitializedCapacity: 65_536) { room, count in
                guard let start = room.baseAddress else { return }
                got = Int(system.pointee.read_at(system, fd, start, room.count, UInt64(octets.count)))
                count = max(0, got)
            }
            if got < 0 { return .failure(Failure(reason: reason(Int32(-got)))) }
            if got == 0 { return .success(octets) }
        }
        return .failure(Failure(reason: "it is longer than \(octetsMax) octets"))
    }

    /// The words of an errno.
    static func reason(_ error: Int32) -> String { String(cString: strerror(error)) }
}
