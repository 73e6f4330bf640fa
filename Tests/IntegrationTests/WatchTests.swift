import TestSupport
import Testing

@Suite("A daemon that watches its configuration")
struct WatchTests {
    private static func site(_ host: String, _ folder: String) -> String {
        """
        [site]
        bindings = ["http://\(host).example:$PORT/"]
        [[application]]
        hosting = "static"
        root = "$FOLDER/\(folder)"
        """
    }

    @Test("a file that is dropped, changed, overridden, broken and removed takes effect by itself")
    func files() throws {
        try withDaemon(
            sites: ["one": Self.site("one", "a")], watches: true,
            files: ["a/index.html": "A", "b/index.html": "B"]
        ) { daemon in
            #expect(try daemon.request("/", host: "one.example").text == "A")
            try daemon.write(site: "two", Self.site("two", "b"))
            try daemon.eventually("/", host: "two.example", "the new site") { $0.text == "B" }
            try daemon.write(site: "two", Self.site("two", "a"))
            try daemon.eventually("/", host: "two.example", "the changed site") { $0.text == "A" }
            try daemon.folder.write(
                "sites.d/two.toml.d/x.toml", "[[application]]\npath = \"/\"\nroot = \"\(daemon.folder.path)/b\"\n")
            try daemon.eventually("/", host: "two.example", "the overridden site") { $0.text == "B" }
            try daemon.write(site: "one", "[")
            try daemon.process.output.wait(containing: "site one has errors, its last good configuration keeps serving")
            #expect(try daemon.request("/", host: "one.example").text == "A")
            try daemon.folder.remove("sites.d/two.toml.d/x.toml")
            try daemon.folder.remove("sites.d/two.toml")
            try daemon.eventually("/", host: "two.example", "no site") { $0.status == 400 }
        }
    }

    @Test("where that is switched off nothing is read before somebody asks; the key itself is a setting like others")
    func switching() throws {
        try withDaemon(sites: ["one": Self.site("one", "a")], files: ["a/index.html": "A"]) { daemon in
            try daemon.write(site: "two", Self.site("two", "a"))
            #expect(try daemon.request("/", host: "two.example").status == 400)
            try daemon.reload()
            try daemon.eventually("/", host: "two.example", "the new site") { $0.text == "A" }
            #expect(!daemon.process.output.text.contains("its files have changed"))
            try daemon.write(settings: "[timeouts]\nshutdown_drain = \"1s\"", watches: true)
            try daemon.reload()
            try daemon.write(settings: "[timeouts]\nshutdown_drain = \"1s\"")
            try daemon.process.output.wait(containing: "its files have changed")
        }
    }
}
