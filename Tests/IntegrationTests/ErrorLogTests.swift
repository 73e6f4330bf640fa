import Glibc
import TestSupport
import Testing

@Suite("The HTTPERR log, front-made answers, reservations")
struct ErrorLogTests {
    private static func site(_ host: String, _ extra: String = "") -> String {
        """
        [site]
        bindings = ["http://\(host):$PORT/"]
        [[application]]
        hosting = "static"
        root = "$FOLDER/www"
        \(extra)
        """
    }

    private static let page = ["www/f.txt": "hello"]

    /// The line about a connection.
    private func line(_ daemon: Daemon, _ port: Int) throws -> String {
        try daemon.waitForErrorLog("line of port \(port)") {
            $0.contains(" 127.0.0.1 \(port) 127.0.0.1 \(daemon.port) ")
        }
    }

    // MARK: Reasons

    /// The table of malformed and refused input, with what HTTP.sys answers and logs.
    private static let refused: [(input: String, status: Int, reason: String)] = [
        ("GE(T /f.txt HTTP/1.1\r\nHost: h\r\n\r\n", 400, "Verb"),
        ("get /f.txt HTTP/1.1\r\nHost: h\r\n\r\n", 400, "Verb"),
        ("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400, "Verb"), ("GET /%0a HTTP/1.1\r\nHost: h\r\n\r\n", 400, "URL"),
        ("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400, "URL"), ("GET /\u{1} HTTP/1.1\r\nHost: h\r\n\r\n", 400, "URL"),
        ("GET /f.txt HTTP/1.1\r\n\r\n", 400, "Hostname"), ("GET /f.txt HTTP/1.1\r\nHost: h/x\r\n\r\n", 400, "Hostname"),
        ("GET /f.txt HTTP/1.1\r\nHost: other\r\n\r\n", 400, "Hostname"),
        ("GET /f.txt HTTP/1.1\r\nHost: h\r\nA(b: c\r\n\r\n", 400, "Header"),
        ("GET /f.txt HTTP/1.1\r\nHost: h\r\nA: b\u{0}c\r\n\r\n", 400, "Header"),
        ("GET /f.txt HTTP/1.1\r\nHost: h\r\nA: \(String(repeating: "x", count: 1100))\r\n\r\n", 400, "FieldLength"),
        (
            "GET /f.txt HTTP/1.1\r\nHost: h\r\n"
                + String(repeating: "A: \(String(repeating: "x", count: 500))\r\n", count: 5)
                + "\r\n", 400, "RequestLength"
        ), ("GET /\(String(repeating: "x", count: 1100)) HTTP/1.1\r\nHost: h\r\n\r\n", 414, "URL_Length"),
        ("GET /f.txt HTTP/1.1\nHost: h\r\n\r\n", 400, "Invalid_CR/LF"),
        ("GET /f.txt HTTP/1.1\r\nHost: h\rA: b\r\n\r\n", 400, "Invalid_CR/LF"),
        ("POST /f.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n\r\n", 400, "Number"),
        ("POST /f.txt HTTP/1.1\r\nHost: h\r\n\r\n", 411, "LengthRequired"),
        ("POST /f.txt HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "N/I"),
        ("GET /f.txt HTTP/2.0\r\nHost: h\r\n\r\n", 505, "Version_N/S"),
        ("GET /f.txt HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", 417, "Precondition"),
        ("GET /f.txt\r\n\r\n", 400, "BadRequest"),
        (
            "POST /f.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
            "BadRequest"
        ),
    ]

    @Test("malformed and refused input has the status and the reason of HTTP.sys, and ends the connection")
    func reasons() throws {
        try withDaemon(
            sites: ["h": Self.site("h")], settings: "[listener]\nmax_field_length = 1024\nmax_request_bytes = 2048",
            files: Self.page
        ) { daemon in
            for (input, status, reason) in Self.refused {
                let client = try daemon.connect()
                try client.send(input)
                let response = try client.receiveResponse()
                #expect(response.status == status, "\(input.prefix(80))")
                #expect(response["content-type"] == "text/html; charset=us-ascii")
                #expect(response["connection"] == "close")
                #expect(try client.isEndedByPeer())
                let line = try line(daemon, client.localPort)
                #expect(line.hasSuffix(" \(status) - \(reason) -"), "\(line)")
            }
            let version = try #require(daemon.errorLog.first { $0.hasSuffix(" Version_N/S -") })
            #expect(version.hasSuffix(" HTTP/2.0 GET /f.txt 505 - Version_N/S -"))
        }
    }

    @Test("a client that leaves is in the log: while its request is queued, and before it has all of its answer")
    func drops() throws {
        let worker = """
            [[application]]
            path = "/asleep"
            hosting = "out-of-process"
            root = "$FOLDER"
            command = ["$BIN/EchoWorker", "--never-listen"]
            """
        try withDaemon(sites: ["h": Self.site("h", worker)], files: Self.page) { daemon in
            try daemon.folder.writeSparse("www/huge.txt", size: 1 << 30)
            let queued = try daemon.connect()
            try queued.send("GET /asleep/x HTTP/1.1\r\nHost: h\r\n\r\n")
            _ = try Deadline().look("a worker") { daemon.workers.first }
            let queuedPort = queued.localPort
            queued.reset()
            #expect(try line(daemon, queuedPort).hasSuffix(" GET /asleep/x - 1 Client_Reset h/asleep"))
            let reading = try daemon.connect(receiveBuffer: 8192)
            try reading.send("GET /huge.txt HTTP/1.1\r\nHost: h\r\n\r\n")
            _ = try reading.receiveHead()
            let readingPort = reading.localPort
            reading.reset()
            #expect(try line(daemon, readingPort).hasSuffix(" GET /huge.txt 200 1 Connection_Dropped h"))
            // Whoever has all of its answer leaves without a word.
            let done = try daemon.connect()
            #expect(try done.request("/f.txt", host: "h").status == 200)
            let donePort = done.localPort
            done.reset()
            let last = try daemon.connect()
            try last.send("x\r\n\r\n")
            _ = try last.receiveHead()
            _ = try line(daemon, last.localPort)
            #expect(!daemon.errorLog.contains { $0.contains(" 127.0.0.1 \(donePort) ") })
        }
    }

    @Test("a 503 tells nothing, little or why, as its pool wants")
    func verbosity() throws {
        let sites = ["basic", "limited", "full"].map { word in
            (word, Self.site(word, "[pool.\(word)]\nauto_start = false\nunavailable_verbosity = \"\(word)\""))
        }
        try withDaemon(sites: Dictionary(uniqueKeysWithValues: sites), files: Self.page) { daemon in
            for (word, statusLine) in [
                ("limited", "HTTP/1.1 503 Service Unavailable"),
                ("full", "HTTP/1.1 503 Application Taken Offline By Administrator"),
            ] {
                let client = try daemon.connect()
                try client.send("GET /f.txt HTTP/1.1\r\nHost: \(word)\r\n\r\n")
                #expect(try client.receiveLine() == statusLine)
                #expect(try line(daemon, client.localPort).contains(" GET /f.txt 503 "))
            }
            let client = try daemon.connect()
            try client.send("GET /f.txt HTTP/1.1\r\nHost: basic\r\n\r\n")
            #expect(try client.receiveAll() == [])
            let line = try line(daemon, client.localPort)
            #expect(line.contains(" GET /f.txt - ") && line.hasSuffix(" Disabled basic"), "\(line)")
        }
    }

    // MARK: Fields and files

    @Test("the log has the fields that berth.toml names, and others after a reload, below a header of their own")
    func fields() throws {
        let fields =
            "[httperr]\nfields = [\"s-reason\", \"cs-host\", \"cs(User-Agent)\", \"cs(Referer)\", \"sc-bytes\", \"cs-bytes\"]"
        try withDaemon(
            sites: ["h": Self.site("h").replacing("$PORT/", with: "$PORT/app/")], settings: fields, files: Self.page
        ) { daemon in
            #expect(
                daemon.folder.read("log/HTTPERR/httperr1.log")?.contains(
                    "#Fields: s-reason cs-host cs(User-Agent) cs(Referer) sc-bytes cs-bytes\n") == true)
            let client = try daemon.connect()
            let request = "GET /x HTTP/1.1\r\nHost: h\r\nUser-Agent: a b\r\n\r\n"
            try client.send(request)
            let received = try client.receiveAll().count
            let line = try daemon.waitForErrorLog("a line") { $0.hasPrefix("NotFound ") }
            #expect(line == "NotFound h a+b - \(received) \(request.utf8.count)")
            try daemon.write(settings: "[timeouts]\nshutdown_drain = \"1s\"\n[httperr]\nfields = [\"cs-method\"]")
            try daemon.reload()
            try daemon.eventually("/y", host: "h", "not found") { $0.status == 404 }
            try daemon.waitForErrorLog("a line with other fields") { $0 == "GET NotFound" }
            #expect(daemon.folder.read("log/HTTPERR/httperr1.log")?.contains("#Fields: cs-method s-reason\n") == true)
        }
    }

    @Test("the log moves to another folder and another rollover with a reload")
    func moving() throws {
        try withDaemon(sites: ["h": Self.site("h").replacing("$PORT/", with: "$PORT/app/")], files: Self.page) {
            daemon in
            try daemon.folder.make("other")
            try daemon.write(
                settings:
                    "[timeouts]\nshutdown_drain = \"1s\"\n[httperr]\ndirectory = \"$FOLDER/other\"\nrollover = \"monthly\""
            )
            try daemon.reload()
            _ = try Deadline().look("a line in the other folder") {
                let response = try daemon.request("/x", host: "h")
                #expect(response.status == 404)
                return Files.names(in: daemon.folder.path + "/other").first { name in
                    name.hasPrefix("ht") && daemon.folder.read("other/" + name)?.contains(" NotFound ") == true
                }
            }
        }
    }

    // MARK: Switches

    @Test("the Server field is on every answer, not on the listener's own, or on none", arguments: [0, 1, 2])
    func serverField(_ policy: Int) throws {
        try withDaemon(
            sites: ["h": Self.site("h")], settings: "[listener]\ndisable_server_header = \(policy)", files: Self.page
        ) { daemon in
            #expect(try daemon.request("/f.txt", host: "h")["server"] == (policy == 2 ? nil : "Berth"))
            let own = try daemon.request("/f.txt", host: "other")
            #expect(own.status == 400)
            #expect(own["server"] == (policy == 0 ? "Berth" : nil))
        }
    }

    @Test("the length of a segment and escaped control characters are the administrator's to decide")
    func cooking() throws {
        let (fits, tooLong) = ("/" + String(repeating: "x", count: 20), "/" + String(repeating: "x", count: 21))
        try withDaemon(sites: ["h": Self.site("h")], files: Self.page) { daemon in
            let client = try daemon.connect()
            #expect(try client.request(tooLong, host: "h").status == 404)
            #expect(try client.request("/%01", host: "h").status == 400)
        }
        try withDaemon(
            sites: ["h": Self.site("h")],
            settings: "[listener]\nmax_url_segment_length = 20\nallow_restricted_characters = true", files: Self.page
        ) { daemon in
            let client = try daemon.connect()
            #expect(try client.request(fits, host: "h").status == 404)
            #expect(try daemon.request(tooLong, host: "h").status == 400)
            #expect(try daemon.request("/%01%7f", host: "h").status == 404)
            for target in ["/%00", "/%0a", "/%0d"] { #expect(try daemon.request(target, host: "h").status == 400) }
        }
    }

    // MARK: Reservations

    @Test("a reserved prefix is 503 N/A while no site has it, and only a site that is named may have it")
    func reservation() throws {
        let settings = "[[reservation]]\nurl = \"http://adatum.example:$PORT/\"\nsites = [\"adatum\"]"
        try withDaemon(
            sites: ["weak": Self.site("*", "").replacing("$PORT/", with: "$PORT/vroot/")], settings: settings,
            files: ["www/vroot/f.txt": "weak", "www/f.txt": "own"]
        ) { daemon in
            let client = try daemon.connect()
            try client.send("GET /vroot/f.txt HTTP/1.1\r\nHost: adatum.example\r\n\r\n")
            #expect(try client.receiveHead().status == 503)
            #expect(try line(daemon, client.localPort).hasSuffix(" HTTP/1.1 GET /vroot/f.txt 503 - N/A -"))
            #expect(try daemon.request("/vroot/f.txt", host: "other.example").text == "weak")
            try daemon.write(site: "intruder", Self.site("adatum.example"))
            let seen = daemon.process.output.all.count
            try daemon.reload()
            try daemon.process.output.wait(
                containing: "is reserved for \"adatum\" at \(daemon.folder.path)/berth.toml:", from: seen)
            #expect(try daemon.request("/vroot/f.txt", host: "adatum.example").status == 503)
            try daemon.write(site: "adatum", Self.site("adatum.example"))
            try daemon.reload()
            try daemon.eventually("/f.txt", host: "adatum.example", "its own site answers") { $0.text == "own" }
        }
    }

    @Test("nobody answers for a host whose site is broken, and a wildcard of a broken file costs nobody else")
    func broken() throws {
        try withDaemon(
            sites: [
                "weak": Self.site("*"), "shop": Self.site("shop.example", "nonsense = 1"),
                "strong": Self.site("+", "nonsense = 1"),
            ], files: Self.page
        ) { daemon in
            #expect(try daemon.request("/f.txt", host: "shop.example").status == 503)
            #expect(try daemon.request("/f.txt", host: "other.example").status == 200)
            try daemon.write(site: "shop", Self.site("shop.example"))
            try daemon.reload()
            try daemon.eventually("/f.txt", host: "shop.example", "the repaired site answers") { $0.status == 200 }
        }
    }
}
