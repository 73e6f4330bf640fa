import Glibc

extension ControlConnection {
    /// Connects, and leaves the descriptor non-blocking.
    ///
    /// A connect to a Unix socket waits only while the listener's backlog is full, and cannot be waited for with poll:
    /// its time limit is the socket's own.
    static func connect(to path: String, timeLimit: Duration) throws(ControlFailure) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard !octets.isEmpty, octets.count < capacity, !octets.contains(0) else {
            throw ControlFailure.notReachable(
                path: path, reason: "the path of a socket has 1 through \(capacity - 1) octets")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: octets) }

        let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw ControlFailure.notReachable(path: path, reason: text(errno)) }
        // Zero would mean no limit.
        let (seconds, attoseconds) = max(.microseconds(1), min(timeLimit, .seconds(1_000_000_000))).components
        var limit = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        let code = errno
        guard status == 0, fcntl(fd, F_SETFL, O_NONBLOCK) == 0 else {
            close(fd)
            throw failure(connectingTo: path, code)
        }
        return fd
    }

    private static func failure(connectingTo path: String, _ code: Int32) -> ControlFailure {
        switch code {
        case EACCES, EPERM: .notPermitted(path: path, owner: ownerSentence(path))
        case ENOENT: .notReachable(path: path, reason: "there is no such socket")
        case ECONNREFUSED, EPROTOTYPE:
            .notReachable(path: path, reason: isSocket(path) ? text(code) : "it is not a stream socket")
        case EAGAIN: .notReachable(path: path, reason: "too many callers are waiting already")
        default: .notReachable(path: path, reason: text(code))
        }
    }

    private static func isSocket(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// Who may open the socket, as far as the caller may see it.
    private static func ownerSentence(_ path: String) -> String {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return "the socket is for root and for the daemon's own user and group; try: sudo berthctl ..."
        }
        let user = getpwuid(status.st_uid).map { String(cString: $0.pointee.pw_name) } ?? String(status.st_uid)
        let group = getgrgid(status.st_gid).map { String(cString: $0.pointee.gr_name) } ?? String(status.st_gid)
        let members = status.st_mode & S_IWGRP != 0 ? " and the group \(group)" : ""
        let others = status.st_uid == 0 ? "" : ", \(user)"
        return "the socket is for root\(others)\(members); try: sudo berthctl ..."
    }
}
