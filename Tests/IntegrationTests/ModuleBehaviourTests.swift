import TestSupport
import Testing

@Suite("What a handler module does wrong costs only its own request")
struct ModuleBehaviourTests {
    private static let site = """
        [site]
        bindings = ["http://*:$PORT/"]
        [[application]]
        hosting = "in-process"
        isolation = "none"
        module = "$BIN/libFixtureModule.so"
        """

    @Test("an answer outside the ABI is 500, and the connection goes on")
    func errors() throws {
        try withDaemon(sites: ["fixture": Self.site]) { daemon in
            let client = try daemon.connect()
            for target in ["/error", "/unknown"] {
                #expect(try client.request(target).status == 500, "\(target)")
            }
            #expect(try client.request("/refuse").status == 403)
            #expect(try client.request("/refuse").text.contains("the fixture refuses"))
            #expect(try client.request("/twice").text == "once")
            #expect(try client.request("/plain").text == "fixture")
        }
    }

    @Test("every request passes the end stage of its handler, where it lets go what it held")
    func end() throws {
        try withDaemon(sites: ["fixture": Self.site], settings: "loops = 1\n") { daemon in
            let client = try daemon.connect()
            for target in ["/plain", "/later?n=1", "/error", "/silent", "/stream?n=1"] {
                _ = try client.request(target)
            }
            // One whose client leaves while it waits, as two of the others did.
            let leaving = try daemon.connect()
            try leaving.send("GET /never HTTP/1.1\r\nHost: h\r\n\r\n")
            // Those that ask are counted as well, each after its answer.
            var asked = 0
            _ = try Deadline().look("it waits") {
                asked += 1
                return try client.request("/waiting").text == "3" ? true : nil
            }
            leaving.reset()
            _ = try Deadline().look("all have ended") {
                asked += 1
                return try client.request("/ended").text == "\(6 + asked - 1)" ? true : nil
            }
        }
    }

    @Test("a field value cannot split a response, and framing is the host's")
    func injection() throws {
        try withDaemon(sites: ["fixture": Self.site]) { daemon in
            let client = try daemon.connect()
            let split = try client.request("/crlf")
            #expect(split["x-injected"] == nil)
            let framing = try client.request("/framing")
            #expect(framing.fields.filter { $0.name.lowercased() == "content-length" }.count <= 1)
            #expect(try client.request("/plain").text == "fixture")
        }
    }

    @Test("content shorter than announced ends the connection, content longer is cut")
    func lengths() throws {
        try withDaemon(sites: ["fixture": Self.site]) { daemon in
            let half = try daemon.connect()
            try half.send("GET /half?n=10 HTTP/1.1\r\nHost: h\r\n\r\n")
            // However much of it came: it cannot be taken for a whole response.
            #expect(throws: Failure.self) { try half.receiveResponse() }
            let more = try daemon.connect()
            try more.send("GET /more?n=10 HTTP/1.1\r\nHost: h\r\n\r\n")
            // Not one octet more than announced, or a cut connection.
            if let whole = try? more.receiveResponse() { #expect(whole.content.count == 10) }
        }
    }

    @Test("a request completed later, from any thread, is answered; a second completion is ignored")
    func later() throws {
        try withDaemon(sites: ["fixture": Self.site]) { daemon in
            let client = try daemon.connect()
            #expect(try client.request("/later?n=50").text == "4711")
            #expect(try client.request("/late?n=1").text == "answered before")
            #expect(try client.request("/blocking?n=20").text == "815")
            let texts = try Threads.concurrently(20) { index in
                try daemon.request(index % 2 == 0 ? "/later?n=\(index * 5)" : "/blocking?n=5").text
            }
            #expect(Set(texts) == ["4711", "815"])
        }
    }

    @Test("a module whose client left is told")
    func gone() throws {
        try withDaemon(sites: ["fixture": Self.site]) { daemon in
            // A reset that overtakes the request is none of the module's business: so there may have to be another.
            var count = 0
            _ = try Deadline().look("the module learns that its client left") {
                let client = try daemon.connect()
                try client.send("GET /never HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try daemon.request("/plain").status == 200)
                client.reset()
                count = Int(try daemon.request("/gone").text) ?? 0
                return count > 0 ? true : nil
            }
        }
    }

    @Test("a module that streams to a client that ended its side first, and then left, is told or sees its writes fail")
    func goneAfterHalfClose() throws {
        try withDaemon(sites: ["fixture": Self.site]) { daemon in
            let before = Int(try daemon.request("/gone").text) ?? 0
            let client = try daemon.connect(receiveBuffer: 65_536)
            try client.send("GET /stream?n=64 HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try client.receiveHead().status == 200)
            client.endSending()
            // More than the kernel holds is still to come, so the module waits for room when the client resets.
            client.reset()
            _ = try Deadline().look("the module learns that its client left") {
                (Int(try daemon.request("/gone").text) ?? 0) > before ? true : nil
            }
        }
    }

    @Test("a module that traps ends the daemon: that is what isolation = \"none\" means")
    func trap() throws {
        let daemon = try Daemon.started(sites: ["fixture": Self.site])
        let client = try daemon.connect()
        try client.send("GET /trap HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try daemon.process.wait() == .signal(4))
    }
}
