import CBerthSystem
import Glibc
import TestSupport

/// A blocking socket that gives up when only a hang takes so long, with a buffer, for both ends of a test.
final class Wire: @unchecked Sendable {
    enum Ending: Equatable { case finished, reset, stillOpen }

    let fd: Int32
    private(set) var buffer: [UInt8] = []
    /// How the peer's side ended, once it did.
    private(set) var ending: Ending?

    init(_ fd: Int32) {
        self.fd = fd
        var limit = timeval(tv_sec: Int(Deadline.patience), tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// A client of the front.
    convenience init(port: UInt16, receiveBuffer: Int32 = 0) {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if receiveBuffer > 0 {
            var size = receiveBuffer
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, 4)
        }
        var one: Int32 = 1
        setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        self.init(fd)
    }

    deinit { Glibc.close(fd) }

    // MARK: Sending

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    func send(_ octets: [UInt8]) -> Bool {
        var sent = 0
        while sent < octets.count {
            let n = octets.withUnsafeBytes {
                Glibc.send(fd, $0.baseAddress.map { $0 + sent }, octets.count - sent, Int32(MSG_NOSIGNAL))
            }
            if n <= 0 { return false }
            sent += n
        }
        return true
    }

    func finish() { shutdown(fd, Int32(SHUT_WR)) }

    /// Ends both directions; the descriptor lives as long as the object.
    func close() { shutdown(fd, Int32(SHUT_RDWR)) }

    /// Resets the connection.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        // A connect to nowhere dissolves the association, which the peer sees as a reset.
        var nowhere = sockaddr()
        nowhere.sa_family = sa_family_t(AF_UNSPEC)
        connect(fd, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
    }

    // MARK: Receiving

    /// More octets into the buffer; false at the end.
    @discardableResult
    func fill() -> Bool {
        if ending != nil { return false }
        var n = 0
        buffer += [UInt8](unsafeUninitializedCapacity: 65_536) { room, count in
            n = recv(fd, room.baseAddress, room.count, 0)
            count = max(0, n)
        }
        if n > 0 { return true }
        ending = n == 0 ? .finished : errno == EAGAIN ? .stillOpen : .reset
        return false
    }

    func read(_ count: Int) -> [UInt8] {
        while buffer.count < count, fill() {}
        let octets = Array(buffer.prefix(count))
        buffer.removeFirst(octets.count)
        return octets
    }

    func text(_ count: Int) -> String { String(decoding: read(count), as: UTF8.self) }

    /// Everything up to and including `mark`; nil when the end comes first.
    func read(through mark: String) -> String? {
        let mark = Array(mark.utf8)
        var from = 0
        while true {
            var index = from
            while index + mark.count <= buffer.count {
                if buffer[index] == mark[0], buffer[index..<(index + mark.count)].elementsEqual(mark) {
                    return text(index + mark.count)
                }
                index += 1
            }
            from = max(0, buffer.count - mark.count + 1)
            if !fill() { return nil }
        }
    }

    /// Waits for the end, and says how it came.
    func waitForEnd() -> Ending {
        while fill() {}
        return ending ?? .stillOpen
    }
}
