@testable import BerthHosting
import BerthHTTP
import BerthListener
import CBerthSystem

/// What the front accepted as one request reaches a worker as that one request: parsed, written for the worker and parsed
/// again, it has the same method, target, host, end-to-end fields and content, and the next message begins right behind it.
enum ForwardingProperties {
    private static let token = Array("MS-ASPNETCORE-TOKEN: 0123abcd\r\n".utf8)
    private static let next = Array("GET /next HTTP/1.1\r\nHost: next\r\n\r\n".utf8)
    /// What the worker is read with: room for what the front adds.
    private static let workerLimits = ParserLimits(
        requestBytesMax: 65_536, fieldLengthMax: 65_534, urlLengthMax: 65_534, fieldsMax: 110)

    static func check(_ input: [UInt8], _ reading: RequestReading) throws {
        let head = reading.head
        guard let path = PathProperties.cook(slice(input, head.pathOffset, head.pathLength)) else { return }
        let forwarded = try written(input, reading, path)

        var wire = forwarded
        var content: [UInt8]?
        if case .complete(let octets, _) = MessageContent(of: head, input) {
            content = octets
            wire += head.framing == .chunked ? chunked(octets, seed: Pieces.hash(of: input)) : octets
            wire += next
        }
        let again = RequestReading(wire, limits: workerLimits)
        try require(again.outcome == .complete, "refused as the worker gets it: \(again.outcome): \(shown(forwarded))")
        try require(Int(again.head.headLength) == forwarded.count, "the head ends elsewhere: \(shown(forwarded))")
        try require(
            encoded(again, wire) == forwarded, "not written from what was parsed alone: \(shown(forwarded))")
        try compareStart(input, reading, wire, again, path)
        try compareFields(input, reading, wire, again)
        guard let content else { return }
        guard case .complete(let octets, let length) = MessageContent(of: again.head, wire) else {
            throw Violation(description: "the content is not complete any more")
        }
        try require(octets == content, "the content has changed")
        try require(wire.count - forwarded.count - length == next.count, "the next message begins elsewhere")
    }

    /// A head in the one form that its parsed parts have on the wire: a message that was copied keeps more than them.
    private static func encoded(_ reading: RequestReading, _ wire: [UInt8]) -> [UInt8] {
        let head = reading.head
        var octets = slice(wire, head.methodOffset, UInt32(head.methodLength)) + [0x20]
        octets += slice(wire, head.targetOffset, head.targetLength)
        octets += Array(" HTTP/1.\(head.versionMinor)\r\n".utf8)
        for field in reading.fields {
            octets += slice(wire, field.nameOffset, UInt32(field.nameLength)) + Array(": ".utf8)
            octets += slice(wire, field.valueOffset, UInt32(field.valueLength)) + Array("\r\n".utf8)
        }
        return octets + Array("\r\n".utf8)
    }

    /// The head as the worker gets it, written into exactly as much memory as is promised to be enough.
    static func written(_ input: [UInt8], _ reading: RequestReading, _ path: [UInt8]) throws -> [UInt8] {
        let head = reading.head
        let raw = slice(input, head.pathOffset, head.pathLength)
        var client = cberth_address()
        client.family = 4
        client.bytes = (127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        client.port = 5000
        let nowhere = UnsafeMutablePointer<FieldSlice>.allocate(capacity: 1)
        defer { nowhere.deallocate() }
        return try Pieces.withExactly(input, Int(head.headLength)) { base in
            try Pieces.withExactly(path, path.count) { cooked in
                try reading.fields.withUnsafeBufferPointer { fields in
                    try token.withUnsafeBufferPointer { token in
                        try withUnsafePointer(to: client) { client in
                            // A pointer to no fields is still a pointer.
                            let slices = fields.baseAddress ?? UnsafePointer(nowhere)
                            let place = path == raw ? base + Int(head.pathOffset) : cooked
                            let forwarded = ForwardedHead(
                                head: head, base: base, fields: slices, path: OctetRun(place, path.count),
                                client: client, tokenField: OctetRun(token.baseAddress, token.count),
                                upgrade: ForwardedHead.isWebSocket(head, base, slices))
                            return try written(forwarded)
                        }
                    }
                }
            }
        }
    }

    private static func written(_ forwarded: ForwardedHead) throws -> [UInt8] {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: forwarded.lengthMax)
        defer { memory.deallocate() }
        var out = OctetWriter(memory, capacity: forwarded.lengthMax)
        forwarded.write(&out)
        try require(!out.overflowed, "longer than lengthMax")
        return Array(UnsafeBufferPointer(start: memory, count: out.count))
    }

