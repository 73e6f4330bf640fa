import TestSupport
import Testing

/// Workers that die while clients ask.
@Suite("Workers that die under load", .serialized)
struct WorkerDeathTests {
    private static let node = """
        const http = require("http");
        http.createServer((request, response) => response.end(process.pid + "\\n")).listen(process.env.PORT, "127.0.0.1");
        """
    /// Crashes are what these tests are made of.
    private static let unprotected = "rapid_fail = { enabled = false }"

    private static func site(_ program: String, endpoint: String) -> String {
        WorkerTests.site(
            "endpoint = \"\(endpoint)\"\nrapid_fails_per_minute = 100", pool: unprotected,
            command: program == "node" ? "\"node\", \"$FOLDER/server.js\"" : "\"$BIN/EchoWorker\"")
    }

    @Test(
        "a worker that is killed costs no request, however many ask at the time",
        arguments: [("EchoWorker", "port"), ("EchoWorker", "unix"), ("EchoWorker", "inherited"), ("node", "port")])
    func killed(program: String, endpoint: String) throws {
        guard program != "node" || Files.program("node") != nil else { return }
        try withDaemon(
            sites: ["app": Self.site(program, endpoint: endpoint)], files: ["server.js": Self.node]
        ) { daemon in
            _ = try daemon.request("/pid")
            let load = Load(port: daemon.port)
            let running = try load.start(4, target: "/pid")
            let probe = try daemon.connect()
            var pids: [Int32] = []
            for _ in 0..<3 {
                // A request that loses two workers is answered 502.3: none of these is to meet the next one's death.
                try load.waitForRound(of: 4)
                let pid = try #require(Int32(try probe.request("/pid").text.dropLast()))
                #expect(!pids.contains(pid))
                pids.append(pid)
                try daemon.kill(worker: pid)
            }
            load.end()
            for thread in running { #expect(try thread.value() > 0) }
            #expect(try !pids.contains(Int32(probe.request("/pid").text.dropLast()) ?? 0))
        }
    }

    @Test("an upload that was begun is not sent to a second worker, and the client is told")
    func upload() throws {
        let script = """
            import os, socket
            s = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
            with open(os.environ["LOG"], "a") as log:
                while True:
                    c, _ = s.accept()
                    head = b""
                    while b"half" not in head:
                        piece = c.recv(65536)
                        if not piece: break
                        head += piece
                    log.write(head.split(b" ")[0].decode() + "\\n")
                    log.flush()
                    os.kill(os.getpid(), 9)
            """
        let site = WorkerTests.site(
            "environment = { LOG = \"$FOLDER/requests\" }", command: "\"python3\", \"$FOLDER/server.py\"")
        try withDaemon(sites: ["app": site], files: ["server.py": script]) { daemon in
            for method in ["POST", "PUT"] {
                let seen = daemon.process.output.all.count
                let client = try daemon.connect()
                try client.send("\(method) / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhalf")
                let response = try client.receiveResponse()
                #expect(response.status == 502)
                #expect(response.text.contains("502.3"))
                // Before that is known, the next upload might be given to what is left of this worker.
                try daemon.process.output.wait(containing: "ended unasked with SIGKILL", from: seen)
            }
            #expect(daemon.folder.read("requests") == "POST\nPUT\n")
        }
    }

    @Test("a request that kills whoever gets it kills two, and is answered 502.3")
    func poison() throws {
        try withDaemon(sites: ["app": Self.site("EchoWorker", endpoint: "port")]) { daemon in
            #expect(try daemon.request("/pid").status == 200)
            let response = try daemon.request("/crash")
            #expect(response.status == 502)
            #expect(response.text.contains("502.3"))
            #expect(try daemon.request("/pid").status == 200)
            #expect(daemon.process.output.all.filter { $0.contains("ended unasked with SIGABRT") }.count == 2)
        }
    }
}
