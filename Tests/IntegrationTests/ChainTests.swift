import TestSupport
import Testing

@Suite("Logging, authentication, authorization and filtering in front of an application")
struct ChainTests {
    /// crypt(3) of "secret" and of "changed".
    private static let secret =
        "$6$berth$27PhGKGwxBf3mNhffEwzaR9WlVb0mpDPvJz8xTefwX8.ybU4kmQrHSMznuJH7Xx5.VkAhItCoy8oUBkv4RWIh1"
    private static let changed =
        "$6$berth$6oneX8OV7Qk8i0rUM1bF8n9FqjEzESKH/bz0uQBfP2ULzXSI8AqNx7QhbRCpF5.ZUtX3g05x9U4cjDf2JyO8S."

    private static func site(_ more: String) -> String {
        """
        [site]
        bindings = ["http://*:$PORT/"]
        [[application]]
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
        \(more)
        """
    }

    private static let basic = """
        [[module]]
        name = "basic-authentication"
        realm = "berth"
        users = "file:$FOLDER/users"
        paths = ["/private/"]
        cache_time = "0s"
        """

    /// "alice:secret", "alice:wrong", "bob:secret", "alice:changed".
    private enum Credentials {
        static let alice = "Authorization: Basic YWxpY2U6c2VjcmV0"
        static let wrong = "Authorization: Basic YWxpY2U6d3Jvbmc="
        static let bob = "Authorization: Basic Ym9iOnNlY3JldA=="
        static let changed = "Authorization: Basic YWxpY2U6Y2hhbmdlZA=="
    }

    @Test("basic authentication: 401.2 without credentials, 401.1 with bad ones, 200 with good ones, open elsewhere")
    func basicAuthentication() throws {
        try withDaemon(sites: ["app": Self.site(Self.basic)], files: ["users": "alice:\(Self.secret)\n"]) { daemon in
            let client = try daemon.connect()
            let none = try client.request("/private/user")
            #expect(none.status == 401)
            #expect(none["www-authenticate"]?.hasPrefix("Basic realm=\"berth\"") == true)
            #expect(none.text.contains("401.2"))
            for bad in [Credentials.wrong, Credentials.bob] {
                let response = try client.request("/private/user", fields: [bad])
                #expect(response.status == 401)
                #expect(response.text.contains("401.1"))
                #expect(response["www-authenticate"] != nil)
            }
            let good = try client.request("/private/user", fields: [Credentials.alice])
            #expect(good.status == 200)
            #expect(good["x-user"] == "alice")
            #expect(try client.request("/user").status == 200)
            #expect(try client.request("/PRIVATE/user").status == 401)
            #expect(try client.request("/x/../private/user").status == 401)
            #expect(try client.request("/private").status == 401)
        }
    }

    @Test("a changed password file counts without a reload")
    func changedPassword() throws {
        try withDaemon(sites: ["app": Self.site(Self.basic)], files: ["users": "alice:\(Self.secret)\n"]) { daemon in
            #expect(try daemon.request("/private/user", fields: [Credentials.alice]).status == 200)
            try daemon.folder.write("users", "alice:\(Self.changed)\nbob:\(Self.secret)\n")
            _ = try Deadline().look("the new password is good") {
                try daemon.request("/private/user", fields: [Credentials.changed]).status == 200 ? true : nil
            }
            #expect(try daemon.request("/private/user", fields: [Credentials.alice]).status == 401)
            #expect(try daemon.request("/private/user", fields: [Credentials.bob]).status == 200)
        }
    }

    @Test("a password file that is missing lets nobody in")
    func missingPasswords() throws {
        try withDaemon(sites: ["app": Self.site(Self.basic)]) { daemon in
            let response = try daemon.request("/private/user", fields: [Credentials.alice])
            #expect(response.status != 200)
            #expect(try daemon.request("/user").status == 200)
        }
    }

    @Test("url-authorization: users, roles and verbs; deny wins")
    func authorization() throws {
        let rules = """
            [[module]]
            name = "url-authorization"
            groups = "file:$FOLDER/groups"
            allow = ["users=* path=/", "roles=staff path=/private/"]
            deny = ["users=bob", "users=* verbs=DELETE"]
            """
        try withDaemon(
            sites: ["app": Self.site(Self.basic + "\n" + rules)],
            files: ["users": "alice:\(Self.secret)\nbob:\(Self.secret)\n", "groups": "staff: alice bob\n"]
        ) { daemon in
            let client = try daemon.connect()
            #expect(try client.request("/private/user", fields: [Credentials.alice]).status == 200)
            #expect(try client.request("/private/user", fields: [Credentials.bob]).status == 403)
            let anonymous = try client.request("DELETE", "/user")
            #expect(anonymous.status == 401 || anonymous.status == 403)
            #expect(try client.request("/user").status == 200)
        }
    }

