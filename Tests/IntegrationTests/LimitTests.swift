import Glibc
import TestSupport
import Testing

@Suite("Limits of connections, timers and the send rate, of the daemon and of sites")
struct LimitTests {
    /// The hosts one.example and two.example, with what the tables of the first say.
    private static func sites(_ tables: String = "") -> [String: String] {
        func site(_ name: String, _ tables: String) -> String {
            """
            [site]
            bindings = ["http://\(name).example:$PORT/"]
            \(tables)
            [[application]]
            hosting = "static"
            root = "$FOLDER/www"
            [[application]]
            path = "/echo"
            hosting = "in-process"
            isolation = "none"
            module = "$BIN/libEchoModule.so"
            """
        }
        return ["one": site("one", tables), "two": site("two", "")]
    }

    private static let page = ["www/f.txt": "0123456789"]

    private static func get(_ site: String, _ target: String = "/f.txt") -> String {
        "GET \(target) HTTP/1.1\r\nHost: \(site).example\r\n\r\n"
    }

    /// The line of the HTTPERR log about a connection.
    private func line(_ daemon: Daemon, of client: Client, seconds: Double = 30) throws -> String {
        let port = client.localPort
        return try Deadline(seconds: seconds).look("a line about port \(port) in the HTTPERR log") {
            daemon.errorLog.first { $0.contains(" \(port) 127.0.0.1 \(daemon.port) ") }.map { String($0) }
        }
    }

    // MARK: Connections

