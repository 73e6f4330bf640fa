import Glibc
import TestSupport

/// A worker that somebody else runs, as the daemon sees it: one short answer to every request, over a Unix socket.
final class FixedWorker: Sendable {
    private let listening: Int32

    private static let answer = Array(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!".utf8)

    /// Accepts connections at `path` until it is stopped.
    init(path: String) throws {
        let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw Failure.system("socket") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            for (index, octet) in path.utf8.prefix(room.count - 1).enumerated() { room[index] = octet }
        }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0, listen(fd, 16) == 0 else {
            close(fd)
            throw Failure.system("bind \(path)")
        }
        listening = fd
        try Threads.detach {
            while true {
                let connection = accept(fd, nil, nil)
                if connection < 0 { break }
                // A connection whose thread cannot be had is one that ends: the daemon says so with a 502.
                do { try Threads.detach { Self.serve(connection) } } catch { close(connection) }
            }
            close(fd)
        }
    }

    /// No more connections; those that are open end with the daemon.
    func stop() { shutdown(listening, Int32(SHUT_RDWR)) }

    private static func serve(_ fd: Int32) {
        defer { close(fd) }
        let end: [UInt8] = [13, 10, 13, 10]
        var buffer = [UInt8](repeating: 0, count: 65_536)
        // Octets of `end` seen so far.
        var matched = 0
        while true {
            let count = read(fd, &buffer, buffer.count)
            if count <= 0 { return }
            for octet in buffer[..<count] {
                matched = octet == end[matched] ? matched + 1 : octet == end[0] ? 1 : 0
                if matched == end.count {
                    matched = 0
                    if send(fd, answer, answer.count, Int32(MSG_NOSIGNAL)) != answer.count { return }
                }
            }
        }
    }
}
