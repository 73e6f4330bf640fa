import Testing

@testable import BerthListener

@Suite("Heads that were sent before in this second")
struct PreparedHeadsTests {
    /// Keeps the head of these fields as the listener encodes it, and hands over what the memory of both is found with.
    private func withHeads(
        _ fields: [(String, String)], preamble: String = "HTTP/1.1 200 OK\r\nDate: today\r\n",
        _ body: (PreparedHeads, _ text: String) -> Void
    ) {
        let heads = PreparedHeads()
        defer { heads.deallocate() }
        let text = preamble + fields.map { "\($0.0): \($0.1)\r\n" }.joined() + "Content-Length: "
        keep(heads, text, fields, fieldsOffset: preamble.utf8.count)
        body(heads, text)
    }

    /// Keeps a head that ends behind `Content-Length: 5`.
    private func keep(_ heads: PreparedHeads, _ text: String, _ fields: [(String, String)], fieldsOffset: Int) {
        var octets = Array((text + Self.numbered).utf8)
        withFields(fields) { start, count in
            heads.keep(
                &octets, text.utf8.count, contentLength: 5, wholeLength: octets.count, start, count,
                fieldsOffset: fieldsOffset, second: 7)
        }
    }

    private static let numbered = "5\r\n\r\n"

    /// In memory of their own, as modules have them.
    private func withFields(
        _ fields: [(String, String)], _ body: (UnsafePointer<ResponseField>, Int) -> Void
    ) {
        func run(_ text: String) -> OctetRun {
            let octets = UnsafeMutablePointer<UInt8>.allocate(capacity: max(text.utf8.count, 1))
            for (place, octet) in text.utf8.enumerated() { octets[place] = octet }
            return OctetRun(octets, text.utf8.count)
        }
        let all = fields.map { ResponseField(name: run($0.0), value: run($0.1)) }
        all.withUnsafeBufferPointer { if let start = $0.baseAddress { body(start, all.count) } }
        for field in all {
            field.name.start?.deallocate()
            field.value.start?.deallocate()
        }
    }

    private func found(_ heads: PreparedHeads, _ fields: [(String, String)], second: Int64 = 7) -> String? {
        var text: String?
        withFields(fields) { start, count in
            guard let head = heads.find(start, count, second: second) else { return }
            let whole = OctetRun(head.pointee.octets, head.pointee.wholeLength).text
            text = OctetRun(head.pointee.octets, head.pointee.length).text
            #expect(whole == (text ?? "") + Self.numbered)
            #expect(head.pointee.contentLength == 5)
        }
        return text
    }

    @Test("the same fields find their head, with every number of fields that is kept", arguments: 1...3)
    func same(count: Int) {
        let fields = Array([("Content-Type", "text/plain"), ("X", "a"), ("Cache-Control", "no-store")].prefix(count))
        withHeads(fields) { heads, text in
            #expect(found(heads, fields) == text)
            #expect(found(heads, fields, second: 8) == nil, "another second has another date")
            #expect(found(heads, fields + [("Y", "b")]) == nil)
            #expect(found(heads, Array(fields.dropLast())) == nil)
        }
    }

    @Test("an octet that differs anywhere, and octets that are divided in another way, are another head")
    func other() {
        let fields = [("Content-Type", "text/plain; charset=utf-8"), ("X", "a: b")]
        withHeads(fields) { heads, text in
            #expect(found(heads, fields) == text)
            for (index, field) in fields.enumerated() {
                for place in 0..<field.0.utf8.count {
                    var changed = fields
                    changed[index].0 = replacing(field.0, place)
                    #expect(found(heads, changed) == nil, "\(changed)")
                }
                for place in 0..<field.1.utf8.count {
                    var changed = fields
                    changed[index].1 = replacing(field.1, place)
                    #expect(found(heads, changed) == nil, "\(changed)")
                }
            }
            #expect(found(heads, [fields[0], ("X: a", "b")]) == nil)
        }
    }

    private func replacing(_ text: String, _ place: Int) -> String {
        var octets = Array(text.utf8)
        octets[place] ^= 1
        return String(decoding: octets, as: UTF8.self)
    }

    @Test("what is too long or has too many fields is not kept, and what is just not is")
    func limits() {
        let four = [("A", "1"), ("B", "2"), ("C", "3"), ("D", "4")]
        withHeads(four) { heads, _ in #expect(found(heads, four) == nil) }
        // "X: " and the line's end, "Content-Length: ".
        let longest = String(repeating: "v", count: PreparedHeads.octetsMax - 21 - Self.numbered.utf8.count)
        withHeads([("X", longest)], preamble: "") { heads, text in
            #expect(text.utf8.count + Self.numbered.utf8.count == PreparedHeads.octetsMax)
            #expect(found(heads, [("X", longest)]) == text)
        }
        withHeads([("X", longest + "v")], preamble: "") { heads, _ in
            #expect(found(heads, [("X", longest + "v")]) == nil)
        }
    }

    @Test("a head takes the place of another")
    func replaced() {
        let first = [("Content-Type", "text/html")]
        let second = [("Content-Type", "text/css2")]
        withHeads(first) { heads, _ in
            let text = "HTTP/1.1 200 OK\r\nContent-Type: text/css2\r\nContent-Length: "
            keep(heads, text, second, fieldsOffset: 17)
            #expect(found(heads, first) == nil)
            #expect(found(heads, second) == text)
        }
    }
}
