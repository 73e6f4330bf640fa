import BerthHTTP
import Testing

@Suite("the small grammars that modules are held to")
struct OctetRulesTests {
    private func with<R>(_ text: String, _ body: (UnsafePointer<UInt8>, Int) -> R) -> R {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(text.unicodeScalars.count, 1))
        defer { memory.deallocate() }
        let input = octets(text)
        for index in input.indices { memory[index] = input[index] }
        return body(memory, input.count)
    }

    @Test("tokens (RFC 9110 §5.6.2)")
    func tokens() {
        for text in ["a", "Content-Type", "!#$%&'*+-.^_`|~09", "x_y"] {
            #expect(with(text) { OctetRules.isToken($0, $1) })
        }
        for text in ["", " ", "a b", "a:", "a\r\n", "\u{0}", "\u{e9}", "(a)", "a/b", "a\t"] {
            #expect(!with(text) { OctetRules.isToken($0, $1) }, "\(text.debugDescription)")
        }
    }

    @Test("field values (RFC 9110 §5.5)")
    func fieldValues() {
        for text in ["", "a", "a b", "a\tb", "caf\u{e9}", String(repeating: "x", count: 100)] {
            #expect(with(text) { OctetRules.isFieldValue($0, $1) }, "\(text.debugDescription)")
        }
        for text in [
            " a", "a ", "\ta", "a\t", " ", "a\r\nb", "a\rb", "a\nb", "a\u{0}b", "\u{1}", "a\u{7f}", "caf\u{e9}\n",
        ] {
            #expect(!with(text) { OctetRules.isFieldValue($0, $1) }, "\(text.debugDescription)")
        }
    }

    @Test("UTF-8, compared with what Swift thinks of it (fixed seed)")
    func utf8() {
        var random = SeededRandom(seed: 0xBE27_0007)
        let text = Array("a\u{e9}\u{20ac}\u{1f600}z\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}\u{d7ff}\u{e000}".utf8)
        for round in 0..<30_000 {
            let input = random.mutate(text)
            let valid = String(validating: input, as: UTF8.self) != nil
            #expect(
                with(latin1(input)) { OctetRules.isUTF8($0, $1) } == valid, "seed 0xBE270007 round \(round): \(input)")
        }
        #expect(with("\u{c2}\u{80}") { OctetRules.isUTF8($0, $1) })
        #expect(!with("\u{c2}\u{80}") { OctetRules.isUTF8($0, $1, allowingC1: false) })
        #expect(!with("\u{c2}\u{9f}") { OctetRules.isUTF8($0, $1, allowingC1: false) })
        #expect(with("\u{c2}\u{a0}") { OctetRules.isUTF8($0, $1, allowingC1: false) })
    }

    @Test("percent encoding for a path, and no more than there is room for")
    func percentEncode() {
        func encode(_ text: String, _ capacity: Int) -> String? {
            var memory = [UInt8](repeating: 0, count: capacity + 1)
            let length = with(text) { OctetRules.percentEncode($0, $1, into: &memory, capacity: capacity) }
            #expect(memory[capacity] == 0)
            return length.map { latin1(memory[0..<$0]) }
        }
        #expect(encode("/a b%\u{e9}?#\u{0}", 64) == "/a%20b%25%E9%3F%23%00")
        #expect(encode("/-._~!$&'()*+,;=:@09azAZ", 64) == "/-._~!$&'()*+,;=:@09azAZ")
        #expect(encode("a b", 5) == "a%20b")
        #expect(encode("a b", 4) == nil)
        #expect(encode("ab", 1) == nil)
        #expect(encode("", 0) == "")
    }

    @Test("lists of tokens (RFC 9110 §5.6.1)")
    func lists() {
        func members(_ text: String) -> [String] {
            with(text) { start, count in
                var cursor = ListCursor(start, count)
                var found: [String] = []
                while cursor.advance() {
                    found.append(latin1(UnsafeBufferPointer(start: start + cursor.offset, count: cursor.length)))
                }
                return found
            }
        }
        #expect(members("") == [])
        #expect(members(" , ,,\t") == [])
        #expect(members("a") == ["a"])
        #expect(members(" a , b c,,d\t,") == ["a", "b c", "d"])
    }

    @Test("comparison without regard to case looks at letters only")
    func equality() {
        #expect(with("CoNnEctION") { OctetRules.equal($0, $1, "connection") })
        #expect(!with("connectio") { OctetRules.equal($0, $1, "connection") })
        #expect(!with("connectionn") { OctetRules.equal($0, $1, "connection") })
        #expect(!with("a\r") { OctetRules.equal($0, $1, "a-") }, "CR and - differ in bit 5 only")
        #expect(!with("@") { OctetRules.equal($0, $1, "`") })
        #expect(with("") { OctetRules.equal($0, $1, "") })
    }
}
