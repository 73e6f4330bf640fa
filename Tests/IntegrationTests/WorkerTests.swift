import TestSupport
import Testing

/// Out-of-process applications: their workers' lives, and what clients see of them.
@Suite("Worker processes")
struct WorkerTests {
    static func site(_ more: String = "", pool: String = "", command: String = "\"$BIN/EchoWorker\"") -> String {
        """
        [site]
        bindings = ["http://*:$PORT/"]
        [[application]]
        hosting = "out-of-process"
        root = "$FOLDER"
        command = [\(command)]
        \(more)
        \(pool.isEmpty ? "" : "[pool.app]\n\(pool)")
        """
    }

    @Test("none runs before the first request; fifty first requests start one")
    func lazyStart() throws {
        try withDaemon(sites: ["app": Self.site()]) { daemon in
            #expect(daemon.workers == [])
            let pids = try Threads.concurrently(50) { _ in try daemon.request("/pid").text }
            #expect(Set(pids).count == 1)
            #expect(daemon.workers.map { "\($0)\n" } == Array(Set(pids)))
            #expect(daemon.process.output.all.filter { $0.contains("started pid") }.count == 1)
        }
    }

    @Test("a crash in a request is answered 502.3, the next request gets another worker")
    func crash() throws {
        try withDaemon(sites: ["app": Self.site()]) { daemon in
            let client = try daemon.connect()
            let first = try client.request("/pid").text
            let crashed = try client.request("POST", "/crash", content: [])
            #expect(crashed.status == 502)
            #expect(crashed.text.contains("502.3"))
            try daemon.process.output.wait(containing: "SIGABRT")
            let second = try client.request("/pid")
            #expect(second.status == 200)
            #expect(second.text != first)
        }
    }

    @Test("one that is killed while nobody asks is replaced, and nobody notices")
    func killed() throws {
        try withDaemon(sites: ["app": Self.site()]) { daemon in
            let client = try daemon.connect()
            for _ in 0..<3 {
                let first = try client.request("/pid").text
                let pid = try #require(Int32(first.dropLast()))
                try daemon.kill(worker: pid)
                let second = try client.request("/pid")
                #expect(second.status == 200)
                #expect(second.text != first)
            }
        }
    }

    @Test("a safe request on a connection that the worker drops is answered, or 502, never left hanging")
    func drop() throws {
        try withDaemon(sites: ["app": Self.site()]) { daemon in
            let client = try daemon.connect()
            #expect(try client.request("/pid").status == 200)
            #expect(try client.request("/drop").status == 502)
            #expect(try client.request("POST", "/drop", content: [1]).status == 502)
            #expect(try client.request("/pid").status == 200)
            let half = try daemon.connect()
            try half.send("GET /half HTTP/1.1\r\nHost: h\r\n\r\n")
            // It is seen to be cut: the connection ends before the announced length.
            #expect(throws: Failure.self) { try half.receiveResponse() }
        }
    }

    @Test("a program that does not exist, ends at once or cannot be executed is answered 502.5 with the reason")
    func startFailures() throws {
        let ends = """
            import sys
            print("first words", flush=True)
            print("the last words", file=sys.stderr, flush=True)
            sys.exit(7)
            """
        let sites = [
            "missing": Self.named("missing", "command = [\"$FOLDER/no-such-program\"]"),
            "ends": Self.named("ends", "command = [\"python3\", \"$FOLDER/ends.py\"]"),
            "text": Self.named("text", "command = [\"$FOLDER/ends.py\"]"),
            "good": Self.named("good", "command = [\"$BIN/EchoWorker\"]"),
        ]
        try withDaemon(sites: sites, files: ["ends.py": ends]) { daemon in
            func ask(_ name: String, _ fields: [String] = []) throws -> Response {
                try daemon.request("/", host: "\(name).example", fields: fields)
            }
            let missing = try ask("missing")
            #expect(missing.status == 502)
            #expect(missing.text.contains("502.5"))
            #expect(missing.text.contains("no-such-program"))
            let ended = try ask("ends")
            #expect(ended.text.contains("502.5"))
            #expect(ended.text.contains("7"))
            #expect(ended.text.contains("the last words"))
            #expect(try ask("text").text.contains("502.5"))
            let stranger = try ask("ends", ["X-Forwarded-For: 203.0.113.7"])
            #expect(stranger.status == 502)
            #expect(!stranger.text.contains("last words"))
            #expect(try ask("good").status == 200)
        }
    }

