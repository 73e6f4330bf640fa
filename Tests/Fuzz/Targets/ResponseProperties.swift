import BerthHTTP

/// Response heads of workers: the pieces do not matter, nothing lies outside, and what is written again is the same head.
enum ResponseProperties {
    static func check(_ input: [UInt8]) throws {
        try checkPieces(input, limits: RequestProperties.tight)
        let reading = try checkPieces(input, limits: ParserLimits())
        if reading.outcome == .complete { try checkFraming(reading.head) }
        if reading.outcome == .complete { try checkRewritten(input, reading) }
    }

    @discardableResult
    private static func checkPieces(_ input: [UInt8], limits: ParserLimits) throws -> ResponseReading {
        let whole = ResponseReading(input, limits: limits)
        for cuts in Pieces.cuts(of: input) {
            let again = ResponseReading(input, cuts: cuts, limits: limits)
            try require(again == whole, "in pieces \(cuts.prefix(3)): \(again.outcome), whole: \(whole.outcome)")
        }
        guard whole.outcome == .complete else { return whole }
        try whole.checkPlaces(in: input)
        let end = Int(whole.head.headLength)
        let short = ResponseReading(Array(input[..<(end - 1)]), limits: limits)
        try require(short.outcome == .incomplete, "complete before its last octet: \(short.outcome)")
        try require(ResponseReading(Array(input[..<end]), limits: limits) == whole, "what follows the head changes it")
        return whole
    }

    /// RFC 9112 §6.3, item by item.
    private static func checkFraming(_ head: ResponseHead) throws {
        let chunked = head.flags.contains(.hasTransferEncoding)
        try require(!(chunked && head.flags.contains(.hasContentLength)), "two ways to frame the content")
        try require((head.contentLength >= 0) == head.flags.contains(.hasContentLength), "a length out of nothing")
        for method in [RequestMethod.get, .head, .post, .other] {
            let bodiless = method == .head || head.status / 100 == 1 || head.status == 204 || head.status == 304
            let expected: ContentFraming =
                bodiless ? .none : chunked ? .chunked : head.contentLength >= 0 ? .contentLength : .untilClose
            try require(head.framing(requestMethod: method) == expected, "framing for \(method)")
            if expected == .untilClose || head.status == 101 || head.flags.contains(.connectionClose) {
                try require(!head.isPersistent(requestMethod: method), "kept although it ends with the connection")
            }
        }
        try require((100...999).contains(head.status), "status \(head.status)")
    }

    /// Written with the daemon's writer, read again.
    private static func checkRewritten(_ input: [UInt8], _ reading: ResponseReading) throws {
        let head = reading.head
        let capacity = input.count + 4 * reading.fields.count + 32
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        defer { memory.deallocate() }
        var out = OctetWriter(memory, capacity: capacity)
        Pieces.withExactly(input, input.count) { base in
            out.putStatusLine(head.status, reason: base + Int(head.reasonOffset), Int(head.reasonLength))
            for field in reading.fields {
                out.putField(
                    base + Int(field.nameOffset), Int(field.nameLength), base + Int(field.valueOffset),
                    Int(field.valueLength))
            }
            out.putLineEnd()
        }
        try require(!out.overflowed, "longer than it can be")
        let wire = Array(UnsafeBufferPointer(start: memory, count: out.count))
        let again = ResponseReading(wire, limits: ParserLimits(requestBytesMax: 131_072, fieldLengthMax: 65_534))
        // A response of HTTP/1.0 with a transfer coding is refused, so raising the version keeps it acceptable.
        try require(again.outcome == .complete, "refused when written again: \(again.outcome)")
        try require(Int(again.head.headLength) == wire.count, "the head ends elsewhere")
        try require(again.head.status == head.status, "the status has changed")
        try require(
            again.head.flags == head.flags && again.head.contentLength == head.contentLength, "the framing has changed")
        func parts(_ octets: [UInt8], _ reading: ResponseReading) -> [[UInt8]] {
            let head = reading.head
            return [ForwardingProperties.slice(octets, head.reasonOffset, UInt32(head.reasonLength))]
                + reading.fields.flatMap { field in
                    [
                        ForwardingProperties.slice(octets, field.nameOffset, UInt32(field.nameLength)),
                        ForwardingProperties.slice(octets, field.valueOffset, UInt32(field.valueLength)),
                    ]
                }
        }
        try require(parts(input, reading) == parts(wire, again), "the reason or a field has changed")
        try require(reading.fields.map(\.id) == again.fields.map(\.id), "a field has another number")
    }
}
