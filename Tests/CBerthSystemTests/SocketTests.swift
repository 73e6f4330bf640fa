import CBerthSystem
import Glibc
import Testing

@Suite("Sockets")
struct SocketTests {
    private let system = cberth_system_linux()

    private func endpoint(_ address: String, _ port: UInt16 = 0) throws -> cberth_endpoint {
        var endpoint = cberth_endpoint()
        try #require(cberth_address_parse(address, &endpoint.address) == 1)
        endpoint.address.port = port
        return endpoint
    }

    private func endpoint(path: String) -> cberth_endpoint {
        var endpoint = cberth_endpoint()
        endpoint.address.family = 1
        withUnsafeMutableBytes(of: &endpoint.path) { $0.copyBytes(from: Array(path.utf8)) }
        return endpoint
    }

    private func isReady(_ fd: Int32, _ events: Int32) -> Bool {
        var poll = pollfd(fd: fd, events: Int16(events), revents: 0)
        return Glibc.poll(&poll, 1, 20_000) == 1
    }

    /// Listens on a port that the kernel chooses, which `here` then has.
    private func listen(at here: inout cberth_endpoint) throws -> Int32 {
        let listener = system.pointee.listen_on(system, &here, 5)
        try #require(listener >= 0)
        #expect(system.pointee.local_address(system, listener, &here.address) == 0)
        return listener
    }

    /// A child that another test is starting may hold a copy of the descriptor for a moment: closing alone need not end it.
    private func stopListening(_ fd: Int32) {
        shutdown(fd, Int32(SHUT_RDWR))
        close(fd)
    }

    @Test("a connection carries octets both ways, and knows its peer")
    func connection() throws {
        var here = try endpoint("127.0.0.1")
        let listener = try listen(at: &here)
        defer { close(listener) }
        var peer = cberth_address()
        #expect(system.pointee.accept_one(system, listener, &peer) == -EAGAIN)
        let client = system.pointee.connect_to(system, &here)
        try #require(client >= 0)
        defer { close(client) }
        #expect(isReady(client, POLLOUT))
        #expect(system.pointee.connect_result(system, client) == 0)
        #expect(isReady(listener, POLLIN))
        let server = system.pointee.accept_one(system, listener, &peer)
        try #require(server >= 0)
        defer { close(server) }
        var own = cberth_address()
        #expect(system.pointee.local_address(system, client, &own) == 0)
        #expect(peer.family == 4 && peer.port == own.port)
        #expect(fcntl(server, F_GETFL) & O_NONBLOCK != 0 && fcntl(server, F_GETFD) & FD_CLOEXEC != 0)
        var buffer = [UInt8](repeating: 0, count: 16)
        #expect(system.pointee.receive(system, server, &buffer, 16) == -Int(EAGAIN))
        #expect(system.pointee.send(system, client, "hello", 5, 0) == 5)
        #expect(isReady(server, POLLIN))
        #expect(system.pointee.receive(system, server, &buffer, 16) == 5)
        #expect(system.pointee.shut_down_sending(system, client) == 0)
        #expect(isReady(server, POLLIN))
        #expect(system.pointee.receive(system, server, &buffer, 16) == 0)
    }

