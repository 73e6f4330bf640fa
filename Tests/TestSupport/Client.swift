import Glibc

/// A raw HTTP/1.1 client: octets out, octets in, and no opinion about what it sends. One thread at a time.
public final class Client: @unchecked Sendable {
    public let fd: Int32
    /// Octets received and not yet taken as part of a response.
    public private(set) var unread: [UInt8] = []
    /// Octets over the wire.
    public private(set) var sentCount = 0
    public private(set) var receivedCount = 0
    /// How long any one wait may take, in seconds.
    public var patience: Double = Deadline.patience
    private var isClosed = false

    /// - Parameters:
    ///   - receiveBuffer: octets the kernel keeps unread, to be set before it connects; nil: its own choice.
    ///   - source: this end's address (0x7f00_0002 is 127.0.0.2); nil: the kernel's choice.
    public init(
        port: Int, address: UInt32 = 0x7f00_0001, receiveBuffer: Int32? = nil, source: UInt32? = nil
    ) throws {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw Failure.system("socket") }
        if var receiveBuffer {
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        var yes: Int32 = 1
        setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        if let source {
            var own = sockaddr_in(family: AF_INET, port: 0, host: source)
            let bound = withUnsafePointer(to: &own) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard bound == 0 else {
                Glibc.close(fd)
                isClosed = true
                throw Failure.system("bind")
            }
        }
        var target = sockaddr_in(family: AF_INET, port: UInt16(port), host: address)
        let result = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let code = errno
            Glibc.close(fd)
            isClosed = true
            throw Failure.system("connect to port \(port)", code)
        }
    }

    public init(unixSocket path: String) throws {
        fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw Failure.system("socket") }
        var target = sockaddr_un(path: path)
        let result = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let code = errno
            Glibc.close(fd)
            isClosed = true
            throw Failure.system("connect to \(path)", code)
        }
    }

    deinit { close() }

    public func close() {
        if isClosed { return }
        isClosed = true
        Glibc.close(fd)
    }

    /// The port of this end.
    public var localPort: Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fd, $0, &length) }
        }
        return result == 0 ? Int(UInt16(bigEndian: address.sin_port)) : 0
    }

    // MARK: Sending

    public func send(_ text: String) throws { try send(Array(text.utf8)) }

    public func send(_ octets: [UInt8]) throws {
        var rest = octets[...]
        while !rest.isEmpty {
            guard Deadline(seconds: patience).wait(for: POLLOUT, of: fd) else {
                throw Failure("the peer took only \(octets.count - rest.count) of \(octets.count) octets")
            }
            rest = rest.dropFirst(try sendSome(rest))
        }
    }

    /// What fits without waiting; 0: nothing now.
    public func sendSome(_ octets: ArraySlice<UInt8>) throws -> Int {
        let count = octets.withUnsafeBytes {
            Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        if count >= 0 {
            sentCount += count
            return count
        }
        if errno == EAGAIN || errno == EINTR { return 0 }
        throw Failure.system("send")
    }

    /// Says that nothing more follows.
    public func endSending() { shutdown(fd, Int32(SHUT_WR)) }

    /// Ends the connection with a reset.
    public func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }

    // MARK: Receiving

    /// Reads what is there, waiting for the first octet; false at the end of the connection.
    @discardableResult
    public func receiveSome(atMost limit: Int = 262_144) throws -> Bool {
        guard Deadline(seconds: patience).wait(for: POLLIN, of: fd) else {
            throw Failure(
                "nothing received in \(patience) s, after \"\(String(decoding: unread.prefix(200), as: UTF8.self))\"")
        }
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(fd, &buffer, buffer.count, 0)
        if count < 0 { throw Failure.system("recv") }
        receivedCount += count
        unread += buffer[..<count]
        return count > 0
    }

    /// Whether anything comes in that time.
    public func hasInput(within seconds: Double) -> Bool { Deadline(seconds: seconds).wait(for: POLLIN, of: fd) }

    /// Everything up to the end of the connection, a reset included.
    public func receiveAll() throws -> [UInt8] {
        do {
            while try receiveSome() {}
        } catch let failure as Failure where failure.code == ECONNRESET {}
        return take(unread.count)
    }

    /// Waits for the end of the connection; false when octets came instead.
    public func isEndedByPeer() throws -> Bool {
        guard unread.isEmpty else { return false }
        guard Deadline(seconds: patience).wait(for: POLLIN, of: fd) else {
            throw Failure("the connection was not closed")
        }
        var octet: UInt8 = 0
        return recv(fd, &octet, 1, Int32(MSG_PEEK)) <= 0
    }

    public func receive(count: Int) throws -> [UInt8] {
        while unread.count < count {
            guard try receiveSome() else {
                throw Failure("the connection ended after \(unread.count) of \(count) octets")
            }
        }
        return take(count)
    }

    /// A line, without its end.
    public func receiveLine() throws -> String {
        var seen = 0
        while true {
            if let end = unread[seen...].firstIndex(of: 10) {
                var line = take(end + 1).dropLast()
                if line.last == 13 { line = line.dropLast() }
                return String(decoding: line, as: UTF8.self)
            }
            seen = unread.count
            guard try receiveSome() else { throw Failure("the connection ended in a line") }
        }
    }

    private func take(_ count: Int) -> [UInt8] {
        let taken = Array(unread[..<count])
        unread.removeFirst(count)
        return taken
    }

    /// The head of the next response, 1xx included.
    public func receiveHead() throws -> Response {
        let empty: [UInt8] = [13, 10, 13, 10]
        var seen = 0
        while true {
            let start = max(0, seen - 3)
            if unread.count >= 4,
                let end = (start...unread.count - 4).first(where: { unread[$0..<$0 + 4].elementsEqual(empty) })
            {
                let head = take(end + 4)
                var response = try Response(head: head[..<end])
                response.wireCount = head.count
                return response
            }
            seen = unread.count
            guard try receiveSome() else {
                throw Failure("the connection ended before a response: \"\(String(decoding: unread, as: UTF8.self))\"")
            }
        }
    }

    /// The next response that is not a 1xx, with its content.
    ///
    /// - Parameter isHead: the request was a HEAD, so that no content follows.
    public func receiveResponse(isHead: Bool = false) throws -> Response {
        var informational: [Int] = []
        var before = 0
        var response = try receiveHead()
        while (100..<200).contains(response.status) && response.status != 101 {
            informational.append(response.status)
            before += response.wireCount
            response = try receiveHead()
        }
        response.informational = informational
        response.wireCount += before
        if isHead || response.status == 204 || response.status == 304 || response.status == 101 { return response }
        if response["transfer-encoding"]?.lowercased() == "chunked" {
            try receiveChunks(into: &response)
        } else if let length = response["content-length"] {
            guard let count = Int(length) else { throw Failure("Content-Length: \(length)") }
            response.content = try receive(count: count)
            response.wireCount += count
        } else {
            while try receiveSome() {}
            response.wireCount += unread.count
            response.content = take(unread.count)
        }
        return response
    }

    private func receiveChunks(into response: inout Response) throws {
        while true {
            let line = try receiveLine()
            response.wireCount += line.utf8.count + 2
            guard let count = Int(line.prefix { $0 != ";" }, radix: 16) else { throw Failure("no chunk size: \(line)") }
            if count == 0 { break }
            response.content += try receive(count: count)
            guard try receive(count: 2) == [13, 10] else { throw Failure("a chunk without its end") }
            response.wireCount += count + 2
        }
        var lines: [Substring] = []
        while true {
            let line = try receiveLine()
            response.wireCount += line.utf8.count + 2
            if line.isEmpty { break }
            lines.append(Substring(line))
        }
        response.trailers = try Response.fields(lines)
    }

    // MARK: Both

    /// Sends one request and takes its response.
    ///
    /// - Parameter content: sent with a Content-Length.
    public func request(
        _ method: String, _ target: String, host: String = "localhost", fields: [String] = [], content: [UInt8]? = nil
    ) throws -> Response {
        var text = "\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n"
        for field in fields { text += field + "\r\n" }
        if let content { text += "Content-Length: \(content.count)\r\n" }
        try send(Array((text + "\r\n").utf8) + (content ?? []))
        return try receiveResponse(isHead: method == "HEAD")
    }

    /// The same with GET.
    public func request(
        _ target: String, host: String = "localhost", fields: [String] = [], content: [UInt8]? = nil
    ) throws -> Response {
        try request("GET", target, host: host, fields: fields, content: content)
    }
}
