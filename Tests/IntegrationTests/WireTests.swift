import TestSupport
import Testing

@Suite("HTTP/1.1 on the wire")
struct WireTests {
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
        path = "/fixture"
        hosting = "in-process"
        isolation = "none"
        module = "$BIN/libFixtureModule.so"
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
        [[module]]
        name = "request-filtering"
        max_content_length = "1GiB"
        """

    private func withSite(_ files: [String: String] = [:], _ body: (Daemon) throws -> Void) throws {
        try withDaemon(
            sites: ["app": Self.site], files: files.merging(["www/f.txt": "0123456789"]) { first, _ in first }, body)
    }

    @Test("sixteen requests in one piece are answered in their order, with one write")
    func pipelining() throws {
        try withSite { daemon in
            let client = try daemon.connect()
            _ = try client.request("/hello")
            try client.send(String(repeating: "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n", count: 16))
            // One read of all of it shows that it was sent as one.
            let one = try client.receiveResponse().wireCount
            #expect(client.unread.count == 15 * one)
            for _ in 0..<15 { #expect(try client.receiveResponse().text == "Hello, World!") }
            // Order holds over handlers of different speed.
            let targets = (0..<8).flatMap { ["/echo/\($0)", "/worker/\($0)", "/f.txt", "/fixture/later?n=5"] }
            try client.send(targets.map { "GET \($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
            for target in targets {
                let response = try client.receiveResponse()
                switch target.prefix(4) {
                case "/ech": #expect(response["x-target"] == target)
                case "/wor": #expect(response.text.hasPrefix("GET \(target) "))
                case "/f.t": #expect(response.text == "0123456789")
                default: #expect(response.text == "4711")
                }
            }
        }
    }

    @Test("a response that was made before says the same again, and only where it fits")
    func responsesAgain() throws {
        try withSite { daemon in
            let client = try daemon.connect()
            func answer(_ target: String) throws -> [String] {
                let response = try client.request(target)
                return ["\(response.status)", response.text]
                    + response.fields.filter { $0.name != "Date" }.map { "\($0.name): \($0.value)" }
            }
            let targets = [
                "/hello", "/fixture/plain", "/fixture/crlf", "/fixture/framing", "/fixture/status?n=404",
                "/fixture/twice", "/fixture/fields?n=3", "/fixture/huge?n=600",
            ]
            let first = try targets.map(answer)
            for _ in 0..<2 {
                for (target, expected) in zip(targets, first) { #expect(try answer(target) == expected, "\(target)") }
            }
            #expect(first[0].contains("Content-Length: 13"))
            // The head is known now, and these three must have another one.
            try client.send("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.receiveResponse(isHead: true)["content-length"] == "13")
            try client.send("GET /hello HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n")
            #expect(try client.receiveResponse()["connection"] == "keep-alive")
            try client.send("GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            #expect(try client.receiveResponse()["connection"] == "close")
            #expect(try client.isEndedByPeer())
        }
    }

    @Test(
        "the usual head, which is written in one go, says the same as any other",
        arguments: [0, 7, 10, 99, 100, 4096, 70_000])
    func usualHead(length: Int) throws {
        try withSite(["www/file.txt": String(repeating: "x", count: length)]) { daemon in
            let client = try daemon.connect()
            let usual = try client.request("/file.txt")
            // HEAD, HTTP/1.0 and a connection that ends go the other way.
            try client.send("HEAD /file.txt HTTP/1.1\r\nHost: h\r\n\r\n")
            let bodiless = try client.receiveResponse(isHead: true)
            try client.send("GET /file.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            let last = try client.receiveResponse()
            func fields(_ response: Response) -> [String] {
                response.fields.filter { $0.name != "Date" && $0.name != "Connection" }.map {
                    "\($0.name): \($0.value)"
                }
            }
            #expect(usual.text.utf8.count == length)
            #expect(usual["content-length"] == String(length))
            #expect(usual["date"] != nil && usual["server"] != nil)
            #expect(fields(usual) == fields(bodiless))
            #expect(fields(usual) == fields(last))
        }
    }

    @Test("a request fed octet by octet is answered like one in one piece")
    func octetByOctet() throws {
        try withSite { daemon in
            let client = try daemon.connect()
            for octet in Array("POST /echo/slow HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello".utf8) {
                try client.send([octet])
            }
            #expect(try client.receiveResponse().text == "hello")
        }
    }

    @Test("HTTP/1.0 ends the connection unless it asks to keep it, and is never answered in chunks")
    func http10() throws {
        try withSite { daemon in
            let client = try daemon.connect()
            try client.send("GET /hello HTTP/1.0\r\n\r\n")
            let response = try client.receiveResponse()
            #expect(response.version == "HTTP/1.1")
            #expect(response["connection"]?.lowercased() == "close")
            #expect(try client.isEndedByPeer())
            let kept = try daemon.connect()
            try kept.send("GET /hello HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n")
            #expect(try kept.receiveResponse()["connection"]?.lowercased() == "keep-alive")
            try kept.send("GET /worker/stream?count=3&size=10 HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n")
            let stream = try kept.receiveResponse()
            #expect(stream["transfer-encoding"] == nil)
            #expect(stream.content.count == 30)
        }
    }

    @Test("HEAD has the fields of GET and no content, whoever answers")
    func head() throws {
        try withSite { daemon in
            let client = try daemon.connect()
            for target in ["/hello", "/f.txt", "/worker/x", "/missing.txt"] {
                let get = try client.request(target)
                let head = try client.request("HEAD", target)
                #expect(head.status == get.status, "\(target)")
                #expect(head["content-type"] == get["content-type"], "\(target)")
                if target != "/worker/x" { #expect(head["content-length"] == get["content-length"], "\(target)") }
            }
            #expect(try client.request("/hello").text == "Hello, World!")
        }
    }

    @Test("Connection: close is kept, and lower-case and upper-case options alike")
    func close() throws {
        try withSite { daemon in
            for option in ["close", "Close", "CLOSE"] {
                let client = try daemon.connect()
                let response = try client.request("/hello", fields: ["Connection: \(option)"])
                #expect(response["connection"]?.lowercased() == "close")
                #expect(try client.isEndedByPeer())
            }
        }
    }

    @Test("chunked content goes through to a module and a worker, with extensions and trailers")
    func chunked() throws {
        try withSite { daemon in
            let client = try daemon.connect()
            for target in ["/echo/x", "/worker/echo"] {
                try client.send("POST \(target) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
                try client.send("5;name=\"a;b\"\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Trailer: yes\r\n\r\n")
                #expect(try client.receiveResponse().text == "hello world", "\(target)")
            }
            let stream = try client.request("/worker/stream?count=4&size=1000")
            #expect(stream["transfer-encoding"]?.lowercased() == "chunked")
            #expect(stream.content.count == 4000)
        }
    }

    @Test("Expect: 100-continue is answered before the content is awaited, and not when the answer is final already")
    func expectContinue() throws {
        try withSite { daemon in
            for target in ["/echo/x", "/worker/echo"] {
                let client = try daemon.connect()
                try client.send(
                    "POST \(target) HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
                #expect(try client.receiveHead().status == 100, "\(target)")
                try client.send("data")
                #expect(try client.receiveResponse().text == "data", "\(target)")
            }
            let early = try daemon.connect()
            try early.send("POST /f.config HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
            let refused = try early.receiveResponse()
            #expect(refused.informational == [])
            #expect(refused.status == 404)
            let unknown = try daemon.connect()
            #expect(try unknown.request("/hello", fields: ["Expect: something"]).status == 417)
        }
    }

    @Test("a client that has ended its side still gets all its answers")
    func halfClosed() throws {
        try withSite { daemon in
            let client = try daemon.connect()
            try client.send(
                "GET /hello HTTP/1.1\r\nHost: h\r\n\r\nGET /worker/slow?ms=200 HTTP/1.1\r\nHost: h\r\n\r\nGET /f.txt HTTP/1.1\r\nHost: h\r\n\r\n"
            )
            client.endSending()
            #expect(try client.receiveResponse().text == "Hello, World!")
            #expect(try client.receiveResponse().text.hasPrefix("GET /worker/slow"))
            #expect(try client.receiveResponse().text == "0123456789")
            #expect(try client.receiveAll() == [])
        }
    }

    @Test(
        "a reader that does not read does not let memory grow, and gets every octet later",
        arguments: ["/fixture/stream?n=100", "/worker/stream?count=100&size=1048576", "/large.txt"])
    func slowReader(target: String) throws {
        try withSite { daemon in
            try daemon.folder.writeSparse("www/large.txt", size: 100 << 20)
            for warm in ["/hello", "/fixture/stream?n=1", "/worker/stream?count=1", "/f.txt"] {
                #expect(try daemon.request(warm).status == 200)
            }
            let before = ProcessTable.memory(of: daemon.process.pid)
            let reader = try daemon.connect(receiveBuffer: 65_536)
            try reader.send("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try reader.receiveHead().status == 200)
            // Others are served all the time, which gives the daemon as long as it needs to fill what it would fill.
            let other = try daemon.connect()
            for _ in 0..<500 { _ = try other.request("/hello") }
            let grown = ProcessTable.memory(of: daemon.process.pid) - before
            #expect(grown < ProcessTable.growthMax(8 << 20), "\(grown) octets")
            var count = reader.unread.count
            _ = try reader.receive(count: count)
            while count < 100 << 20 {
                guard try reader.receiveSome(atMost: 1 << 20) else { break }
                count += reader.unread.count
                _ = try reader.receive(count: reader.unread.count)
            }
            #expect(count >= 100 << 20)
            let after = ProcessTable.memory(of: daemon.process.pid) - before
            #expect(after < ProcessTable.growthMax(8 << 20), "\(after) octets")
        }
    }

    @Test("content that nobody reads is not taken: the client feels it, memory does not grow")
    func uploadBackPressure() throws {
        try withSite { daemon in
            #expect(try daemon.request("/fixture/plain").status == 200)
            let before = ProcessTable.memory(of: daemon.process.pid)
            let client = try daemon.connect()
            try client.send("POST /fixture/never HTTP/1.1\r\nHost: h\r\nContent-Length: 104857600\r\n\r\n")
            let piece = [UInt8](repeating: 1, count: 1 << 20)
            var sent = 0
            while sent < 100 << 20, Deadline(seconds: 1).wait(for: 4, of: client.fd) {
                sent += try client.sendSome(piece[...])
            }
            #expect(sent < 32 << 20, "the daemon took \(sent) octets")
            let grown = ProcessTable.memory(of: daemon.process.pid) - before
            #expect(grown < ProcessTable.growthMax(8 << 20), "\(grown) octets")
            client.reset()
            #expect(try daemon.request("/hello").status == 200)
        }
    }

    @Test("an upload larger than any buffer arrives whole", arguments: ["/echo/x", "/worker/echo"])
    func upload(target: String) throws {
        try withSite { daemon in
            let content = (0..<3_000_000).map { UInt8(truncatingIfNeeded: ($0 &* 31) >> 3) }
            let client = try daemon.connect()
            try client.send("POST \(target) HTTP/1.1\r\nHost: h\r\nContent-Length: \(content.count)\r\n\r\n")
            let sending = try Threads.run { try client.send(content) }
            let response = try client.receiveResponse()
            try sending.value()
            #expect(response.content == content)
        }
    }

    @Test("a file of 2 GiB and more is announced and sent with its true length, and ranges behind 2 GiB")
    func largeFile() throws {
        try withSite { daemon in
            let size = (2 << 30) + 17
            try daemon.folder.writeSparse("www/sparse.txt", size: size)
            let client = try daemon.connect()
            try client.send("GET /sparse.txt HTTP/1.1\r\nHost: h\r\n\r\n")
            let head = try client.receiveHead()
            #expect(head["content-length"] == "\(size)")
            #expect(try client.receive(count: 1 << 20).allSatisfy { $0 == 0 })
            client.reset()
            let range = try daemon.request("/sparse.txt", fields: ["Range: bytes=\(size - 5)-"])
            #expect(range.status == 206)
            #expect(range["content-range"] == "bytes \(size - 5)-\(size - 1)/\(size)")
            #expect(range.content == [0, 0, 0, 0, 0])
        }
    }

    @Test("ranges, conditions and validators of a file")
    func ranges() throws {
        try withSite { daemon in
            let client = try daemon.connect()
            let whole = try client.request("/f.txt")
            let tag = try #require(whole["etag"])
            let date = try #require(whole["last-modified"])
            for (range, text) in [("0-0", "0"), ("2-4", "234"), ("7-", "789"), ("-3", "789"), ("5-100", "56789")] {
                let part = try client.request("/f.txt", fields: ["Range: bytes=\(range)"])
                #expect(part.status == 206, "\(range)")
                #expect(part.text == text, "\(range)")
            }
            let beyond = try client.request("/f.txt", fields: ["Range: bytes=10-"])
            #expect(beyond.status == 416)
            #expect(beyond["content-range"] == "bytes */10")
            #expect(try client.request("/f.txt", fields: ["If-None-Match: \(tag)"]).status == 304)
            #expect(try client.request("/f.txt", fields: ["If-Modified-Since: \(date)"]).status == 304)
            #expect(try client.request("/f.txt", fields: ["If-Match: \"other\""]).status == 412)
            #expect(try client.request("/f.txt", fields: ["Range: bytes=0-1", "If-Range: \"other\""]).status == 200)
        }
    }

    @Test("nothing outside the folder is served: dot segments, escapes, links, hidden names, unknown types")
    func traversal() throws {
        try withSite(["secret.txt": "secret", "www/.hidden.txt": "hidden", "www/x.unknown": "?", "www/d/x.txt": ""]) {
            daemon in
            try daemon.folder.link("www/out.txt", to: daemon.folder.path + "/secret.txt")
            for target in [
                "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/d/../../secret.txt", "/out.txt",
                "/.hidden.txt",
                "/x.unknown", "/f.txt/", "/f.txt%00.html", "/..%5csecret.txt",
            ] {
                let response = try daemon.request(target)
                #expect([400, 403, 404].contains(response.status), "\(target) \(response.status)")
                #expect(!response.text.contains("hidden") || response.status == 404, "\(target)")
            }
            #expect(try daemon.request("/d/").status == 403)
        }
    }
}
