import Testing

@testable import BerthConfiguration

@Suite("TOML text, whatever it holds, is read or refused with a place")
struct TOMLDocumentTests {
    private func read(_ text: String) -> (table: TOMLTable?, errors: [String]) { read(Array(text.utf8)) }

    private func read(_ text: [UInt8]) -> (table: TOMLTable?, errors: [String]) {
        let diagnostics = DiagnosticCollector()
        let table = TOMLDocument.read(text, file: "f", diagnostics: diagnostics)
        return (table, diagnostics.diagnostics.map(\.description))
    }

    @Test("keys and values keep the order and the places of the file")
    func places() throws {
        let table = try #require(read("z = 1\n\n[b.c]\n\"ä\" = [\n  true,\n  \"x\" ]\na = {d = 1.5}\n").table)
        #expect(table.entries.map(\.key) == ["z", "b"])
        guard case .table(let b) = table.entries[1].value.content, case .table(let c) = b.entries[0].value.content
        else {
            Issue.record("no table")
            return
        }
        #expect(c.location.line == 3)
        #expect(c.entries.map(\.key) == ["ä", "a"])
        #expect(c.entries[0].location == SourceLocation(file: "f", line: 4, column: 1))
        guard case .array(let elements) = c.entries[0].value.content else {
            Issue.record("no array")
            return
        }
        #expect(elements.map(\.location.line) == [5, 6])
        #expect(elements.map(\.location.column) == [3, 3])
    }

    @Test("a byte order mark is skipped; nothing is an empty table")
    func edges() throws {
        #expect(read("\u{FEFF}a = 1").table?.entries.map(\.key) == ["a"])
        #expect(read("").table?.entries.isEmpty == true)
    }

    @Test(
        "not TOML",
        arguments: [
            ("a = ", 1), ("a = 1\na = 2", 2), ("\n[a", 2), ("a = \"", 1), ("\"\"\"", 1), ("a = 1__0", 1), ("\u{0}", 1),
        ])
    func syntax(_ text: String, _ line: Int) throws {
        let result = read(text)
        #expect(result.table == nil)
        #expect(result.errors.count == 1)
        #expect(result.errors.first?.hasPrefix("f:\(line):") == true)
    }

    @Test(
        "an error at an end that came too early is at that end, not behind it",
        arguments: [("'\n", "f:1:2:"), ("'", "f:1:2:"), ("a = \"\u{e9}", "f:1:7:"), ("a = [\n1,\n", "f:2:3:")])
    func tooEarly(_ text: String, _ place: String) {
        #expect(read(text).errors.first?.hasPrefix(place) == true, "\(read(text).errors)")
    }

    @Test("octets that are no UTF-8 are refused")
    func utf8() {
        #expect(read([0x61, 0x3D, 0x22, 0xFF, 0x22]).errors.first?.hasPrefix("f:1:") == true)
    }

    @Test("a key has at most 16 parts")
    func keyParts() {
        func key(_ parts: Int) -> String { Array(repeating: "a", count: parts).joined(separator: ".") }
        #expect(read("\(key(16)) = 1").table != nil)
        #expect(read("\(key(17)) = 1").errors == ["f:1:32: error: a key of more than 16 parts"])
        #expect(read("\n[\(key(17))]").errors == ["f:2:33: error: a key of more than 16 parts"])
        #expect(read("x = {\(key(17)) = 1}").errors.count == 1)
        #expect(read(key(500_000)).errors.count == 1)
    }

    @Test("dots in strings and comments are no parts of a key")
    func dots() {
        let dots = String(repeating: ".", count: 100)
        #expect(
            read(
                "a = \"\(dots)\\\"\(dots)\" # \(dots)\nb = '\(dots)'\nc = \"\"\"\n\(dots)\n\"\"\"\nd='''\(dots)''' # \(dots)"
            ).table != nil)
        #expect(read("a = \"\"\"x\"\"\"\"\" # \(dots)\n").table != nil)
    }

    @Test("arrays and inline tables nest at most 16 deep; deeper ones do not cost a stack")
    func nesting() {
        func nested(_ depth: Int) -> String {
            "a = " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(read(nested(16)).table != nil)
        #expect(read(nested(17)).errors.count == 1)
        #expect(read(nested(100_000)).errors.count == 1)
        #expect(read("a = " + String(repeating: "{a=", count: 100_000)).errors.count == 1)
        #expect(read(String(repeating: "[", count: 1_000_000)).errors.count == 1)
    }

    @Test("a text is at most 1 MiB long and holds at most 131072 values")
    func size() {
        let full = "#" + String(repeating: "x", count: TOMLDocument.sizeMax - 1)
        #expect(read(full).table != nil)
        #expect(read(full + "x").errors == ["f:1:1: error: the file is larger than 1 MiB"])
        // The document's own table and the array are two of them.
        func values(_ count: Int) -> String {
            "a=[" + Array(repeating: "1", count: count - 2).joined(separator: ",") + "]"
        }
        #expect(read(values(131_072)).table != nil)
        #expect(read(values(131_073)).errors.count == 1)
    }
}
