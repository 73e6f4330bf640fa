import Testing

@testable import BerthConfiguration

@Suite("A diagnostic is rendered with its line and a caret")
struct RenderingTests {
    private func diagnostic(_ line: String?, column: Int) -> ConfigurationDiagnostic {
        ConfigurationDiagnostic(
            .error, .unknownKey, at: SourceLocation(file: "shop.toml", line: 12, column: column), "unknown key \"x\"",
            advice: "write \"y\"", sourceLine: line)
    }

    @Test("the caret stands under the place, and a tab stays a tab")
    func caret() {
        #expect(
            diagnostic("\tx = 1", column: 2).rendered()
                == "shop.toml:12:2: error: unknown key \"x\"; write \"y\"\n   12 | \tx = 1\n      | \t^")
    }

    @Test("without the line there is one line")
    func plain() {
        #expect(diagnostic(nil, column: 1).rendered() == "shop.toml:12:1: error: unknown key \"x\"; write \"y\"")
    }

    @Test("of a long line the part around the place is shown")
    func long() {
        let lines = diagnostic(String(repeating: "a", count: 5000), column: 4000).rendered().split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[1].count == 8 + 120)
        #expect(lines[2].count == 8 + 61)
    }

    @Test("a column behind the line is its end")
    func behind() {
        #expect(diagnostic("ab", column: 100).rendered().hasSuffix("   12 | ab\n      |   ^"))
    }

    @Test("control characters of a file do not reach the terminal")
    func controls() {
        let text = diagnostic("a = \"\u{1B}[31m\u{202E}\"", column: 1).rendered()
        #expect(!text.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x202E })
    }

    @Test("a site file's error carries its line")
    func fromFile() throws {
        let snapshot = ConfigurationLoader.check(text: "[site]\r\nbindngs = 1\r\n", name: "a")
        let diagnostic = try #require(snapshot.diagnostics.first { $0.kind == .unknownKey })
        #expect(
            diagnostic.rendered() == """
                /etc/berth/sites.d/a.toml:2:1: error: unknown key "bindngs" in [site]; write "bindings"
                    2 | bindngs = 1
                      | ^
                """)
    }
}
