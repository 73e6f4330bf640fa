import BerthEventLoop
import CBerthSystem
import Glibc
import Testing

@testable import BerthActivation

/// Real processes on the real kernel.
@Suite("Starting workers", .serialized)
struct StartingWorkersTests {
    private func canConnect(_ endpoint: WorkerEndpoint) -> Bool {
        guard var system = endpoint.systemEndpoint else { return false }
        let door = cberth_system_linux()
        let fd = door.pointee.connect_to(door, &system)
        guard fd >= 0 else { return false }
        defer { close(fd) }
        var poll = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        return Glibc.poll(&poll, 1, 10_000) == 1 && door.pointee.connect_result(door, fd) == 0
    }

    @Test("a worker that listens is published with its endpoint and token, and stops when it is told")
    func starts() throws {
        let control = try ControlLoop()
        control.configure("echo started >&2; " + Listener.tcp())
        #expect(control.service.workers.isEmpty)
        control.demand()
        let ready = try control.waitReady()
        #expect(ready.token?.text.utf8.count == 36)
        guard case .tcp("127.0.0.1", let port) = ready.endpoint else {
            Issue.record("\(ready.endpoint)")
            return
        }
        #expect(EndpointChoice.portRange.contains(port))
        #expect(canConnect(ready.endpoint))
        let worker = try #require(control.service.workers.first)
        #expect(worker.state == .running && worker.endpoint == ready.endpoint)
        let pid = try #require(worker.pid)
        #expect(control.service.output(of: ControlLoop.application).map(\.text) == ["started"])
        try control.stopAll()
        #expect(!ControlLoop.isAlive(pid))
        #expect(!canConnect(ready.endpoint))
    }

    @Test(
        "a worker may listen on the other loopback or on everything",
        arguments: [("::1", "AF_INET6", "::1"), ("0.0.0.0", "AF_INET", "127.0.0.1"), ("::", "AF_INET6", "::1")])
    func addresses(address: String, family: String, reached: String) throws {
        let control = try ControlLoop()
        control.configure(Listener.tcp(address, family: family))
        control.demand()
        let ready = try control.waitReady()
        guard case .tcp(reached, _) = ready.endpoint else {
            Issue.record("\(ready.endpoint)")
            return
        }
        #expect(canConnect(ready.endpoint))
        try control.stopAll()
    }

    @Test("a worker may make the Unix socket it was told of, and the socket is removed after it")
    func unixSocket() throws {
        let control = try ControlLoop()
        control.configure(Listener.unix, endpoint: .unixSocket)
        control.demand()
        let ready = try control.waitReady()
        guard case .unix(let path) = ready.endpoint else {
            Issue.record("\(ready.endpoint)")
            return
        }
        #expect(canConnect(ready.endpoint))
        var status = stat()
        #expect(stat(path, &status) == 0)
        try control.stopAll()
        #expect(stat(path, &status) < 0)
    }

    @Test("a worker with an inherited listener is ready at once, and answers what was sent before it looked")
    func inherited() throws {
        let control = try ControlLoop()
        control.configure(
            """
            exec python3 -c "
            import os, socket
            s = socket.socket(fileno=3)
            assert os.environ['LISTEN_FDS'] == '1' and int(os.environ['LISTEN_PID']) == os.getpid()
            c, _ = s.accept()
            print(c.recv(100).decode(), flush=True)"
            """, endpoint: .inherited)
        control.demand()
        let ready = try control.waitReady()
        let door = cberth_system_linux()
        var endpoint = try #require(ready.endpoint.systemEndpoint)
        let fd = door.pointee.connect_to(door, &endpoint)
        try #require(fd >= 0)
        defer { close(fd) }
        #expect(door.pointee.send(door, fd, "early", 5, 0) == 5)
        let line = try control.wait(for: "line") { if case .output(_, let line) = $0 { line.text } else { nil } }
        #expect(line == "early")
        try control.stopAll()
    }

    @Test("a program that is not there is a failure with its step, errno and advice, at once")
    func missing() throws {
        let control = try ControlLoop()
        control.configure("") { _, rules in rules.program?.executable = "./nosuch" }
        control.demand()
        let failure = try control.waitFailure()
        #expect(failure.cause == .notExecuted(.execute, errno: ENOENT))
        #expect(failure.attempts == 1 && failure.pid == nil)
        #expect(failure.report.contains("No such file or directory"))
        #expect(control.service.workers.isEmpty)
        #expect(control.service.lastFailure(of: ControlLoop.application) == failure)
    }

    @Test("a working directory that is not there is told as such")
    func wrongDirectory() throws {
        let control = try ControlLoop()
        control.configure("true") { _, rules in rules.program?.workingDirectory = "/nosuch" }
        control.demand()
        #expect(try control.waitFailure().cause == .notExecuted(.directory, errno: ENOENT))
    }

    @Test("a program without permission is told as such")
    func permission() throws {
        let control = try ControlLoop()
        control.configure("") { _, rules in rules.program?.executable = "/etc/passwd" }
        control.demand()
        #expect(try control.waitFailure().cause == .notExecuted(.execute, errno: EACCES))
    }

    @Test("a bare name that is a file of the working directory is that file")
    func localName() throws {
        let control = try ControlLoop()
        let path = "\(control.directory)/sh"
        let fd = open(path, O_WRONLY | O_CREAT, 0o755)
        let script = "#!/bin/sh\necho local; exit 5\n"
        #expect(write(fd, script, script.utf8.count) == script.utf8.count)
        close(fd)
        defer { unlink(path) }
        control.configure("true")
        control.demand()
        let failure = try control.waitFailure()
        #expect(failure.cause == .exited(.exited(status: 5)))
        #expect(failure.lastLines == ["local"])
    }

