import TestSupport
import Testing

/// The worked cases of HTTP.sys' UrlPrefix routing (UrlPrefix strings, "Routing Incoming Requests"), through the daemon.
@Suite("Routing by host and path")
struct RoutingTests {
    /// Runs the daemon with one site a prefix. Each serves a folder of its own with a file at each of `paths`, whose content
    /// is the site's name.
    private func route(
        _ bindings: KeyValuePairs<String, String>, paths: [String], _ body: (Daemon) throws -> Void
    ) throws {
        var sites: [String: String] = [:]
        var files: [String: String] = [:]
        for (name, binding) in bindings {
            sites[name] = """
                [site]
                bindings = ["\(binding)"]
                [[application]]
                hosting = "static"
                root = "$FOLDER/www/\(name)"
                """
            for path in paths { files["www/\(name)\(path)"] = name }
        }
        try withDaemon(sites: sites, files: files, body)
    }

    @Test("a strong wildcard with a path, a host and a weak wildcard: the first tier that matches decides")
    func tiers() throws {
        try route(
            ["strong": "http://+:$PORT/vroot/", "host": "http://adatum.com:$PORT/", "weak": "http://*:$PORT/"],
            paths: ["/vroot/subdir/file.txt", "/default.htm", "/file.txt"]
        ) { daemon in
            let client = try daemon.connect()
            #expect(try client.request("/vroot/subdir/file.txt", host: "adatum.com").text == "strong")
            #expect(try client.request("/default.htm", host: "adatum.com").text == "host")
            #expect(try client.request("/file.txt", host: "other.com").text == "weak")
        }
    }

    @Test("inside a tier the longest path wins, by whole segments and whatever the case")
    func longestPath() throws {
        try route(
            ["root": "http://www:$PORT/", "deep": "http://www:$PORT/dir/sna/"],
            paths: ["/dir/app.htm", "/dir/sna/app.htm", "/dir/snake/app.htm", "/DIR/SNA/app.htm"]
        ) { daemon in
            let client = try daemon.connect()
            #expect(try client.request("/dir/app.htm", host: "www").text == "root")
            #expect(try client.request("/dir/sna/app.htm", host: "www").text == "deep")
            #expect(try client.request("/dir/snake/app.htm", host: "www").text == "root")
            #expect(try client.request("/DIR/SNA/app.htm", host: "WWW").text == "deep")
        }
    }

    @Test(
        "an exact name comes before a subdomain wildcard, a longer wildcard before a shorter, an address before the rest"
    )
    func hosts() throws {
        try route(
            [
                "exact": "http://a.b.example:$PORT/", "longer": "http://*.b.example:$PORT/",
                "shorter": "http://*.example:$PORT/", "address": "http://127.0.0.1:$PORT/", "weak": "http://*:$PORT/",
                "bound": "http://a.b.example:$PORT:127.0.0.2/",
            ], paths: ["/f.txt"]
        ) { daemon in
            let client = try daemon.connect()
            #expect(try client.request("/f.txt", host: "a.b.example").text == "exact")
            #expect(try client.request("/f.txt", host: "c.b.example").text == "longer")
            #expect(try client.request("/f.txt", host: "b.example").text == "shorter")
            // On this address an address-bound prefix takes any other host, and the weak wildcard nothing.
            #expect(try client.request("/f.txt", host: "elsewhere").text == "address")
            let other = try Client(port: daemon.port, address: 0x7f00_0002)
            #expect(try other.request("/f.txt", host: "elsewhere").text == "weak")
            #expect(try other.request("/f.txt", host: "a.b.example").text == "bound")
        }
    }

    @Test("without a prefix for the host the answer is 400, with one but not for the path 404")
    func nobody() throws {
        try route(["app": "http://www:$PORT/app/"], paths: ["/app/f.txt", "/other.txt"]) { daemon in
            #expect(try daemon.request("/app/f.txt", host: "www").text == "app")
            let notFound = try daemon.request("/other.txt", host: "www")
            #expect(notFound.status == 404)
            let hostname = try daemon.request("/app/f.txt", host: "elsewhere")
            #expect(hostname.status == 400)
            #expect(hostname.reason == "Bad Request")
            try daemon.waitForErrorLog("404 NotFound") {
                $0.contains(" GET /other.txt 404 ") && $0.contains(" NotFound ")
            }
            try daemon.waitForErrorLog("400 Hostname") {
                $0.contains(" GET /app/f.txt 400 ") && $0.contains(" Hostname ")
            }
        }
    }

    @Test("the path is cooked before it is routed: dot segments, escapes, leading slashes, a missing last slash")
    func cooking() throws {
        try route(
            ["two": "http://*:$PORT/2/", "deep": "http://*:$PORT/a/b/", "root": "http://*:$PORT/"],
            paths: ["/2/index.html", "/a/b/c.txt", "/a/d.txt", "/x/f.txt"]
        ) { daemon in
            let client = try daemon.connect()
            #expect(try client.request("/a/d/../b/c.txt").text == "deep")
            #expect(try client.request("/a/%2e%2E/a/%62/c.txt").text == "deep")
            #expect(try client.request("/a/d.txt").text == "root")
            #expect(try client.request("/x/%66.txt").text == "root")
            // The prefix /2/ takes /2 too; its folder then wants the slash.
            let slash = try client.request("/2")
            #expect([200, 301].contains(slash.status))
            #expect(try client.request("/2/").text == "two")
            #expect(try client.request("///a/b/c.txt").status != 400)
            #expect(try client.request("/../../a/b/c.txt").text == "deep")
        }
    }

    @Test("an absolute-form target decides by its own authority, not by Host")
    func absoluteForm() throws {
        try route(
            ["one": "http://one:$PORT/", "two": "http://two:$PORT/"], paths: ["/f.txt"]
        ) { daemon in
            let client = try daemon.connect()
            #expect(try client.request("http://two/f.txt", host: "two").text == "two")
            #expect(try client.request("http://two:99/f.txt", host: "two:99").text == "two")
        }
    }

    @Test("an address list narrows where a port is listened on")
    func listenAddresses() throws {
        try withDaemon(
            sites: [
                "one":
                    "[site]\nbindings = [\"http://*:$PORT/\"]\n[[application]]\nhosting = \"static\"\nroot = \"$FOLDER/www\"\n"
            ],
            settings: "[listener]\nlisten_addresses = [\"127.0.0.2\"]", files: ["www/f.txt": "hello"]
        ) { daemon in
            let client = try Client(port: daemon.port, address: 0x7f00_0002)
            #expect(try client.request("/f.txt").text == "hello")
            #expect(throws: (any Error).self) { try daemon.connect() }
        }
    }

    @Test("a thousand sites are told apart")
    func manySites() throws {
        let site = """
            [site]
            bindings = ["http://NAME.example:$PORT/"]
            [[application]]
            hosting = "static"
            root = "$FOLDER/www/NAME"
            """
        var sites: [String: String] = [:]
        var files: [String: String] = [:]
        for number in 0..<1000 {
            sites["s\(number)"] = site.split(separator: "NAME", omittingEmptySubsequences: false).joined(
                separator: "s\(number)")
            if number % 100 == 7 { files["www/s\(number)/f.txt"] = "s\(number)" }
        }
        try withDaemon(sites: sites, files: files) { daemon in
            let client = try daemon.connect()
            for number in stride(from: 7, to: 1000, by: 100) {
                #expect(try client.request("/f.txt", host: "s\(number).example").text == "s\(number)")
            }
            #expect(try client.request("/f.txt", host: "s1000.example").status == 400)
        }
    }
}
