import Testing

@testable import BerthConfiguration

@Suite("docs/configuration.md")
struct DocumentationTests {
    /// The page, beside the folder of the tests.
    private func page() throws -> String {
        let file = "\(#filePath)"
        let root = FilePath.parent(of: FilePath.parent(of: FilePath.parent(of: file)))
        return String(decoding: try FileAccess.system.read("\(root)/docs/configuration.md", 1 << 20), as: UTF8.self)
    }

    @Test("every example is taken without a word")
    func examples() throws {
        let parts = try page().split(separator: "```")
        let examples = parts.filter { $0.hasPrefix("toml\n") }.map { String($0.dropFirst(5)) }
        #expect(examples.count >= 3)
        let files = FileAccess.over(texts: [
            "/srv/shop/web.config": Samples.webConfig.replacing("hostingModel=\"inprocess\"", with: "")
        ])
        for example in examples {
            let isSite = example.contains("[site]")
            let snapshot = ConfigurationLoader.check(
                text: isSite ? example : Samples.shop, name: "shop", files: files, daemonText: isSite ? nil : example)
            #expect(snapshot.diagnostics.map(\.description) == [])
            #expect(snapshot.sites.count == 1)
        }
    }

    @Test("every key that a file may hold is on the page")
    func keys() throws {
        let page = try page()
        let known = [
            "site", "application", "module", "pool", "daemon", "listener", "timeouts", "httperr", "defaults",
            "reservation",
        ]
        // A file with one wrong key in each table makes the reader say which it knows.
        let site = """
            "?" = 1
            [site]
            "?" = 1
            [site.limits]
            "?" = 1
            [site.timeouts]
            "?" = 1
            [site.log]
            "?" = 1
            [pool.shop]
            "?" = 1
            ping = { "?" = 1 }
            rapid_fail = { "?" = 1 }
            recycling = { "?" = 1 }
            [[application]]
            "?" = 1
            hosting = "static"
            request_limits = { "?" = 1 }
            [[module]]
            "?" = 1
            name = "request-filtering"
            [[module]]
            "?" = 1
            name = "basic-authentication"
            [[module]]
            "?" = 1
            name = "url-authorization"
            """
        let daemon = """
            "?" = 1
            [daemon]
            "?" = 1
            [listener]
            "?" = 1
            [timeouts]
            "?" = 1
            [httperr]
            "?" = 1
            [defaults]
            "?" = 1
            [[reservation]]
            "?" = 1
            """
        let snapshot = ConfigurationLoader.check(text: site, name: "shop", daemonText: daemon)
        let advice = snapshot.diagnostics.filter { $0.kind == .unknownKey }.compactMap(\.advice)
        #expect(advice.count == 21)
        for line in advice {
            #expect(line.hasPrefix("known are "))
            for key in line.dropFirst("known are ".count).split(separator: ", ") where !known.contains(String(key)) {
                #expect(page.contains("`\(key)`") || page.contains("\(key) ="), "\(key) is not on the page")
            }
        }
    }
}