    @Test("a worker that ends before it listens is tried twice, and the report has what it wrote")
    func exits() throws {
        let control = try ControlLoop()
        control.configure("echo out; echo err >&2; exit 134")
        control.demand()
        let failure = try control.waitFailure()
        #expect(failure.cause == .exited(.exited(status: 134)))
        #expect(failure.attempts == 2)
        #expect(Set(failure.lastLines) == ["out", "err"])
        #expect(failure.reason.contains("SIGABRT"))
        #expect(control.service.output(of: ControlLoop.application).count == 4)
    }

    @Test("the first 30 000 octets are in the report, and a flood never blocks the worker")
    func flood() throws {
        let control = try ControlLoop()
        control.configure("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end >&2; exit 1")
        control.demand()
        let failure = try control.waitFailure()
        #expect(failure.cause == .exited(.exited(status: 1)))
        #expect(failure.output.utf8.count == 30_000)
        #expect(control.service.output(of: ControlLoop.application).allSatisfy { $0.text.utf8.count <= 8192 })
    }

    @Test("a worker that never listens is killed twice within its time, with what it had started")
    func neverListens() throws {
        let control = try ControlLoop()
        control.configure("sleep 1000 & echo $! $$; wait") { _, rules in rules.startupTimeLimit = 1 }
        control.demand()
        var pids: [Int32] = []
        let failure = try control.wait(for: "failure") { event -> StartFailure? in
            if case .output(_, let line) = event { pids += line.text.split(separator: " ").compactMap { Int32($0) } }
            if case .failed(_, let failure) = event { return failure }
            return nil
        }
        guard case .timedOut(seconds: 1, _) = failure.cause else {
            Issue.record("\(failure.cause)")
            return
        }
        #expect(failure.attempts == 2)
        #expect(pids.count == 4)
        for pid in pids { try ControlLoop.waitGone(pid) }
    }

    @Test("a stranger on the port is recognised, and the second attempt takes another port")
    func foreign() throws {
        let control = try ControlLoop()
        // The stranger comes after the port was tested: the worker is started by hand of the test, which takes the port.
        var endpoint = try #require(WorkerEndpoint.tcp(address: "127.0.0.1", port: 0).systemEndpoint)
        let door = cberth_system_linux()
        let probe = door.pointee.listen_on(door, &endpoint, 1)
        #expect(door.pointee.local_address(door, probe, &endpoint.address) == 0)
        var free: UInt16 = 0
        close(probe)
        for port in stride(from: 20_000 as UInt16, to: 30_000, by: 7) where free == 0 {
            endpoint.address.port = port
            let fd = door.pointee.listen_on(door, &endpoint, 1)
            if fd >= 0 {
                free = port
                close(fd)
            }
        }
        control.ports.next = [free]
        // The first attempt waits for a file; the second listens.
        control.configure("test -e second || { touch second; exec sleep 1000; }; rm second; " + Listener.tcp())
        control.demand()
        try control.wait(for: "first attempt") { event -> Void? in
            if case .workerStarted = event { () } else { nil }
        }
        let stranger = door.pointee.listen_on(door, &endpoint, 1)
        try #require(stranger >= 0)
        defer { close(stranger) }
        let ready = try control.waitReady()
        #expect(ready.endpoint != .tcp(address: "127.0.0.1", port: free))
        #expect(control.service.workers.count == 1)
        try control.stopAll()
    }

    @Test("a port that is taken is not chosen")
    func taken() throws {
        let control = try ControlLoop()
        var endpoint = try #require(WorkerEndpoint.tcp(address: "127.0.0.1", port: 0).systemEndpoint)
        let door = cberth_system_linux()
        var taken: Int32 = -1
        var port: UInt16 = 20_000
        while taken < 0 {
            port += 1
            endpoint.address.port = port
            taken = door.pointee.listen_on(door, &endpoint, 1)
        }
        defer { close(taken) }
        control.ports.next = [UInt16](repeating: port, count: 10)
        control.configure("true")
        control.demand()
        // Ten tries an attempt; the second attempt has others.
        let failure = try control.waitFailure()
        #expect(failure.cause == .exited(.exited(status: 0)))
        #expect(control.ports.next.isEmpty)
    }

    @Test(
        "a port of the application's own out of range is refused without a process", arguments: ["1024", "48001", "x"])
    func invalidPort(text: String) throws {
        let control = try ControlLoop()
        control.configure("true") { $1.program?.environment = [EnvironmentEntry("ASPNETCORE_PORT", text)] }
        control.demand()
        let failure = try control.waitFailure()
        #expect(failure.cause == .invalidPort(text))
        #expect(failure.attempts == 1 && failure.pid == nil)
    }

    @Test("a child of the worker may listen, and is watched")
    func grandchild() throws {
        let control = try ControlLoop()
        let script = Listener.tcp().replacing("exec python3", with: "python3")
        control.configure("\(script) & echo $!; wait; sleep 1000")
        control.demand()
        var child: Int32 = 0
        try control.wait(for: "ready worker") { event -> Void? in
            if case .output(_, let line) = event { child = Int32(line.text) ?? 0 }
            if case .publish(_, _, let endpoints) = event, !endpoints.isEmpty { return () }
            return nil
        }
        if child == 0 { child = Int32(control.service.output(of: ControlLoop.application).first?.text ?? "") ?? 0 }
        let leader = try #require(control.service.workers.first?.pid)
        try #require(child > 1 && child != leader)
        #expect(kill(child, SIGKILL) == 0)
        try control.wait(for: "crash") { event -> Void? in if case .workerCrashed = event { () } else { nil } }
        try ControlLoop.waitGone(leader)
    }
}