    @Test("a client that does not read is given no more than the bound and what its own buffer takes")
    func unsentOctets() throws {
        var here = try endpoint("127.0.0.1")
        let listener = try listen(at: &here)
        defer { close(listener) }
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        try #require(client >= 0)
        defer { close(client) }
        var small: Int32 = 4096
        setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = here.address.port.bigEndian
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0)
        #expect(isReady(listener, POLLIN))
        var peer = cberth_address()
        let server = system.pointee.accept_one(system, listener, &peer)
        try #require(server >= 0)
        defer { close(server) }
        let bound: Int32 = 131_072
        #expect(system.pointee.bound_unsent(system, server, bound) == 0)
        let piece = [UInt8](repeating: 0x61, count: 65_536)
        var taken = 0
        while true {
            let count = system.pointee.send(system, server, piece, piece.count, 0)
            if count < 0 { break }
            taken += count
        }
        // The bound, the piece that passed it, and the client's buffer with what the kernel rounds it up to.
        #expect(taken >= Int(bound) / 2)
        #expect(taken <= Int(bound) + 3 * 65_536)
    }

    @Test("a lean connection has the segment and the receive buffer that were asked for")
    func lean() throws {
        var here = try endpoint("127.0.0.1")
        let listener = try listen(at: &here)
        defer { close(listener) }
        for (fd, isLean) in [
            (system.pointee.connect_lean(system, &here, 14_336, 65_536), true),
            (system.pointee.connect_to(system, &here), false),
        ] {
            try #require(fd >= 0)
            defer { close(fd) }
            #expect(isReady(fd, POLLOUT))
            var segment: Int32 = 0
            var buffer: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(fd, Int32(IPPROTO_TCP), TCP_MAXSEG, &segment, &length)
            getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, &length)
            #expect((segment <= 14_336) == isLean)
            if isLean { #expect(buffer == 2 * 65_536) }
        }
    }

    @Test("an address that is taken is EADDRINUSE")
    func taken() throws {
        var here = try endpoint("127.0.0.1")
        let listener = try listen(at: &here)
        defer { close(listener) }
        #expect(system.pointee.listen_on(system, &here, 5) == -EADDRINUSE)
    }

    @Test("nobody at a port is ECONNREFUSED, at once or when the connection is ready")
    func refused() throws {
        var here = try endpoint("127.0.0.1")
        let listener = system.pointee.listen_on(system, &here, 5)
        #expect(system.pointee.local_address(system, listener, &here.address) == 0)
        stopListening(listener)
        let client = system.pointee.connect_to(system, &here)
        if client >= 0 {
            defer { close(client) }
            #expect(isReady(client, POLLOUT))
            #expect(system.pointee.connect_result(system, client) == -ECONNREFUSED)
        } else {
            #expect(client == -ECONNREFUSED)
        }
    }

    @Test("a path that nobody listens on any more is taken over, one that answers is not")
    func stalePath() throws {
        let path = "/tmp/berth-socket-\(getpid())"
        var here = endpoint(path: path)
        let first = system.pointee.listen_on(system, &here, 5)
        try #require(first >= 0)
        #expect(system.pointee.listen_on(system, &here, 5) == -EADDRINUSE)
        stopListening(first)
        let second = system.pointee.listen_on(system, &here, 5)
        #expect(second >= 0)
        close(second)
        unlink(path)
    }

    @Test("a Unix connection tells who is at its other end")
    func credentials() throws {
        let path = "/tmp/berth-credentials-\(getpid())"
        var here = endpoint(path: path)
        let listener = system.pointee.listen_on(system, &here, 5)
        try #require(listener >= 0)
        defer {
            close(listener)
            unlink(path)
        }
        let client = system.pointee.connect_to(system, &here)
        try #require(client >= 0)
        defer { close(client) }
        var peer = cberth_address()
        let server = system.pointee.accept_one(system, listener, &peer)
        try #require(server >= 0)
        defer { close(server) }
        var credentials = cberth_credentials()
        #expect(system.pointee.peer_credentials(system, server, &credentials) == 0)
        #expect(credentials.pid == getpid() && credentials.uid == geteuid() && credentials.gid == getegid())
    }

    @Test(
        "addresses are read as they are written",
        arguments: [
            ("127.0.0.1", true), ("255.255.255.255", true), ("::1", true), ("fe80::1%1", true),
            ("::ffff:1.2.3.4", true),
            ("256.0.0.1", false), ("1.2.3", false), ("", false), ("[::1]", false), ("localhost", false),
        ])
    func addresses(text: String, isAddress: Bool) {
        var address = cberth_address()
        #expect((cberth_address_parse(text, &address) == 1) == isAddress)
    }
}
