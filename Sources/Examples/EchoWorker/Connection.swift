import Glibc

/// One connection: reads requests, answers them, until one side has enough.
struct Connection {
    /// Longest request head, in octets.
    static let headMax = 65_536
    /// Longest content kept for an echo, in octets.
    static let contentMax = 64 << 20

    let worker: EchoWorker
    let fd: Int32
    /// Octets received and not consumed yet.
    private var received: [UInt8] = []
    private var consumed = 0

    init(worker: EchoWorker, fd: Int32) {
        self.worker = worker
        self.fd = fd
        var one: Int32 = 1
        // Fails on a Unix socket, where it isn't needed.
        setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
    }

    /// What ends a connection.
    enum Ending: Error {
        /// The client left, or sent half a message.
        case gone
        /// The client sent something that is no HTTP/1.1 message.
        case malformed
    }

    mutating func serve() {
        do throws(Ending) {
            while true {
                guard let head = try readHead() else { return }
                worker.requestBegins(on: fd)
                var answers = Answers(worker: worker)
                let keeps = try answers.answer(head, on: &self)
                // Before the connection is called idle: a stop that comes between shuts it down.
                guard worker.mayKeep(fd), keeps else { return }
            }
        } catch {
            switch error {
            case .gone: break
            case .malformed:
                try? send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            }
        }
    }

    // MARK: Reading

    private mutating func readHead() throws(Ending) -> RequestHead? {
        var searched = consumed
        while true {
            if let end = endOfHead(from: searched) {
                let head = RequestHead(received[consumed..<end])
                consumed = end
                guard let head else { throw .malformed }
                return head
            }
            searched = max(consumed, received.count - 3)
            guard received.count - consumed < Self.headMax else { throw .malformed }
            let wasEmpty = received.count == consumed
            let shift = consumed
            guard try receiveMore() else {
                if wasEmpty { return nil }
                throw .gone
            }
            searched -= shift - consumed
        }
    }

    private func endOfHead(from start: Int) -> Int? {
        guard received.count >= start + 4 else { return nil }
        for index in start...(received.count - 4)
        where received[index] == 13 && received[index + 1] == 10 && received[index + 2] == 13
            && received[index + 3] == 10
        {
            return index + 4
        }
        return nil
    }

    /// False at the end of the connection.
    private mutating func receiveMore() throws(Ending) -> Bool {
        if consumed > 0 {
            received.removeSubrange(0..<consumed)
            consumed = 0
        }
        var got = -1
        let octets = [UInt8](unsafeUninitializedCapacity: 65_536) { room, count in
            repeat { got = recv(fd, room.baseAddress, room.count, 0) } while got < 0 && errno == EINTR
            count = max(0, got)
        }
        if got < 0 { throw .gone }
        received += octets
        return got > 0
    }

    private mutating func readOctets(_ count: Int, _ use: (ArraySlice<UInt8>) -> Void) throws(Ending) {
        var left = count
        while left > 0 {
            if consumed == received.count, try !receiveMore() { throw .gone }
            let taken = min(left, received.count - consumed)
            use(received[consumed..<consumed + taken])
            consumed += taken
            left -= taken
        }
    }

    private mutating func readLine() throws(Ending) -> String {
        var searched = consumed
        while true {
            while searched + 1 < received.count {
                if received[searched] == 13, received[searched + 1] == 10 {
                    let line = String(decoding: received[consumed..<searched], as: UTF8.self)
                    consumed = searched + 2
                    return line
                }
                searched += 1
            }
            guard received.count - consumed < Self.headMax else { throw .malformed }
            let shift = consumed
            guard try receiveMore() else { throw .gone }
            searched -= shift - consumed
        }
    }

    /// Reads the whole content, and answers how long it was. `kept` is nil when it is not wanted.
    mutating func readContent(_ head: RequestHead, keepingIn kept: inout [UInt8]?) throws(Ending) -> Int {
        var count = 0
        var collected = kept
        func take(_ octets: ArraySlice<UInt8>) {
            count += octets.count
            if let already = collected?.count, already + octets.count <= Self.contentMax {
                collected?.append(contentsOf: octets)
            }
        }
        defer { kept = collected }
        if head.expectsContinue, head.hasContent { try send("HTTP/1.1 100 Continue\r\n\r\n") }
        guard head.isChunked else {
            try readOctets(head.contentLength, take)
            return count
        }
        while true {
            let line = try readLine()
            let digits = line.prefix { $0 != ";" && $0 != " " }
            guard !digits.isEmpty, let size = Int(digits, radix: 16), size >= 0 else { throw .malformed }
            if size == 0 { break }
            try readOctets(size, take)
            guard try readLine().isEmpty else { throw .malformed }
        }
        while try !readLine().isEmpty {}
        return count
    }

    /// Sends back whatever comes, until the client ends: a tunnel with an echo at its end.
    mutating func tunnel() throws(Ending) {
        while true {
            let octets = Array(received[consumed...])
            consumed = received.count
            try send(octets)
            guard try receiveMore() else { return }
        }
    }

    // MARK: Writing

    func send(_ text: String) throws(Ending) { try send(Array(text.utf8)) }

    func send(_ octets: [UInt8]) throws(Ending) {
        var sent = 0
        while sent < octets.count {
            let count = octets.withUnsafeBytes {
                Glibc.send(fd, $0.baseAddress.map { $0 + sent }, octets.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw .gone
            }
            sent += count
        }
    }
}