    private static func named(_ name: String, _ rest: String) -> String {
        """
        [site]
        bindings = ["http://\(name).example:$PORT/"]
        [[application]]
        hosting = "out-of-process"
        root = "$FOLDER"
        \(rest)
        """
    }

    @Test("a worker that does not listen within its time limit is ended and answered 502.5")
    func startupTimeLimit() throws {
        let sites = [
            "deaf": Self.named("deaf", "command = [\"sleep\", \"600\"]\nstartup_time_limit = \"1s\""),
            "slow": Self.named("slow", "command = [\"$BIN/EchoWorker\"]\nstartup_time_limit = \"20s\""),
        ]
        try withDaemon(sites: sites) { daemon in
            let response = try daemon.request("/", host: "deaf.example")
            #expect(response.status == 502)
            #expect(response.text.contains("502.5"))
            _ = try Deadline().look("the late worker is gone") { daemon.workers.isEmpty ? true : nil }
            #expect(try daemon.request("/", host: "slow.example").status == 200)
        }
    }

    @Test("while a worker starts its pool's queue fills, and over its length the answer is 503 QueueFull")
    func queueFull() throws {
        let script = """
            import http.server, os
            open(os.environ["GO"]).read()
            class Handler(http.server.BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"
                def do_GET(self):
                    self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
                def log_message(self, *arguments): pass
            http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
            """
        let site = Self.site(
            "environment = { GO = \"$FOLDER/go\" }", pool: "queue_length = 10",
            command: "\"python3\", \"$FOLDER/server.py\"")
        let daemon = try Daemon(sites: ["app": site], files: ["server.py": script])
        // The worker starts when something is written here.
        let go = try Pipe(at: daemon.folder.path + "/go")
        try daemon.waitUntilReady()
        let waiting = try (0..<10).map { _ in
            let client = try daemon.connect()
            try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            return client
        }
        // Which of the eleven is over the limit is not said: the loops take them in any order.
        let last = try daemon.connect()
        try last.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        try daemon.waitForErrorLog("QueueFull") { $0.hasSuffix(" 503 1 QueueFull app") }
        try go.open("go")
        let statuses = try (waiting + [last]).map { try $0.receiveResponse().status }
        #expect(statuses.filter { $0 == 200 }.count == 10)
        #expect(statuses.filter { $0 == 503 }.count == 1)
        #expect(try daemon.stop() == .status(0))
    }

    @Test("what it prints is kept line by line with its name and pid, a last line without an end too")
    func output() throws {
        let script = """
            import os, sys
            print("out of", os.getpid(), flush=True)
            print("é" * 10, file=sys.stderr, flush=True)
            sys.stdout.write("no end of line")
            sys.stdout.flush()
            os.execv(sys.argv[1], [sys.argv[1]])
            """
        try withDaemon(
            sites: ["app": Self.site(command: "\"python3\", \"$FOLDER/first.py\", \"$BIN/EchoWorker\"")],
            files: ["first.py": script]
        ) { daemon in
            let pid = try daemon.request("/pid").text.dropLast()
            try daemon.process.output.wait(containing: "app[\(pid)]: out of \(pid)")
            try daemon.process.output.wait(containing: "app[\(pid)]: éééééééééé")
            _ = try daemon.request("POST", "/crash", content: [])
            try daemon.process.output.wait(containing: "app[\(pid)]: no end of line")
        }
    }

    @Test("a worker that prints megabytes is not held up, and the daemon keeps a bounded part of it")
    func flood() throws {
        let script = """
            import os, sys
            for n in range(40000): sys.stdout.write("%06d " % n + "x" * 200 + "\\n")
            sys.stdout.flush()
            os.execv(sys.argv[1], [sys.argv[1]])
            """
        try withDaemon(
            sites: ["app": Self.site(command: "\"python3\", \"$FOLDER/first.py\", \"$BIN/EchoWorker\"")],
            files: ["first.py": script]
        ) { daemon in
            let before = ProcessTable.memory(of: daemon.process.pid)
            let response = try daemon.request("/pid")
            #expect(response.status == 200)
            let grown = ProcessTable.memory(of: daemon.process.pid) - before
            // The address sanitizer holds back what was freed, which each line was.
            #expect(Build.isSanitized || grown < 8 << 20, "\(grown) octets")
        }
    }