    @Test(
        "request-filtering refuses with IIS's substatus codes, in front of every handler",
        arguments: ["", "/echo", "/worker"])
    func filtering(application: String) throws {
        let rules = """
            [[module]]
            name = "request-filtering"
            max_content_length = 10
            max_url = 100
            max_query_string = 20
            max_url_segments = 8
            deny_verbs = ["PATCH"]
            deny_url_sequences = ["secret.."]
            header_limits = { "X-Limited" = 5 }
            """
        try withDaemon(sites: ["app": Self.site(rules)]) { daemon in
            func expect(
                _ outcome: String, _ target: String, method: String = "GET", fields: [String] = [],
                content: [UInt8]? = nil
            ) throws {
                let response = try daemon.request(method, application + target, fields: fields, content: content)
                let parts = outcome.split(separator: ".")
                #expect("\(response.status)" == parts[0], "\(target) \(response.text)")
                if parts.count > 1 { #expect(response.text.contains(outcome), "\(target) \(response.text)") }
            }
            let base = application.utf8.count
            try expect("200", "/plain", method: "POST", content: [UInt8](repeating: 1, count: 9))
            try expect("200", "/plain", method: "POST", content: [UInt8](repeating: 1, count: 10))
            try expect("413.1", "/plain", method: "POST", content: [UInt8](repeating: 1, count: 11))
            try expect("200", "/" + String(repeating: "a", count: 99 - base))
            try expect("404.14", "/" + String(repeating: "a", count: 100 - base))
            try expect("200", "/plain?" + String(repeating: "q", count: 20))
            try expect("404.15", "/plain?" + String(repeating: "q", count: 21))
            try expect("404.5", "/a/secret../b")
            try expect("404.6", "/plain", method: "PATCH")
            try expect("404.7", "/x.config")
            try expect("404.8", "/bin/x")
            try expect("404.8", "/a/web.config")
            try expect("404.11", "/a%252fb")
            try expect("404.20", "/1/2/3/4/5/6/7/8/9")
            try expect("200", "/plain", fields: ["X-Limited: 12345"])
            try expect("431", "/plain", fields: ["X-Limited: 123456"])
        }
    }

    @Test("chunked content over the limit is 413.1 as well, at n through, at n + 1 refused")
    func chunkedLimit() throws {
        let rules = "[[module]]\nname = \"request-filtering\"\nmax_content_length = 10"
        try withDaemon(sites: ["app": Self.site(rules)]) { daemon in
            for (count, status) in [(9, 200), (10, 200), (11, 413)] {
                let client = try daemon.connect()
                try client.send(
                    "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\(String(count, radix: 16))\r\n"
                        + String(repeating: "x", count: count) + "\r\n0\r\n\r\n")
                #expect(try client.receiveResponse().status == status, "\(count)")
            }
        }
    }

    // MARK: The access log

    @Test("the log's byte counts are what went over the wire, request by request")
    func byteCounts() throws {
        let log = """
            [site.log]
            file = "$FOLDER/access.log"
            fields = ["cs-uri-stem", "sc-status", "sc-bytes", "cs-bytes"]
            flush_interval = "0s"
            """
        try withDaemon(sites: ["app": Self.site(log)]) { daemon in
            var seen: [String: (received: Int, sent: Int)] = [:]
            func note(_ stem: String, _ sent: Int, _ response: Response) { seen[stem] = (response.wireCount, sent) }
            let client = try daemon.connect()
            for (number, target) in ["/plain", "/stream?n=1", "/missing.config", "/worker/stream?count=5", "/echo/a"]
                .enumerated()
            {
                let before = client.sentCount
                let response = try client.request(target, fields: ["X-Number: \(number)"])
                note(String(target.prefix { $0 != "?" }), client.sentCount - before, response)
            }
            var before = client.sentCount
            note("/echo/b", 0, try client.request("POST", "/echo/b", content: [UInt8](repeating: 7, count: 100_000)))
            seen["/echo/b"]?.sent = client.sentCount - before
            before = client.sentCount
            try client.send(
                "POST /echo/c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n"
            )
            note("/echo/c", client.sentCount - before, try client.receiveResponse())
            before = client.sentCount
            note("/worker/head", 0, try client.request("HEAD", "/worker/head"))
            seen["/worker/head"]?.sent = client.sentCount - before
            let lines = try Self.lines(daemon, count: seen.count)
            for line in lines {
                let parts = line.split(separator: " ")
                let expected = try #require(seen[String(parts[0])], "\(line)")
                #expect(parts[2] == "\(expected.received)", "sc-bytes of \(line)")
                #expect(parts[3] == "\(expected.sent)", "cs-bytes of \(line)")
            }
            #expect(Set(lines.map { $0.prefix { $0 != " " } }).count == seen.count)
        }
    }

    /// The lines of the access log, once there are so many.
    private static func lines(_ daemon: Daemon, _ name: String = "access.log", count: Int) throws -> [Substring] {
        try Deadline().look("\(count) lines in the access log") {
            let lines = (daemon.folder.read(name) ?? "").split(separator: "\n").filter { !$0.hasPrefix("#") }
            return lines.count >= count ? lines : nil
        }
    }

    @Test("the log has IIS's default fields in IIS's order, below a #Fields line, in a folder with the site's number")
    func defaultFields() throws {
        let log = "[site.log]\nflush_interval = \"0s\""
        try withDaemon(sites: ["app": Self.site(log)]) { daemon in
            _ = try daemon.request("/plain?a=b", fields: ["User-Agent: Mozilla/5.0 (Test Case)", "Referer: http://r/"])
            let folder = "log/W3SVC1"
            let name = try Deadline().look("a log file") { Files.names(in: daemon.folder.path + "/" + folder).first }
            #expect(name.hasPrefix("u_ex") && name.hasSuffix(".log"), "\(name)")
            let line = try #require(try Self.lines(daemon, "\(folder)/\(name)", count: 1).first)
            let text = daemon.folder.read("\(folder)/\(name)") ?? ""
            #expect(
                text.contains(
                    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
                        + "cs(Referer) sc-status sc-substatus sc-win32-status time-taken"))
            let parts = line.split(separator: " ")
            #expect(parts.count == 15, "\(line)")
            #expect(
                parts[2...12].joined(separator: " ")
                    == "127.0.0.1 GET /plain a=b \(daemon.port) - 127.0.0.1 Mozilla/5.0+(Test+Case) http://r/ 200 0",
                "\(line)")
        }
    }

    @Test("a malformed request, an unknown host and a wrong version are in the HTTPERR log with a reason each")
    func errorLog() throws {
        try withDaemon(sites: [
            "app":
                "[site]\nbindings = [\"http://one.example:$PORT/a/\"]\n[[application]]\nhosting = \"static\"\nroot = \"$FOLDER\""
        ]) { daemon in
            for (request, ending) in [
                ("GET / HTTP/1.1\r\nHost: two.example\r\n\r\n", " HTTP/1.1 GET / 400 - Hostname -"),
                ("GET /b HTTP/1.1\r\nHost: one.example\r\n\r\n", " HTTP/1.1 GET /b 404 - NotFound -"),
                ("GET / HTTP/3.0\r\nHost: one.example\r\n\r\n", " 505 - Version_N/S -"),
                ("GET /\r\n\r\n", " 400 - "), ("GE(T / HTTP/1.1\r\nHost: one.example\r\n\r\n", " 400 - Verb -"),
                ("POST /a HTTP/1.1\r\nHost: one.example\r\nContent-Length: x\r\n\r\n", " 400 - Number -"),
                ("POST /a HTTP/1.1\r\nHost: one.example\r\nTransfer-Encoding: gzip\r\n\r\n", " 501 - N/I -"),
            ] {
                let client = try daemon.connect()
                try client.send(request)
                #expect(try client.receiveHead().status >= 400)
                let port = "\(client.localPort)"
                let line = try daemon.waitForErrorLog("line of port \(port)") {
                    $0.contains(" 127.0.0.1 \(port) 127.0.0.1 \(daemon.port) ")
                }
                #expect(line.contains(ending), "\(line)")
            }
        }
    }
}
