import TestSupport
import Testing

@Suite("Starting and stopping")
struct LifeTests {
    private static let site = """
        [site]
        bindings = ["http://*:$PORT/"]
        [[application]]
        hosting = "in-process"
        isolation = "none"
        module = "$BIN/libFixtureModule.so"
        """

    private static let activate = Files.program("systemd-socket-activate")

    @Test(
        "a socket that systemd opened is served, and READY=1 is said",
        .enabled(if: activate != nil, "systemd-socket-activate is not installed (Debian: systemd)"))
    func socketActivation() throws {
        let folder = try TemporaryFolder()
        let port = try FreePort.take()
        let activate = try #require(Self.activate)
        let daemon = try Daemon(
            sites: ["app": Self.site], folder: folder, port: port,
            wrapper: [
                activate, "-l", "\(port)", "-E", "NOTIFY_SOCKET=\(folder.path)/notify", "-E",
                "SWIFT_BACKTRACE=enable=no", "-E", "ASAN_OPTIONS", "-E", "TSAN_OPTIONS",
            ])
        // It is started by the first connection, which waits in the socket's backlog meanwhile.
        let client = try Deadline().look("the socket is open") { try? daemon.connect() }
        try client.send("GET /plain HTTP/1.1\r\nHost: h\r\n\r\n")
        try daemon.waitUntilReady()
        #expect(try client.receiveResponse().text == "fixture")
        #expect(try daemon.request("/plain").text == "fixture")
        // A reload keeps the socket, which Berth could not open a second time.
        try daemon.reload()
        #expect(try daemon.request("/plain").text == "fixture")
        #expect(!daemon.process.output.text.contains("cannot listen"))
        #expect(try daemon.stop() == .status(0))
    }

    @Test("READY=1 comes with a word on what is served, STOPPING=1 at the end")
    func notifications() throws {
        let daemon = try Daemon.started(sites: ["app": Self.site])
        #expect(daemon.notify.messages.contains { $0.contains("READY=1") && $0.contains("STATUS=Serving 1 site") })
        daemon.process.signal(15)
        try daemon.notify.wait(for: "STOPPING=1", from: daemon.process)
        #expect(try daemon.process.wait() == .status(0))
    }

    @Test("TERM drains: a running request completes, idle connections close, new ones are refused, the status is 0")
    func drain() throws {
        let daemon = try Daemon.started(sites: ["app": Self.site], settings: "[timeouts]\nshutdown_drain = \"20s\"\n")
        let idle = try daemon.connect()
        #expect(try idle.request("/plain").status == 200)
        let running = try daemon.connect()
        #expect(try running.request("/plain").status == 200)
        try running.send("GET /later?n=1500 HTTP/1.1\r\nHost: h\r\n\r\n")
        try daemon.eventually("/waiting", "the request runs") { $0.text == "1" }
        daemon.process.signal(15)
        try daemon.notify.wait(for: "STOPPING=1", from: daemon.process)
        #expect(try idle.isEndedByPeer())
        _ = try Deadline().look("new connections are refused") { (try? daemon.connect()) == nil ? true : nil }
        let response = try running.receiveResponse()
        #expect(response.text == "4711")
        #expect(response["Connection"] == "close")
        #expect(try running.isEndedByPeer())
        #expect(try daemon.process.wait() == .status(0))
    }

    @Test("what does not end within the drain limit is cut")
    func drainLimit() throws {
        let daemon = try Daemon.started(sites: ["app": Self.site], settings: "[timeouts]\nshutdown_drain = \"1s\"\n")
        let client = try daemon.connect()
        #expect(try client.request("/plain").status == 200)
        try client.send("GET /never HTTP/1.1\r\nHost: h\r\n\r\n")
        try daemon.eventually("/waiting", "the request runs") { $0.text == "1" }
        #expect(try daemon.stop() == .status(0))
        #expect(try client.isEndedByPeer())
    }

    @Test("a second INT ends at once what the first would wait for")
    func twice() throws {
        let daemon = try Daemon.started(sites: ["app": Self.site], settings: "[timeouts]\nshutdown_drain = \"1h\"\n")
        let client = try daemon.connect()
        #expect(try client.request("/plain").status == 200)
        try client.send("GET /never HTTP/1.1\r\nHost: h\r\n\r\n")
        try daemon.eventually("/waiting", "the request runs") { $0.text == "1" }
        daemon.process.signal(2)
        try daemon.notify.wait(for: "STOPPING=1", from: daemon.process)
        #expect(!client.hasInput(within: 0.3))
        #expect(daemon.process.isRunning)
        daemon.process.signal(2)
        #expect(try daemon.process.wait() == .status(0))
    }

    @Test("a port that is taken is one clear line, and the sites on other ports serve")
    func takenPort() throws {
        let first = try Daemon.started(sites: ["app": Self.site])
        let other = try FreePort.take()
        let site =
            "[site]\nbindings = [\"http://*:\(first.port)/\", \"http://*:\(other)/\"]\n[[application]]\nhosting = \"in-process\"\n"
            + "isolation = \"none\"\nmodule = \"$BIN/libHelloModule.so\""
        let second = try Daemon(sites: ["app": site])
        try second.process.output.wait(containing: "cannot listen on")
        if second.process.isRunning {
            let client = try Deadline().look("the other port is open") { try? Client(port: other) }
            #expect(try client.request("/").text == "Hello, World!")
            #expect(try second.stop() == .status(0))
        }
        #expect(try first.stop() == .status(0))
    }
}
