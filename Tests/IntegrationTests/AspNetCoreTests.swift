import TestSupport
import Testing

/// Real ASP.NET Core applications with their IIS integration active.
@Suite(
    "ASP.NET Core",
    .enabled(if: AspNetCore.isThere, "no ASP.NET Core runtime with example applications beside the checkout"))
struct AspNetCoreTests {
    private func application(_ name: String, path: String = "/", environment: String = "") throws -> String {
        let folder = try #require(AspNetCore.folder)
        return """
            [[application]]
            path = "\(path)"
            hosting = "out-of-process"
            root = "\(folder)/apps/\(name)"
            command = ["\(folder)/runtime/dotnet", "\(name).dll"]
            environment = { DOTNET_ROOT = "\(folder)/runtime", DOTNET_SYSTEM_GLOBALIZATION_INVARIANT = "1"\(environment) }
            """
    }

    private func withProbe(_ body: (Daemon) throws -> Void) throws {
        let site =
            "[site]\nbindings = [\"http://*:$PORT/\"]\n"
            + (try application("probe", path: "/shop", environment: ", PROBE_LOG = \"$FOLDER/probe.log\""))
            + "\n[[application]]\nhosting = \"static\"\nroot = \"$FOLDER\"\n"
        try withDaemon(sites: ["probe": site], body)
    }

    @Test("it sees the client's address, the scheme and its path base, and refuses whoever lacks the pairing token")
    func identity() throws {
        try withProbe { daemon in
            let client = try daemon.connect()
            let seen = try client.request("/shop/request/a%20b?q=1", host: "shop.example")
            #expect(seen.status == 200)
            let text = seen.text.split(whereSeparator: \.isWhitespace).joined()
            #expect(text.contains("\"pathBase\":\"/shop\""), "\(text)")
            #expect(text.contains("\"path\":\"/request/a"), "\(text)")
            #expect(text.contains("\"query\":\"?q=1\""), "\(text)")
            #expect(text.contains("\"scheme\":\"http\""), "\(text)")
            #expect(text.contains("shop.example"), "\(text)")
            #expect(text.contains("127.0.0.1"), "\(text)")
            #expect(text.contains("\(client.localPort)"), "\(text)")
            let ready = try daemon.process.output.wait(containing: "is ready at 127.0.0.1:")
            let port = try #require(ready.split(separator: ":").last.flatMap { Int($0) })
            #expect(try Client(port: port).request("/shop/request/x").status == 400)
        }
    }

    @Test("content goes both ways whole: an echo, a hash of a megabyte, chunks, an early answer")
    func content() throws {
        try withProbe { daemon in
            let client = try daemon.connect()
            #expect(try client.request("POST", "/shop/echo", content: Array("hello".utf8)).text == "hello")
            let hash = try client.request("POST", "/shop/hash", content: [UInt8](repeating: 0, count: 1 << 20))
            #expect(
                hash.text.lowercased().contains("30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58"),
                "\(hash.text)")
            #expect(try client.request("/shop/bytes/300000").content.count == 300_000)
            #expect(try client.request("/shop/bytes/300000?chunked=true").content.count == 300_000)
            #expect(try client.request("/shop/status/418").status == 418)
        }
    }

    @Test("server-sent events come one by one, not at the end")
    func events() throws {
        try withProbe { daemon in
            let client = try daemon.connect()
            // It would take a day and more.
            try client.send("GET /shop/events?n=1000000&ms=100 HTTP/1.1\r\nHost: h\r\n\r\n")
            let head = try client.receiveHead()
            #expect(head["content-type"]?.hasPrefix("text/event-stream") == true)
            var events = 0
            while events < 3 { if try client.receiveLine().hasPrefix("data:") { events += 1 } }
            client.reset()
        }
    }

    @Test("a WebSocket is opened and echoes")
    func webSocket() throws {
        try withProbe { daemon in
            let client = try daemon.connect()
            try client.send(
                "GET /shop/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            let head = try client.receiveHead()
            #expect(head.status == 101)
            #expect(head["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            let text = Array("hello".utf8)
            let mask: [UInt8] = [1, 2, 3, 4]
            try client.send([0x81, 0x80 | UInt8(text.count)] + mask + text.enumerated().map { $1 ^ mask[$0 % 4] })
            #expect(try client.receive(count: 2 + text.count) == [0x81, UInt8(text.count)] + text)
            try client.send([0x88, 0x80] + mask)
        }
    }

    @Test("a stop asks it with the shutdown message: it says that it stops, and that it has stopped")
    func shutdown() throws {
        let site =
            "[site]\nbindings = [\"http://*:$PORT/\"]\n"
            + (try application("probe", environment: ", PROBE_LOG = \"$FOLDER/probe.log\""))
        let daemon = try Daemon.started(sites: ["probe": site])
        let worker = try #require(Int32(try daemon.request("/pid").text))
        #expect(try daemon.stop() == .status(0))
        let log = try #require(daemon.folder.read("probe.log"))
        #expect(log.contains("started"))
        #expect(log.contains("stopping"))
        #expect(log.contains("stopped"))
        #expect(!ProcessTable.isRunning(worker))
    }

    @Test("what the templates make is hosted as it was published", arguments: ["empty", "slim", "pages"])
    func templates(name: String) throws {
        let site = "[site]\nbindings = [\"http://*:$PORT/\"]\n" + (try application(name))
        try withDaemon(sites: ["app": site]) { daemon in
            let response = try daemon.request(name == "slim" ? "/todos" : "/")
            #expect(response.status == 200, "\(response.text)")
            switch name {
            case "empty": #expect(response.text == "Hello World!")
            case "slim": #expect(response["content-type"]?.hasPrefix("application/json") == true)
            default: #expect(response["content-type"]?.hasPrefix("text/html") == true)
            }
        }
    }
}

/// Where ASP.NET Core and published applications are: beside the checkout, or where `BERTH_TEST_DOTNET` says.
enum AspNetCore {
    static let folder: String? =
        [Environment.value("BERTH_TEST_DOTNET"), Build.checkout + "/../shared/dotnet"].compactMap { $0 }.first {
            Files.exists($0 + "/runtime/dotnet") && Files.exists($0 + "/apps/probe/probe.dll")
        }

    static var isThere: Bool { folder != nil }
}
