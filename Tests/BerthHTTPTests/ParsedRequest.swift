import BerthHTTP

/// What became of request octets, with everything copied out so that two runs can be compared.
struct ParsedRequest: Equatable {
    var outcome: ParseOutcome
    var method = ""
    var methodID = RequestMethod.other
    var target = ""
    var form = RequestHead.TargetForm.origin
    var path = ""
    var query = ""
    var host = ""
    var hostName = ""
    var port: UInt16 = 0
    var minor: UInt8 = 0
    var framing = ContentFraming.none
    var length: Int64 = 0
    var headLength = 0
    var flags: UInt32 = 0
    var fields: [Field] = []

    struct Field: Equatable {
        var name: String
        var value: String
        var id: UInt16
    }

    func value(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    func has(_ flag: RequestHead.Flags) -> Bool { flags & flag.rawValue == flag.rawValue }
}

/// Octets as text with one character an octet, so that no octet is lost or joined.
func latin1(_ octets: some Sequence<UInt8>) -> String {
    String(String.UnicodeScalarView(octets.map { Unicode.Scalar($0) }))
}

/// The octets of a text with one character an octet.
func octets(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

/// Feeds `input` in pieces that end at `cuts` (then whole), each time from memory that holds not one octet more, at another address.
func parse(_ input: [UInt8], cuts: [Int] = [], limits: ParserLimits = ParserLimits()) -> ParsedRequest {
    var head = RequestHead()
    let slices = UnsafeMutablePointer<FieldSlice>.allocate(capacity: limits.fieldsMax)
    defer { slices.deallocate() }
    let parser = RequestParser(limits: limits)
    var outcome = ParseOutcome.incomplete
    for cut in cuts + [input.count] {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(cut, 1))
        defer { memory.deallocate() }
        input.withUnsafeBufferPointer { memory.update(from: $0.baseAddress ?? UnsafePointer(memory), count: cut) }
        outcome = parser.parse(&head, memory, cut, fields: slices)
        if outcome != .incomplete { break }
    }
    var parsed = ParsedRequest(outcome: outcome)
    guard outcome == .complete else { return parsed }
    func text(_ offset: UInt32, _ length: some BinaryInteger) -> String {
        latin1(input[Int(offset)..<Int(offset) + Int(length)])
    }
    parsed.method = text(head.methodOffset, head.methodLength)
    parsed.methodID = head.method
    parsed.target = text(head.targetOffset, head.targetLength)
    parsed.form = head.targetForm
    parsed.path = text(head.pathOffset, head.pathLength)
    parsed.query = text(head.queryOffset, head.queryLength)
    parsed.host = text(head.hostOffset, head.hostLength)
    parsed.hostName = text(head.hostOffset, head.hostNameLength)
    parsed.port = head.hostPort
    parsed.minor = head.versionMinor
    parsed.framing = head.framing
    parsed.length = head.contentLength
    parsed.headLength = Int(head.headLength)
    parsed.flags = head.flags.rawValue
    for index in 0..<Int(head.fieldCount) {
        let slice = slices[index]
        parsed.fields.append(
            .init(
                name: text(slice.nameOffset, slice.nameLength), value: text(slice.valueOffset, slice.valueLength),
                id: slice.id))
    }
    return parsed
}

func parse(_ text: String, limits: ParserLimits = ParserLimits()) -> ParsedRequest {
    parse(octets(text), limits: limits)
}