    private static func compareStart(
        _ input: [UInt8], _ before: RequestReading, _ wire: [UInt8], _ after: RequestReading, _ path: [UInt8]
    ) throws {
        let (a, b) = (before.head, after.head)
        try require(
            slice(input, a.methodOffset, UInt32(a.methodLength)) == slice(wire, b.methodOffset, UInt32(b.methodLength)),
            "the method has changed")
        try require(a.versionMinor == b.versionMinor, "the version has changed")
        try require(
            b.targetForm == (isAboutTheServer(input, a) ? .asterisk : .origin), "the form of the target is wrong")
        let again = b.targetForm == .asterisk ? path : slice(wire, b.pathOffset, b.pathLength)
        try require(
            PathProperties.cook(again) == path,
            "the worker reads another path: \(shown(again)) for \(shown(path))")
        try require(
            slice(input, a.queryOffset, a.queryLength) == slice(wire, b.queryOffset, b.queryLength),
            "the query has changed")
        try require(
            slice(input, a.hostOffset, UInt32(a.hostLength)) == slice(wire, b.hostOffset, UInt32(b.hostLength)),
            "the host has changed")
        try require(a.hostNameLength == b.hostNameLength && a.hostPort == b.hostPort, "name or port have changed")
        try require(a.framing == b.framing && a.contentLength == b.contentLength, "the framing has changed")
        try require(!b.flags.contains(.expectContinue) && !b.flags.contains(.expectOther), "Expect is passed on")
    }

    /// OPTIONS with `*`, or with an absolute URI that has neither path nor query (RFC 9112 §3.2.4).
    private static func isAboutTheServer(_ input: [UInt8], _ head: RequestHead) -> Bool {
        let target = String(decoding: slice(input, head.targetOffset, head.targetLength), as: UTF8.self)
        if head.method != .options { return false }
        return target == "*"
            || target.contains("://") && target.split(separator: "/").count == 2
                && !target.contains("?") && !target.hasPrefix("/") && !target.hasSuffix("/")
    }

    private typealias Field = (name: String, value: [UInt8])

    private static func fields(_ octets: [UInt8], _ reading: RequestReading) -> [Field] {
        reading.fields.map { field in
            let name = slice(octets, field.nameOffset, UInt32(field.nameLength))
            return (
                String(decoding: name, as: UTF8.self), slice(octets, field.valueOffset, UInt32(field.valueLength))
            )
        }
    }

    /// Fields of one connection, and those that the front answers for, by name; the names are our own reading of RFC 9110
    /// §7.6.1 and of `docs/configuration.md`, on purpose not the tables of the code under test.
    private static let ownFields: Set<String> = [
        "connection", "content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer", "keep-alive",
        "proxy-connection", "x-forwarded-for", "x-forwarded-proto", "http2-settings", "host",
        "via", "proxy",
    ]

