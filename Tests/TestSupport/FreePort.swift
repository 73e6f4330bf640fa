import Glibc
import Synchronization

/// Ports nobody listens on, below the ephemeral range, so that no client's socket takes one in between.
public enum FreePort {
    private static let next = Mutex<UInt16>(UInt16.random(in: 10_000...30_000))

    public static func take() throws -> Int {
        try next.withLock { next in
            for _ in 0..<2_000 {
                next = next >= 31_000 ? 10_000 : next + 1
                if isFree(next) { return Int(next) }
            }
            throw Failure("no free port")
        }
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard fd >= 0 else { return false }
        defer { close(fd) }
        var yes: Int32 = 1
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in(family: AF_INET, port: port, host: INADDR_ANY)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        } == 0
    }
}

extension sockaddr_in {
    /// - Parameter host: in host order.
    init(family: Int32, port: UInt16, host: UInt32) {
        self.init()
        sin_family = sa_family_t(family)
        sin_port = port.bigEndian
        sin_addr.s_addr = host.bigEndian
    }
}