    @Test("it learns all that the ASP.NET Core Module tells, and is forwarded the client's address")
    func environment() throws {
        let site = """
            [site]
            bindings = ["http://*:$PORT/"]
            [[application]]
            hosting = "static"
            root = "$FOLDER"
            [[application]]
            path = "/shop"
            hosting = "out-of-process"
            root = "$FOLDER/shop"
            command = ["$BIN/EchoWorker"]
            environment = { MINE = "yes" }
            """
        try withDaemon(sites: ["app": site], files: ["shop/x": ""]) { daemon in
            let lines = Set(try daemon.request("/shop/environment").text.split(separator: "\n"))
            let variables = Dictionary(
                lines.compactMap { line in
                    line.firstIndex(of: "=").map { (line[..<$0], line[line.index(after: $0)...]) }
                },
                uniquingKeysWith: { first, _ in first })
            #expect(variables["MINE"] == "yes")
            #expect(variables["ASPNETCORE_APPL_PATH"] == "/shop")
            #expect(variables["ASPNETCORE_PORT"] != nil)
            #expect(variables["PORT"] == variables["ASPNETCORE_PORT"])
            #expect(variables["ASPNETCORE_TOKEN"] != nil)
            // What belongs to the daemon is not inherited.
            for name in ["NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID"] {
                #expect(variables[Substring(name)] == nil, "\(name)")
            }
            let client = try daemon.connect()
            let seen = try client.request(
                "/shop/x?y", fields: ["MS-ASPNETCORE-TOKEN: forged", "X-Forwarded-For: 203.0.113.9"]
            ).text
            #expect(seen.hasPrefix("GET /shop/x?y HTTP/1.1\n"))
            #expect(!seen.contains("forged"))
            #expect(seen.contains("X-Forwarded-For: 203.0.113.9, 127.0.0.1:\(client.localPort)\n"), "\(seen)")
            #expect(seen.contains("X-Forwarded-Proto: http\n"))
        }
    }

    @Test("it listens where its site says: a port, a Unix socket, a descriptor it inherits")
    func endpoints() throws {
        var sites: [String: String] = [:]
        for endpoint in ["port", "unix", "inherited"] {
            sites[endpoint] = Self.named(endpoint, "command = [\"$BIN/EchoWorker\"]\nendpoint = \"\(endpoint)\"")
        }
        try withDaemon(sites: sites) { daemon in
            for endpoint in ["port", "unix", "inherited"] {
                let response = try daemon.request("/x", host: "\(endpoint).example")
                #expect(response.status == 200, "\(endpoint): \(response.text)")
            }
        }
    }

    @Test("one that somebody else runs is forwarded to, answered 502.3 while it is away, and never stopped")
    func external() throws {
        let port = try FreePort.take()
        let folder = try TemporaryFolder()
        let sites = [
            "tcp": "[site]\nbindings = [\"http://tcp.example:$PORT/\"]\n[[application]]\nhosting = \"out-of-process\"\n"
                + "address = \"127.0.0.1:\(port)\"",
            "unix":
                "[site]\nbindings = [\"http://unix.example:$PORT/\"]\n[[application]]\nhosting = \"out-of-process\"\n"
                + "address = \"unix:\(folder.path)/worker.sock\"",
        ]
        try withDaemon(sites: sites) { daemon in
            let away = try daemon.request("/", host: "tcp.example")
            #expect(away.status == 502)
            #expect(away.text.contains("502.3"))
            let worker = try ChildProcess([Build.path("EchoWorker")], environment: ["PORT": "\(port)"])
            try daemon.eventually("/pid", host: "tcp.example", "the worker answers") { $0.text == "\(worker.pid)\n" }
            #expect(daemon.workers == [])
            #expect(worker.isRunning)
            #expect(try daemon.request("/", host: "unix.example").status == 502)
        }
    }

    @Test("an upgraded connection is a tunnel in both directions")
    func upgrade() throws {
        try withDaemon(sites: ["app": Self.site()]) { daemon in
            let client = try daemon.connect()
            try client.send(
                "GET /upgrade HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            let head = try client.receiveHead()
            #expect(head.status == 101)
            #expect(head["upgrade"]?.lowercased() == "websocket")
            for size in [1, 1000, 300_000] {
                let octets = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                let sending = try Threads.run { try client.send(octets) }
                #expect(try client.receive(count: size) == octets)
                try sending.value()
            }
            client.endSending()
            #expect(try client.receiveAll() == [])
        }
    }
}