    private static func compareFields(
        _ input: [UInt8], _ before: RequestReading, _ wire: [UInt8], _ after: RequestReading
    ) throws {
        let (sent, received) = (fields(input, before), fields(wire, after))
        var nominated: Set<String> = []
        for field in sent where field.name.lowercased() == "connection" {
            for option in field.value.split(separator: UInt8(ascii: ",")) {
                let word = String(decoding: option, as: UTF8.self)
                nominated.insert(trimmed(word).lowercased())
            }
        }
        let upgraded = received.contains { $0.name == "Upgrade" }
        var leftOut = ownFields
        // Counted down on its way (RFC 9110 §7.6.2).
        if before.head.method == .options { leftOut.insert("max-forwards") }
        let kept = sent.filter { field in
            let name = field.name.lowercased()
            return !leftOut.contains(name) && !name.hasPrefix("ms-aspnetcore") && !name.contains("_")
                && !nominated.contains(name) && !(upgraded && name == "sec-websocket-extensions")
        }
        let passed = received.filter {
            !leftOut.contains($0.name.lowercased()) && !$0.name.lowercased().hasPrefix("ms-aspnetcore")
        }
        try require(
            kept.count == passed.count
                && zip(kept, passed).allSatisfy { $0.name == $1.name && $0.value == $1.value },
            "end-to-end fields: \(kept.map(\.name)) became \(passed.map(\.name))")

        func count(_ name: String) -> Int { received.count { $0.name.lowercased() == name } }
        func ends(_ name: String, with end: String) -> Bool {
            received.first { $0.name == name }.map { $0.value.suffix(end.utf8.count).elementsEqual(end.utf8) } ?? false
        }
        try require(received.count { $0.name.lowercased().hasPrefix("ms-aspnetcore") } == 1, "not one token field")
        try require(ends("MS-ASPNETCORE-TOKEN", with: "0123abcd"), "the token is not ours")
        try require(count("x-forwarded-for") == 1 && count("x-forwarded-proto") == 1, "X-Forwarded is not ours alone")
        try require(ends("X-Forwarded-For", with: "127.0.0.1:5000"), "the client's address is not the last")
        try require(ends("X-Forwarded-Proto", with: "http"), "the scheme is not the last")
        try require(
            count("via") == 1 && ends("Via", with: "1.\(before.head.versionMinor) Berth"), "not the last in Via")
        try require(count("host") <= 1, "more than one Host")
        let own: Set<String> = ["te", "trailer", "keep-alive", "proxy-connection", "expect", "http2-settings", "proxy"]
        try require(!received.contains { own.contains($0.name.lowercased()) }, "a field of the connection is passed on")
        try require(
            upgraded
                ? ends("Connection", with: "Upgrade") && ends("Upgrade", with: "websocket")
                    && count("connection") == 1 && count("upgrade") == 1
                : count("connection") == 0 && count("upgrade") == 0,
            "Connection or Upgrade are wrong")
    }

    private static func trimmed(_ word: String) -> String {
        let scalars = word.unicodeScalars.drop { $0 == " " || $0 == "\t" }
        return String(String.UnicodeScalarView(scalars.reversed().drop { $0 == " " || $0 == "\t" }.reversed()))
    }

    /// Content as the forwarder frames it, in chunks whose lengths follow from `seed`.
    static func chunked(_ content: [UInt8], seed: UInt64) -> [UInt8] {
        var coded: [UInt8] = []
        var (start, state) = (0, seed)
        while start < content.count {
            state = state &* 6_364_136_223_846_793_005 &+ 1
            let length = min(content.count - start, 1 + Int(state >> 58))
            let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: length + OctetWriter.chunkHeaderLengthMax + 2)
            defer { memory.deallocate() }
            var out = OctetWriter(memory, capacity: length + OctetWriter.chunkHeaderLengthMax + 2)
            out.putChunkHeader(length)
            content.withUnsafeBufferPointer { if let base = $0.baseAddress { out.put(base + start, length) } }
            out.putLineEnd()
            coded += UnsafeBufferPointer(start: memory, count: out.count)
            start += length
        }
        return coded + Array("0\r\n\r\n".utf8)
    }

    static func slice(_ octets: [UInt8], _ offset: UInt32, _ length: UInt32) -> [UInt8] {
        Array(octets[Int(offset)..<(Int(offset) + Int(length))])
    }
}
