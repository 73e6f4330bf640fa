import TestSupport
import Testing

@Suite("No worker outlives the daemon")
struct WorkerEndTests {
    /// Starts a child in a session of its own, tells its pid, and becomes the worker.
    private static let leaves = """
        import os, subprocess, sys
        child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        with open(sys.argv[2] + "~", "w") as f: f.write(str(child.pid))
        os.rename(sys.argv[2] + "~", sys.argv[2])
        os.execv(sys.argv[1], [sys.argv[1]])
        """

    private static let site = WorkerTests.site(
        command: "\"python3\", \"$FOLDER/leaves.py\", \"$BIN/EchoWorker\", \"$FOLDER/child\"")

    @Test("a stop ends the worker and what it started, in sessions of their own as well")
    func stop() throws {
        let daemon = try Daemon.started(sites: ["app": Self.site], files: ["leaves.py": Self.leaves])
        let worker = try #require(Int32(try daemon.request("/pid").text.dropLast()))
        let child = try #require(daemon.folder.read("child").flatMap { Int32($0) })
        #expect(ProcessTable.isRunning(worker))
        #expect(ProcessTable.isRunning(child))
        #expect(try daemon.stop() == .status(0))
        #expect(!ProcessTable.isRunning(worker))
        #expect(!ProcessTable.isRunning(child))
    }

    @Test("a worker that ignores every kind word is killed when its time is up")
    func stubborn() throws {
        let site = WorkerTests.site(
            "shutdown_time_limit = \"1s\"", command: "\"python3\", \"$FOLDER/stubborn.py\"")
        let script = """
            import http.server, os, signal
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    body = str(os.getpid()).encode()
                    self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
                    self.wfile.write(body)
                def log_message(self, *arguments): pass
            http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
            """
        let daemon = try Daemon.started(sites: ["app": site], files: ["stubborn.py": script])
        let worker = try #require(Int32(try daemon.request("/").text))
        #expect(try daemon.stop() == .status(0))
        #expect(!ProcessTable.isRunning(worker))
    }

    @Test("when the daemon is killed its workers die with it")
    func killed() throws {
        let daemon = try Daemon.started(sites: ["app": WorkerTests.site()])
        let worker = try #require(Int32(try daemon.request("/pid").text.dropLast()))
        daemon.process.signal(9)
        #expect(try daemon.process.wait() == .signal(9))
        _ = try Deadline().look("the worker dies") { ProcessTable.isRunning(worker) ? nil : true }
    }

    @Test("a site that is removed takes its worker along, the others keep theirs")
    func removed() throws {
        let other = """
            [site]
            bindings = ["http://other.example:$PORT/"]
            [[application]]
            hosting = "out-of-process"
            root = "$FOLDER"
            command = ["$BIN/EchoWorker"]
            """
        try withDaemon(sites: ["app": WorkerTests.site(), "other": other]) { daemon in
            let gone = try #require(Int32(try daemon.request("/pid").text.dropLast()))
            let kept = try daemon.request("/pid", host: "other.example").text
            try daemon.folder.remove("sites.d/app.toml")
            try daemon.reload()
            _ = try Deadline().look("its worker ends") { ProcessTable.isRunning(gone) ? nil : true }
            #expect(try daemon.request("/pid", host: "other.example").text == kept)
        }
    }
}
