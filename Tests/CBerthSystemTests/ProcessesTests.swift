import CBerthSystem
import Glibc
import Testing

@Suite("Processes and listeners")
struct ProcessesTests {
    private let system = cberth_system_linux()

    private func listen(_ address: String) throws -> (fd: Int32, port: UInt16) {
        var endpoint = cberth_endpoint()
        try #require(cberth_address_parse(address, &endpoint.address) == 1)
        let fd = system.pointee.listen_on(system, &endpoint, 5)
        try #require(fd >= 0)
        var bound = cberth_address()
        #expect(system.pointee.local_address(system, fd, &bound) == 0)
        return (fd, bound.port)
    }

    private func listeners(_ port: UInt16, capacity: Int = 8) -> [cberth_listener] {
        var found = [cberth_listener](repeating: cberth_listener(), count: capacity)
        let count = Int(system.pointee.tcp_listeners(system, port, &found, Int32(capacity)))
        return Array(found.prefix(max(count, 0)))
    }

    /// Those of them at `address`: another test may listen on the same port of another one.
    private func listeners(_ port: UInt16, at address: String) -> [cberth_listener] {
        listeners(port).filter { listener in
            var text = [CChar](repeating: 0, count: 64)
            var copy = listener.address
            let length = Int(cberth_address_format(&copy, &text, text.count))
            return String(decoding: text.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self) == address
        }
    }

    @Test("a listening socket is found by its port, with its owner", arguments: ["127.0.0.1", "0.0.0.0", "::1", "::"])
    func found(address: String) throws {
        let (fd, port) = try listen(address)
        defer { close(fd) }
        let found = listeners(port, at: address)
        try #require(found.count == 1)
        #expect(found[0].user == geteuid())
        #expect(system.pointee.holds_socket(system, getpid(), found[0].inode) == 1)
        #expect(system.pointee.holds_socket(system, getpid(), found[0].inode + 1_000_000) == 0)
    }

    @Test("what is only connected or closed does not listen")
    func notListening() throws {
        let (fd, port) = try listen("127.0.0.1")
        var endpoint = cberth_endpoint()
        #expect(cberth_address_parse("127.0.0.1", &endpoint.address) == 1)
        endpoint.address.port = port
        let client = system.pointee.connect_to(system, &endpoint)
        var own = cberth_address()
        #expect(system.pointee.local_address(system, client, &own) == 0)
        #expect(listeners(own.port, at: "127.0.0.1").isEmpty)
        close(client)
        // A child that another test is starting may hold a copy for a moment: closing alone need not end it.
        shutdown(fd, Int32(SHUT_RDWR))
        close(fd)
        #expect(listeners(port, at: "127.0.0.1").isEmpty)
    }

    @Test("both families are found, and no more than there is room for")
    func both() throws {
        // Another test may have taken the port of one of them at the other address.
        var (four, six, port) = (Int32(-1), Int32(-1), UInt16(0))
        for _ in 0..<100 where six < 0 {
            if four >= 0 { close(four) }
            (four, port) = try listen("127.0.0.1")
            var endpoint = cberth_endpoint()
            #expect(cberth_address_parse("::1", &endpoint.address) == 1)
            endpoint.address.port = port
            six = system.pointee.listen_on(system, &endpoint, 5)
        }
        defer { close(four) }
        try #require(six >= 0)
        defer { close(six) }
        #expect(listeners(port, at: "127.0.0.1").count == 1)
        #expect(listeners(port, at: "::1").count == 1)
        #expect(listeners(port, capacity: 1).count == 1)
    }

    @Test("a Unix socket is found by the whole of its path")
    func unix() throws {
        let path = "/tmp/berth test \(getpid()).sock"
        var endpoint = cberth_endpoint()
        endpoint.address.family = 1
        withUnsafeMutableBytes(of: &endpoint.path) { $0.copyBytes(from: Array(path.utf8)) }
        let fd = system.pointee.listen_on(system, &endpoint, 5)
        try #require(fd >= 0)
        defer {
            close(fd)
            unlink(path)
        }
        var inode: UInt64 = 0
        #expect(system.pointee.unix_listener(system, path, &inode) == 1)
        #expect(system.pointee.holds_socket(system, getpid(), inode) == 1)
        #expect(system.pointee.unix_listener(system, String(path.dropLast()), &inode) == 0)
        #expect(system.pointee.unix_listener(system, "/" + path, &inode) == 0)
    }

    @Test("a child is among the processes, with its parent and group, until it has ended")
    func processes() throws {
        let child = try Child(
            ["sleep", "1000"], .init(environment: ["PATH=/bin", "MARK=abc"], flags: CBERTH_SPAWN_NEW_GROUP))
        try #require(child.result == 0)
        func find() -> cberth_process? {
            var found = [cberth_process](repeating: cberth_process(), count: 32768)
            let count = Int(system.pointee.processes(system, &found, Int32(found.count)))
            return found.prefix(max(count, 0)).first { $0.pid == child.spawned.pid }
        }
        let process = try #require(find())
        #expect(process.parent == getpid() && process.group == child.spawned.pid)
        #expect(system.pointee.has_environment(system, child.spawned.pid, "MARK=abc") == 1)
        #expect(system.pointee.has_environment(system, child.spawned.pid, "MARK=ab") == 0)
        #expect(system.pointee.has_environment(system, child.spawned.pid, "ARK=abc") == 0)
        var octets: UInt64 = 0
        #expect(system.pointee.process_memory(system, child.spawned.pid, &octets) == 0)
        #expect(octets > 0)
        let pidfd = system.pointee.process_open(system, child.spawned.pid)
        try #require(pidfd >= 0)
        #expect(system.pointee.signal_process(system, pidfd, SIGKILL) == 0)
        close(pidfd)
        try #require(try child.isReadable(child.spawned.pidfd))
        #expect(find() == nil, "a zombie is no process")
        _ = try child.finish()
        #expect(system.pointee.process_memory(system, child.spawned.pid, &octets) < 0)
        #expect(system.pointee.process_open(system, child.spawned.pid) == -ESRCH)
    }
}
