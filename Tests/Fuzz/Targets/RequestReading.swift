import BerthHTTP

/// What a parser made of request octets, comparable between two runs over the same octets.
struct RequestReading: Equatable {
    var outcome: ParseOutcome
    var head = RequestHead()
    var fields: [FieldSlice] = []

    /// Feeds `input` in pieces that end at `cuts`, then whole, each time from memory of its own.
    init(_ input: [UInt8], cuts: [Int] = [], limits: ParserLimits = ParserLimits()) {
        let slices = UnsafeMutablePointer<FieldSlice>.allocate(capacity: limits.fieldsMax)
        defer { slices.deallocate() }
        let parser = RequestParser(limits: limits)
        var head = RequestHead()
        var outcome = ParseOutcome.incomplete
        Pieces.feed(input, cuts: cuts) { octets, count in
            outcome = parser.parse(&head, octets, count, fields: slices)
            return outcome != .incomplete
        }
        self.outcome = outcome
        if outcome != .complete { return }
        self.head = head
        fields = Array(UnsafeBufferPointer(start: slices, count: Int(head.fieldCount)))
    }

    static func == (a: RequestReading, b: RequestReading) -> Bool {
        a.outcome == b.outcome && a.fields == b.fields && numbers(a.head) == numbers(b.head)
    }

    private static func numbers(_ head: RequestHead) -> [UInt64] {
        [
            UInt64(bitPattern: head.contentLength), UInt64(head.headLength), UInt64(head.flags.rawValue),
            UInt64(head.methodOffset), UInt64(head.methodLength), UInt64(head.method.rawValue),
            UInt64(head.targetOffset), UInt64(head.targetLength), UInt64(head.targetForm.rawValue),
            UInt64(head.pathOffset), UInt64(head.pathLength), UInt64(head.queryOffset), UInt64(head.queryLength),
            UInt64(head.hostOffset), UInt64(head.hostLength), UInt64(head.hostNameLength), UInt64(head.hostPort),
            UInt64(head.versionMinor), UInt64(head.framing.rawValue),
        ]
    }

    /// Throws unless everything that was found lies where it belongs and is what it is said to be.
    func checkPlaces(in input: [UInt8]) throws {
        let end = UInt64(head.headLength)
        try require(end <= UInt64(input.count), "the head is longer than the input")
        try require(head.pathLength > 0, "there is no path")
        for (what, offset, length) in [
            ("method", head.methodOffset, UInt32(head.methodLength)), ("target", head.targetOffset, head.targetLength),
            ("path", head.pathOffset, head.pathLength), ("query", head.queryOffset, head.queryLength),
            ("host", head.hostOffset, UInt32(head.hostLength)),
        ] {
            try require(UInt64(offset) + UInt64(length) < end, "the \(what) lies outside the head")
        }
        try require(head.hostNameLength <= head.hostLength, "the host's name is longer than the host")
        try require(
            head.queryLength == 0 || head.queryOffset + head.queryLength == head.targetOffset + head.targetLength,
            "the query does not end with the target")
        var last = UInt64(head.targetOffset + head.targetLength)
        try input.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            try require(
                OctetRules.isToken(base + Int(head.methodOffset), Int(head.methodLength)), "the method is no token")
            for field in fields {
                try require(UInt64(field.nameOffset) > last, "fields overlap")
                try require(
                    field.valueOffset > field.nameOffset + UInt32(field.nameLength), "a value begins before its colon")
                last = UInt64(field.valueOffset) + UInt64(field.valueLength)
                try require(last < end, "a field lies outside the head")
                try require(field.reserved == 0, "a field is left marked")
                try require(
                    OctetRules.isToken(base + Int(field.nameOffset), Int(field.nameLength)), "a field name is no token")
                try require(
                    OctetRules.isFieldValue(base + Int(field.valueOffset), Int(field.valueLength)),
                    "a field value cannot be sent")
            }
        }
    }
}
