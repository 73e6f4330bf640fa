import BerthControl
import Testing
import berthctl

@Suite("pages for people")
struct PageTests {
    private func lines(_ diagnostic: DiagnosticRecord) -> [String] {
        var page = Page()
        page.add(diagnostic)
        return page.lines
    }

    @Test("a diagnostic is shown with its place, its line, a caret below the column, and what to write")
    func diagnostic() {
        let diagnostic = DiagnosticRecord(
            severity: .error, file: "/etc/berth/sites.d/shop.toml", line: 4, column: 3, message: "unknown key",
            hint: "write: bindings", sourceLine: "\tä binding = []")
        #expect(
            lines(diagnostic) == [
                "/etc/berth/sites.d/shop.toml:4:3: error: unknown key", "     ä binding = []", "      ^",
                "    write: bindings",
            ])
    }

    @Test("columns count Unicode scalars, and the caret stands below the character that they make")
    func combined() {
        let diagnostic = DiagnosticRecord(
            severity: .error, file: "f", line: 1, column: 5, message: "m", sourceLine: "ka\u{308}日x")
        #expect(lines(diagnostic)[2] == "        ^")
    }

    @Test("a diagnostic without a place is its message; a column outside of the line gets no caret")
    func barely() {
        #expect(lines(DiagnosticRecord(severity: .warning, message: "m")) == ["warning: m"])
        for (column, count) in [(0, 2), (1, 3), (3, 3), (4, 2)] {
            let diagnostic = DiagnosticRecord(
                severity: .note, file: "f", line: 1, column: column, message: "m", sourceLine: "ab")
            #expect(lines(diagnostic).count == count)
        }
    }

    @Test("what comes from files cannot steer the terminal")
    func clean() {
        let diagnostic = DiagnosticRecord(
            severity: .error, file: "a\u{1B}b", message: "c\u{7}d", hint: "e\nf", sourceLine: "g\u{9B}h")
        #expect(!lines(diagnostic).joined().unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x9B })
    }

    @Test("a page without colours has no escape sequences, one with colours says the same words")
    func colors() {
        func text(usesColor: Bool) -> String {
            var page = Page(usesColor: usesColor)
            page.add("a", .bad)
            page.add(label: "label", "b", .good)
            page.add(DiagnosticRecord(severity: .error, file: "f", line: 1, message: "m"))
            return page.text
        }
        #expect(!text(usesColor: false).contains("\u{1B}"))
        var plain = text(usesColor: true)
        for style in [Style.heading, .good, .warning, .bad, .faint] {
            plain = plain.replacing("\u{1B}[\(style.rawValue)m", with: "")
        }
        #expect(plain.replacing("\u{1B}[0m", with: "") == text(usesColor: false))
    }
}