    @Test("a source has as many connections as it may, the next is answered 503, other sources are not affected")
    func perSource() throws {
        try withDaemon(
            sites: Self.sites(), settings: "loops = 3\n[listener]\nmax_connections_per_source = 3", files: Self.page
        ) { daemon in
            let clients = try (0..<3).map { _ in try daemon.connect() }
            for client in clients { #expect(try client.request("/f.txt", host: "one.example").status == 200) }
            let fourth = try daemon.connect()
            let port = fourth.localPort
            #expect(try fourth.receiveHead().status == 503)
            #expect(try fourth.isEndedByPeer())
            let line = try daemon.waitForErrorLog("line of port \(port)") { $0.contains(" 127.0.0.1 \(port) ") }
            #expect(line.hasSuffix(" - - - 503 - ConnLimit -"), "\(line)")
            let other = try Client(port: daemon.port, source: 0x7f00_0002)
            #expect(try other.request("/f.txt", host: "one.example").status == 200)
            // A place that was given back is somebody's again.
            clients[0].close()
            _ = try Deadline().look("room for another connection") {
                let next = try daemon.connect()
                try next.send(Self.get("one"))
                return try next.receiveHead().status == 200 ? true : nil
            }
            #expect(try clients[1].request("/f.txt", host: "one.example").status == 200)
        }
    }

    @Test("the limit of a source changes with a reload")
    func perSourceReload() throws {
        try withDaemon(sites: Self.sites(), files: Self.page) { daemon in
            try daemon.write(
                settings: "[timeouts]\nshutdown_drain = \"1s\"\n[listener]\nmax_connections_per_source = 1")
            try daemon.reload()
            let first = try daemon.connect()
            #expect(try first.request("/f.txt", host: "one.example").status == 200)
            #expect(try daemon.connect().receiveHead().status == 503)
            try daemon.write(settings: "[timeouts]\nshutdown_drain = \"1s\"")
            try daemon.reload()
            #expect(try daemon.request("/f.txt", host: "one.example").status == 200)
            #expect(try first.request("/f.txt", host: "one.example").status == 200)
        }
    }

    @Test("the daemon has as many connections as it may, and the next is answered 503 ConnLimit")
    func daemonLimit() throws {
        try withDaemon(sites: Self.sites(), settings: "[listener]\nmax_connections = 2", files: Self.page) { daemon in
            let clients = try (0..<2).map { _ in try daemon.connect() }
            for client in clients { #expect(try client.request("/f.txt", host: "one.example").status == 200) }
            let third = try daemon.connect()
            let port = third.localPort
            #expect(try third.receiveHead().status == 503)
            let line = try daemon.waitForErrorLog("line of port \(port)") { $0.contains(" 127.0.0.1 \(port) ") }
            #expect(line.hasSuffix(" 503 - ConnLimit -"), "\(line)")
        }
    }

    @Test("a site has as many connections as it may, the next is answered 503 ConnLimit, other sites are not affected")
    func siteLimit() throws {
        try withDaemon(sites: Self.sites("[site.limits]\nmax_connections = 1"), files: Self.page) { daemon in
            let first = try daemon.connect()
            #expect(try first.request("/f.txt", host: "one.example").status == 200)
            #expect(try first.request("/f.txt", host: "one.example").status == 200)
            let second = try daemon.connect()
            try second.send(Self.get("one"))
            #expect(try second.receiveHead().status == 503)
            let line = try line(daemon, of: second)
            #expect(line.hasSuffix(" HTTP/1.1 GET /f.txt 503 1 ConnLimit one"), "\(line)")
            #expect(try daemon.request("/f.txt", host: "two.example").status == 200)
            // The connection that has the place can give it to another site and get it back.
            #expect(try first.request("/f.txt", host: "two.example").status == 200)
            #expect(try daemon.request("/f.txt", host: "one.example").status == 200)
        }
    }

    // MARK: Timers

    @Test("idle: a site's own from its first request on, before that the daemon's, other sites have theirs")
    func idle() throws {
        try withDaemon(
            sites: Self.sites("[site.timeouts]\nidle_connection = \"200ms\""), files: Self.page
        ) { daemon in
            let (own, other, fresh) = (try daemon.connect(), try daemon.connect(), try daemon.connect())
            #expect(try other.request("/f.txt", host: "two.example").status == 200)
            #expect(try own.request("/f.txt", host: "one.example").status == 200)
            let line = try line(daemon, of: own)
            #expect(line.hasSuffix(" - - - - - Timer_ConnectionIdle -"), "\(line)")
            #expect(try own.isEndedByPeer())
            #expect(try other.request("/f.txt", host: "two.example").status == 200)
            #expect(try fresh.request("/f.txt", host: "one.example").status == 200)
        }
    }

    @Test("head: the first of a connection has the daemon's limit, the next the site's")
    func head() throws {
        try withDaemon(sites: Self.sites("[site.timeouts]\nheader_wait = \"200ms\""), files: Self.page) { daemon in
            let (own, other, fresh) = (try daemon.connect(), try daemon.connect(), try daemon.connect())
            let half = "GET /f.txt HTTP/1.1\r\nHost: one.exa"
            try fresh.send(half)
            #expect(try other.request("/f.txt", host: "two.example").status == 200)
            try other.send(half)
            #expect(try own.request("/f.txt", host: "one.example").status == 200)
            try own.send(half)
            #expect(try line(daemon, of: own).hasSuffix(" Timer_HeaderWait -"))
            #expect(try own.isEndedByPeer())
            for client in [other, fresh] {
                try client.send("mple\r\n\r\n")
                #expect(try client.receiveResponse().status == 200)
            }
        }
    }

    @Test(
        "content: the site's own limit ends a wait for more of it, another site's does not",
        arguments: ["[site.timeouts]\nentity_body = \"200ms\"", "[site.limits]\nconnection_timeout = \"200ms\""])
    func content(_ tables: String) throws {
        try withDaemon(sites: Self.sites(tables), files: Self.page) { daemon in
            let (own, other) = (try daemon.connect(), try daemon.connect())
            for (client, name) in [(other, "two"), (own, "one")] {
                try client.send(
                    "POST /echo/x HTTP/1.1\r\nHost: \(name).example\r\nContent-Length: 10\r\n\r\n01234")
            }
            let line = try line(daemon, of: own)
            #expect(line.hasSuffix(" HTTP/1.1 POST /echo/x - 1 Timer_EntityBody one/echo"), "\(line)")
            // HTTP.sys closes without a word; above all it is no 404.
            let answer = (try? own.receiveAll()) ?? []
            #expect(answer.isEmpty, "\(String(decoding: answer, as: UTF8.self))")
            try other.send("56789")
            let response = try other.receiveResponse()
            #expect(response.text == "0123456789")
        }
    }

    @Test("content that nobody wanted: the site's own limit ends the wait, another site's connection goes on")
    func drain() throws {
        try withDaemon(
            sites: Self.sites("[site.timeouts]\ndrain_entity_body = \"200ms\""), files: Self.page
        ) { daemon in
            let (own, other) = (try daemon.connect(), try daemon.connect())
            for (client, name) in [(other, "two"), (own, "one")] {
                try client.send(
                    "POST /f.txt HTTP/1.1\r\nHost: \(name).example\r\nContent-Length: 10\r\n\r\n01234")
                #expect(try client.receiveResponse().status == 405)
            }
            #expect(try line(daemon, of: own).contains(" Timer_EntityBody "))
            try other.send("56789" + Self.get("two"))
            #expect(try other.receiveResponse().status == 200)
        }
    }

    @Test("a timer of the daemon changes with a reload, for connections that are open as well")
    func reload() throws {
        try withDaemon(sites: Self.sites(), files: Self.page) { daemon in
            let client = try daemon.connect()
            #expect(try client.request("/f.txt", host: "one.example").status == 200)
            try daemon.write(settings: "[timeouts]\nshutdown_drain = \"1s\"\nidle_connection = \"200ms\"")
            try daemon.reload()
            #expect(try client.request("/f.txt", host: "one.example").status == 200)
            #expect(try line(daemon, of: client).contains(" Timer_ConnectionIdle "))
        }
    }

    // MARK: The send rate

    @Test("who stands still in a huge file is found out by what was acknowledged, unless the site has no floor")
    func sendRate() throws {
        try withDaemon(
            sites: Self.sites("[site.limits]\nmin_send_rate = \"100MB/s\"").merging(
                ["two": Self.sites("[site.limits]\nmin_send_rate = \"off\"")["one"] ?? ""].mapValues {
                    $0.replacing("one.example", with: "two.example")
                }
            ) { $1 }, files: Self.page
        ) { daemon in
            try daemon.folder.writeSparse("www/huge.txt", size: 8 << 30)
            let (own, other) = (try daemon.connect(receiveBuffer: 8192), try daemon.connect(receiveBuffer: 8192))
            try other.send(Self.get("two", "/huge.txt"))
            try own.send(Self.get("one", "/huge.txt"))
            let line = try line(daemon, of: own)
            #expect(line.hasSuffix(" GET /huge.txt - 1 Timer_MinBytesPerSecond one"), "\(line)")
            #expect(throws: (any Error).self) { try own.receive(count: 1 << 30) }
            _ = try other.receiveHead()
            #expect(try other.receive(count: 1 << 20).count == 1 << 20)
        }
    }
}
