import BerthHTTP

/// What a parser made of response octets, comparable between two runs over the same octets.
struct ResponseReading: Equatable {
    var outcome: ResponseOutcome
    var head = ResponseHead()
    var fields: [FieldSlice] = []

    init(_ input: [UInt8], cuts: [Int] = [], limits: ParserLimits = ParserLimits()) {
        let slices = UnsafeMutablePointer<FieldSlice>.allocate(capacity: limits.fieldsMax)
        defer { slices.deallocate() }
        let parser = ResponseParser(limits: limits)
        var head = ResponseHead()
        var outcome = ResponseOutcome.incomplete
        Pieces.feed(input, cuts: cuts) { octets, count in
            outcome = parser.parse(&head, octets, count, fields: slices)
            return outcome != .incomplete
        }
        self.outcome = outcome
        if outcome != .complete { return }
        self.head = head
        fields = Array(UnsafeBufferPointer(start: slices, count: Int(head.fieldCount)))
    }

    static func == (a: ResponseReading, b: ResponseReading) -> Bool {
        a.outcome == b.outcome && a.fields == b.fields && numbers(a.head) == numbers(b.head)
    }

    private static func numbers(_ head: ResponseHead) -> [UInt64] {
        [
            UInt64(bitPattern: head.contentLength), UInt64(head.headLength), UInt64(head.flags.rawValue),
            UInt64(head.reasonOffset), UInt64(head.reasonLength), UInt64(head.status), UInt64(head.versionMinor),
        ]
    }

    /// Throws unless everything that was found lies where it belongs and is what it is said to be.
    func checkPlaces(in input: [UInt8]) throws {
        let end = UInt64(head.headLength)
        try require(end <= UInt64(input.count), "the head is longer than the input")
        try require(UInt64(head.reasonOffset) + UInt64(head.reasonLength) < end, "the reason lies outside the head")
        try input.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            var last = UInt64(head.reasonOffset) + UInt64(head.reasonLength)
            for field in fields {
                try require(UInt64(field.nameOffset) > last, "fields overlap")
                last = UInt64(field.valueOffset) + UInt64(field.valueLength)
                try require(last < end, "a field lies outside the head")
                try require(
                    OctetRules.isToken(base + Int(field.nameOffset), Int(field.nameLength)), "a field name is no token")
                try require(
                    OctetRules.isFieldValue(base + Int(field.valueOffset), Int(field.valueLength)),
                    "a field value cannot be sent")
            }
        }
    }
}
