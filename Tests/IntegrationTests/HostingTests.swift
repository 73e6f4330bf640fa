import TestSupport
import Testing

@Suite("Files, modules and workers behind one port")
struct HostingTests {
    private static let site = """
        [site]
        bindings = ["http://*:$PORT/"]
        [[application]]
        hosting = "static"
        root = "$FOLDER/www"
        [[application]]
        path = "/hello"
        hosting = "in-process"
        isolation = "none"
        module = "$BIN/libHelloModule.so"
        [[application]]
        path = "/echo"
        hosting = "in-process"
        isolation = "none"
        module = "$BIN/libEchoModule.so"
        [[application]]
        path = "/worker"
        hosting = "out-of-process"
        root = "$FOLDER"
        command = ["$BIN/EchoWorker"]
        """

    @Test("one site answers from a folder, a Swift module, a C module and a worker, by path")
    func byPath() throws {
        try withDaemon(sites: ["all": Self.site], files: ["www/index.html": "<p>front", "www/a.txt": "A"]) { daemon in
            let client = try daemon.connect()
            let page = try client.request("/")
            #expect(page.status == 200)
            #expect(page.text == "<p>front")
            #expect(page["content-type"] == "text/html")
            let file = try client.request("/a.txt")
            #expect(file.text == "A")
            #expect(file["content-type"] == "text/plain")
            #expect(try client.request("/hello").text == "Hello, World!")
            #expect(try client.request("/hello/deep/down").text == "Hello, World!")
            let echo = try client.request("POST", "/echo/x?y=1", content: Array("content".utf8))
            #expect(echo.text == "content")
            #expect(echo["x-method"] == "POST")
            #expect(echo["x-target"] == "/echo/x?y=1")
            let worker = try client.request("/worker/some?q=1")
            #expect(worker.status == 200)
            #expect(worker.text.hasPrefix("GET /worker/some?q=1 HTTP/1.1\n"))
            #expect(try client.request("/worker/echo", content: Array("to the worker".utf8)).text == "to the worker")
            // A whole segment, not a beginning of one.
            #expect(try client.request("/hellos").status == 404)
        }
    }

    @Test("a file that was replaced is let go when nobody reads it any more")
    func replacedFiles() throws {
        func content(_ number: Int) -> [UInt8] { [UInt8](repeating: UInt8(number), count: 262_144) }
        let site =
            "[site]\nbindings = [\"http://*:$PORT/\"]\n[[application]]\nhosting = \"static\"\nroot = \"$FOLDER/www\"\n"
        try withDaemon(sites: ["files": site], settings: "loops = 1\n", files: ["www/index.html": "front"]) { daemon in
            let client = try daemon.connect()
            for number in 1...10 {
                try daemon.folder.write("www/large.bin", content(number))
                _ = try Deadline().look("file \(number)") {
                    try client.request("/large.bin").content == content(number) ? true : nil
                }
            }
            // The next look of the cache closes the last of them.
            try daemon.folder.write("www/large.bin", content(11))
            _ = try Deadline().look("no descriptor of a file that is gone") {
                _ = try client.request("/large.bin")
                return ProcessTable.openFiles(of: daemon.process.pid).contains { $0.hasSuffix("(deleted)") }
                    ? nil : true
            }
        }
    }

    @Test("each answer carries Date and Server, and no answer says which version of Berth it is")
    func fields() throws {
        try withDaemon(sites: ["all": Self.site], files: ["www/index.html": "front"]) { daemon in
            for target in ["/", "/hello", "/worker", "/missing.html"] {
                let response = try daemon.request(target)
                #expect(response["date"]?.hasSuffix(" GMT") == true, "\(target)")
                // A worker says itself what it is, or leaves it out.
                #expect(response["server"] == (target == "/worker" ? nil : "Berth"), "\(target)")
            }
        }
    }

    @Test("sites share a port and are told apart by their host")
    func byHost() throws {
        func site(_ host: String, _ rest: String) -> String {
            "[site]\nbindings = [\"http://\(host):$PORT/\"]\n[[application]]\n" + rest
        }
        let sites = [
            "files": site("files.example", "hosting = \"static\"\nroot = \"$FOLDER/www\""),
            "swift": site(
                "swift.example", "hosting = \"in-process\"\nisolation = \"none\"\nmodule = \"$BIN/libHelloModule.so\""),
            "c": site(
                "c.example", "hosting = \"in-process\"\nisolation = \"none\"\nmodule = \"$BIN/libEchoModule.so\""),
            "worker": site(
                "*.worker.example", "hosting = \"out-of-process\"\nroot = \"/\"\ncommand = [\"$BIN/EchoWorker\"]"),
        ]
        try withDaemon(sites: sites, files: ["www/index.html": "files"]) { daemon in
            let client = try daemon.connect()
            #expect(try client.request("/", host: "files.example").text == "files")
            #expect(try client.request("/", host: "SWIFT.example").text == "Hello, World!")
            #expect(try client.request("/", host: "c.example:1").text == "ok\n")
            #expect(try client.request("/", host: "a.b.worker.example").text.hasPrefix("GET / HTTP/1.1"))
            #expect(try client.request("/", host: "worker.example").status == 400)
        }
    }

    @Test("a Node server is started, told its port, and forwarded to", .enabled(if: Files.program("node") != nil))
    func node() throws {
        let script = """
            require("http").createServer((request, response) => {
                response.setHeader("X-Port", process.env.PORT);
                response.end(`node ${request.method} ${request.url}`);
            }).listen(process.env.PORT, "127.0.0.1");
            """
        let site = """
            [site]
            bindings = ["http://*:$PORT/"]
            [[application]]
            hosting = "out-of-process"
            root = "$FOLDER/node"
            command = ["node", "server.js"]
            """
        try withDaemon(sites: ["node": site], files: ["node/server.js": script]) { daemon in
            let response = try daemon.request("/path?query")
            #expect(response.status == 200)
            #expect(response.text == "node GET /path?query")
            #expect(response["x-port"] != nil)
        }
    }

    @Test("a Python server that knows only HTTP/1.0 is hosted", .enabled(if: Files.program("python3") != nil))
    func python() throws {
        let script = """
            import http.server, os
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    body = ("python " + self.path).encode()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                def log_message(self, *arguments): print("served", self.path, flush=True)
            http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
            """
        let site = """
            [site]
            bindings = ["http://*:$PORT/"]
            [[application]]
            hosting = "out-of-process"
            root = "$FOLDER/python"
            command = ["python3", "server.py"]
            """
        try withDaemon(sites: ["python": site], files: ["python/server.py": script]) { daemon in
            let client = try daemon.connect()
            #expect(try client.request("/one").text == "python /one")
            // The worker closes after each answer; the client's connection stays.
            #expect(try client.request("/two").text == "python /two")
            try daemon.process.output.wait(containing: "served /two")
        }
    }

    @Test("a site of its own Unix socket answers every host there")
    func unixSocket() throws {
        let site = """
            [site]
            bindings = ["http+unix:$FOLDER/site.sock:/"]
            [[application]]
            hosting = "in-process"
            isolation = "none"
            module = "$BIN/libHelloModule.so"
            """
        try withDaemon(sites: ["unix": site]) { daemon in
            let client = try Client(unixSocket: daemon.folder.path + "/site.sock")
            #expect(try client.request("/", host: "any.example").text == "Hello, World!")
        }
    }
}
