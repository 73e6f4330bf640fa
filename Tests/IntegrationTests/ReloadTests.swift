import TestSupport
import Testing

@Suite("Reloading the configuration")
struct ReloadTests {
    private static func hello(_ host: String) -> String {
        """
        [site]
        bindings = ["http://\(host):$PORT/"]
        [[application]]
        hosting = "in-process"
        isolation = "none"
        module = "$BIN/libHelloModule.so"
        """
    }

    private static func files(_ host: String, _ root: String) -> String {
        """
        [site]
        bindings = ["http://\(host):$PORT/"]
        [[application]]
        hosting = "static"
        root = "$FOLDER/\(root)"
        """
    }

    @Test("twenty reloads under load fail no request, in process and out of process, and keep the worker")
    func underLoad() throws {
        let worker = """
            [site]
            bindings = ["http://worker.example:$PORT/"]
            [[application]]
            hosting = "out-of-process"
            root = "$FOLDER"
            command = ["$BIN/EchoWorker"]
            """
        try withDaemon(
            sites: ["hello": Self.hello("hello.example"), "worker": worker],
            files: ["a/index.html": "A", "b/index.html": "B"]
        ) { daemon in
            let pid = try daemon.request("/pid", host: "worker.example").text
            let load = Load(port: daemon.port)
            let running = try (0..<4).map { number in
                try Threads.run {
                    try load.run(host: number % 2 == 0 ? "hello.example" : "worker.example", target: "/pid")
                }
            }
            for number in 0..<20 {
                try daemon.write(site: "changing", Self.files("changing.example", number % 2 == 0 ? "a" : "b"))
                try daemon.reload()
                try daemon.eventually("/", host: "changing.example", "generation \(number) is in force") {
                    $0.text == (number % 2 == 0 ? "A" : "B")
                }
            }
            load.end()
            let counts = try running.map { try $0.value() }
            #expect(counts.allSatisfy { $0 > 0 } && counts.reduce(0, +) > 50, "\(counts)")
            #expect(try daemon.request("/pid", host: "worker.example").text == pid)
        }
    }

    @Test("a site is added, changed and removed")
    func addChangeRemove() throws {
        try withDaemon(sites: [:], files: ["a/index.html": "A", "b/index.html": "B"]) { daemon in
            try daemon.write(site: "new", Self.files("*", "a"))
            try daemon.reload()
            try daemon.eventually("/", "the new site answers") { $0.text == "A" }
            try daemon.write(site: "new", Self.files("*", "b"))
            try daemon.reload()
            try daemon.eventually("/", "the changed site answers") { $0.text == "B" }
            try daemon.write(site: "other", Self.files("other.example", "a"))
            try daemon.folder.remove("sites.d/new.toml")
            try daemon.reload()
            try daemon.eventually("/", "the removed site is gone") { $0.status == 400 }
            try daemon.eventually("/", host: "other.example", "the other new site answers") { $0.text == "A" }
        }
    }

    @Test("the port of a site that moves is closed, the new one opened")
    func movedPort() throws {
        let second = try FreePort.take()
        try withDaemon(sites: ["hello": Self.hello("*")]) { daemon in
            #expect(try daemon.request("/").status == 200)
            try daemon.write(
                site: "hello",
                Self.hello("*").split(separator: "$PORT", omittingEmptySubsequences: false).joined(
                    separator: "\(second)"))
            try daemon.reload()
            let moved = try Deadline().look("the new port is open") { try? Client(port: second) }
            #expect(try moved.request("/").text == "Hello, World!")
            _ = try Deadline().look("the old port is closed") { (try? daemon.connect()) == nil ? true : nil }
        }
    }

    @Test("a broken file is told with line and column, keeps its last good version, and leaves the others alone")
    func broken() throws {
        let sites = ["good": Self.files("good.example", "a"), "bad": Self.files("bad.example", "a")]
        try withDaemon(sites: sites, files: ["a/index.html": "A", "b/index.html": "B"]) { daemon in
            try daemon.write(site: "good", Self.files("good.example", "b"))
            try daemon.write(
                site: "bad",
                "[site]\nbindings = [\"http://bad.example:$PORT/\"]\nautostart = true\n[[application]]\nhosting = \"statik\"\n"
            )
            let seen = daemon.process.output.all.count
            try daemon.reload()
            let lines = daemon.process.output
            let file = "\(daemon.folder.path)/sites.d/bad.toml"
            try lines.wait(containing: "\(file):3:1: error: unknown key", from: seen)
            try lines.wait(containing: "\(file):5:11: error:", from: seen)
            try lines.wait(containing: "site bad has errors, its last good configuration keeps serving", from: seen)
            try daemon.eventually("/", host: "good.example", "the good site takes its change") { $0.text == "B" }
            #expect(try daemon.request("/", host: "bad.example").text == "A")
            try daemon.write(site: "bad", Self.files("bad.example", "b"))
            try daemon.reload()
            try daemon.eventually("/", host: "bad.example", "the repaired site takes its change") { $0.text == "B" }
        }
    }

    @Test("a file that is broken from the start costs only its own site")
    func brokenAtStart() throws {
        try withDaemon(sites: ["good": Self.files("good.example", "a"), "bad": "[site"], files: ["a/index.html": "A"]) {
            daemon in
            #expect(try daemon.request("/", host: "good.example").text == "A")
            #expect(try daemon.request("/", host: "bad.example").status == 400)
            try daemon.process.output.wait(containing: "sites.d/bad.toml:1:")
        }
    }

    @Test("two sites that claim one binding: the one that was there stays, and the error names both")
    func conflict() throws {
        try withDaemon(
            sites: ["z": Self.files("same.example", "a")], files: ["a/index.html": "A", "b/index.html": "B"]
        ) { daemon in
            try daemon.write(site: "a", Self.files("same.example", "b"))
            let seen = daemon.process.output.all.count
            try daemon.reload()
            let line = try daemon.process.output.wait(containing: "sites.d/a.toml:2:", from: seen)
            #expect(line.contains("sites.d/z.toml:2"), "\(line)")
            #expect(try daemon.request("/", host: "same.example").text == "A")
        }
    }

    @Test("a request in flight ends in the generation it began in")
    func inFlight() throws {
        func fixture(_ host: String) -> String {
            """
            [site]
            bindings = ["http://\(host):$PORT/"]
            [[application]]
            hosting = "in-process"
            isolation = "none"
            module = "$BIN/libFixtureModule.so"
            """
        }
        // The second one stays, to let go what the first one holds.
        let sites = ["site": fixture("*"), "staying": fixture("staying.example")]
        try withDaemon(sites: sites, files: ["a/index.html": "A"]) { daemon in
            let client = try daemon.connect()
            #expect(try client.request("/plain").text == "fixture")
            try client.send("GET /held HTTP/1.1\r\nHost: h\r\n\r\n")
            try daemon.eventually("/waiting", "the request runs") { $0.text == "1" }
            let stream = try daemon.connect(receiveBuffer: 65_536)
            try stream.send("GET /stream?n=20 HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try stream.receiveHead().status == 200)
            try daemon.write(site: "site", Self.files("*", "a"))
            try daemon.reload()
            try daemon.eventually("/", "the new generation answers") { $0.text == "A" }
            #expect(!client.hasInput(within: 0))
            #expect(try daemon.request("/release", host: "staying.example").text == "released")
            #expect(try client.receiveResponse().text == "4711")
            // The next request of the same connection is in the new one.
            #expect(try client.request("/").text == "A")
        }
    }
}
