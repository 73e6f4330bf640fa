import Glibc

/// One connection to the control socket and the response that comes over it.
///
/// Non-blocking underneath, so that every wait has the one deadline that was set when the connection was opened.
struct ControlConnection: ~Copyable {
    private let fd: Int32
    private let path: String
    private let timeLimit: Duration
    /// Nanoseconds of the monotonic clock; `nil` once the time limit was lifted.
    private var deadline: UInt64?
    private var reader = ControlResponseReader()
    /// Octets read at once: a pipe's worth.
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    /// Content that arrived together with the response head.
    private var early: [UInt8] = []

    init(path: String, timeLimit: Duration) throws(ControlFailure) {
        self.path = path
        self.timeLimit = timeLimit
        deadline = Self.now() + Self.nanoseconds(timeLimit)
        fd = try Self.connect(to: path, timeLimit: timeLimit)
    }

    deinit { close(fd) }

    /// Known once `readHead` or `nextPiece` has returned.
    var head: ControlResponseReader.Head? { reader.head }

    mutating func liftTimeLimit() { deadline = nil }

    /// Sends the whole request, or as much of it as the daemon wants before it answers.
    mutating func send(_ octets: [UInt8]) throws(ControlFailure) {
        var rest = octets[...]
        while !rest.isEmpty {
            let ready = try wait(for: Int16(POLLOUT) | Int16(POLLIN))
            // An answer before the end of the request: it says why, and nobody will read the rest.
            if ready & Int16(POLLIN) != 0 { return }
            let count = rest.withUnsafeBytes { Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE || errno == ECONNRESET {
                return  // What the daemon said before it closed is still to be read; its absence is an error there.
            } else if errno != EAGAIN && errno != EINTR {
                throw ControlFailure.connectionLost(path: path, reason: Self.text(errno))
            }
        }
    }

    /// Waits until the response head was read.
    mutating func readHead() throws(ControlFailure) {
        while reader.head == nil {
            guard let piece = try receive() else { break }
            early += piece
        }
    }

    /// The next octets of the content, at least one; `nil` at its end.
    mutating func nextPiece() throws(ControlFailure) -> [UInt8]? {
        if !early.isEmpty {
            defer { early = [] }
            return early
        }
        while !reader.isComplete {
            guard let piece = try receive() else { return nil }
            if !piece.isEmpty { return piece }
        }
        return nil
    }

    /// Reads once from the socket; `nil` when the connection has ended and the response with it.
    private mutating func receive() throws(ControlFailure) -> [UInt8]? {
        while true {
            _ = try wait(for: Int16(POLLIN))
            let count = buffer.withUnsafeMutableBytes { Glibc.recv(fd, $0.baseAddress, $0.count, 0) }
            if count > 0 {
                do { return try reader.read(buffer[..<count]) } catch {
                    throw ControlFailure.malformedAnswer(path: path, what: error.what)
                }
            }
            if count == 0 {
                guard reader.end() else {
                    throw ControlFailure.connectionLost(path: path, reason: "the connection was closed")
                }
                return nil
            }
            if errno != EAGAIN && errno != EINTR {
                throw ControlFailure.connectionLost(path: path, reason: Self.text(errno))
            }
        }
    }

    /// Waits until the socket is ready for one of `events`, or has failed; returns for which.
    private func wait(for events: Int16) throws(ControlFailure) -> Int16 {
        while true {
            var left: Int32 = -1
            if let deadline {
                let now = Self.now()
                guard now < deadline else { throw timedOut }
                // Rounded up: a wait that ends a little early would spin through the last millisecond.
                left = Int32(clamping: (deadline - now + 999_999) / 1_000_000)
            }
            var entry = pollfd(fd: fd, events: events, revents: 0)
            let count = poll(&entry, 1, left)
            if count > 0 { return entry.revents }
            if count < 0 && errno != EINTR {
                throw ControlFailure.connectionLost(path: path, reason: Self.text(errno))
            }
        }
    }

    private var timedOut: ControlFailure {
        let (seconds, attoseconds) = timeLimit.components
        return .timedOut(path: path, seconds: Double(seconds) + Double(attoseconds) / 1e18)
    }

    static func text(_ code: Int32) -> String {
        // glibc's messages are capitalised as sentences of their own; here they end one.
        let message = String(cString: strerror(code))
        return message.prefix(1).lowercased() + message.dropFirst()
    }

    /// At most what a billion seconds have, so that sums of it never overflow.
    private static func nanoseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = max(.zero, min(duration, .seconds(1_000_000_000))).components
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
