import CBerthBytes

/// Reads field lines one after another (RFC 9112 §5), for request heads and response heads alike.
///
/// The grammar is the strict one: CRLF ends a line, a name is a token directly before its colon, no line begins with white
/// space, a value holds no CTL but HTAB.
struct FieldLine {
    /// What a read met.
    enum Step: UInt8 {
        case field, emptyLine, incomplete
        case bareCarriageReturn, bareLineFeed, foldedLine, nameEmpty, nameNotToken, spaceBeforeColon, withoutColon
        case valueOctet, tooLong

        /// Whether the defect lies in a line that would have been a field.
        var isInsideField: Bool {
            self != .field && self != .emptyLine && self != .incomplete
        }
    }

    /// Where the next line begins.
    private(set) var next: UnsafePointer<UInt8>
    private(set) var nameOffset = 0
    private(set) var nameLength = 0
    private(set) var valueOffset = 0
    private(set) var valueLength = 0
    /// Whether the name holds anything but letters, digits and `-`.
    private(set) var hasUncommonName = false

    @inline(__always)
    init(_ start: UnsafePointer<UInt8>) { next = start }

    @inline(__always)
    func slice(_ id: FieldID) -> FieldSlice {
        FieldSlice(
            nameOffset: UInt32(truncatingIfNeeded: nameOffset), valueOffset: UInt32(truncatingIfNeeded: valueOffset),
            nameLength: UInt16(truncatingIfNeeded: nameLength), valueLength: UInt16(truncatingIfNeeded: valueLength),
            id: id.rawValue)
    }

    /// Reads the line at `next`, and moves `next` behind it if it is a field or the empty line.
    @inline(__always)
    mutating func read(
        _ bytes: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ lengthMax: Int
    ) -> Step {
        let start = next
        if end - start < 2 { return Self.readShort(start, end) }
        if start[0] == 0x0d {
            if start[1] != 0x0a { return .bareCarriageReturn }
            next = start + 2
            return .emptyLine
        }
        var nameEnd = cberth_scan_common_name(start, end, bytes)
        hasUncommonName = false
        if nameEnd == start || nameEnd == end || nameEnd[0] != 0x3a {
            while nameEnd < end, cberth_is_token(nameEnd[0]) { nameEnd += 1 }
            let step = Self.judgeName(start, nameEnd, end, lengthMax)
            if step != .field { return step }
            hasUncommonName = true
        }
        var value = nameEnd + 1
        if value < end, value[0] == 0x20 { value += 1 }
        while value < end, OctetRules.isWhitespace(value[0]) { value += 1 }
        let valueStop = cberth_scan_field_value(value, end, bytes)
        if end - valueStop < 2 || cberth_load16(valueStop) != Self.crlf || valueStop - start > lengthMax {
            return Self.judgeValue(start, valueStop, end, lengthMax)
        }
        next = valueStop + 2
        var valueEnd = valueStop
        while valueEnd > value, OctetRules.isWhitespace(valueEnd[-1]) { valueEnd -= 1 }
        nameOffset = start - bytes
        nameLength = nameEnd - start
        valueOffset = value - bytes
        valueLength = valueEnd - value
        return .field
    }

    /// CR LF as `cberth_load16` reads it.
    @inline(__always)
    private static var crlf: UInt16 { UInt16(littleEndian: 0x0a0d) }

    /// A line of which fewer than two octets are there.
    @inline(never)
    private static func readShort(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Step {
        guard start < end, start[0] != 0x0d, !cberth_is_token(start[0]) else { return .incomplete }
        return judgeName(start, start, end, 1)
    }

    /// Decides about a name that ends at `stop`: a colon after a token is `.field`.
    @inline(never)
    private static func judgeName(
        _ start: UnsafePointer<UInt8>, _ stop: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ lengthMax: Int
    ) -> Step {
        if stop - start > lengthMax { return .tooLong }
        if stop == end { return .incomplete }
        switch stop[0] {
        case 0x3a: return stop == start ? .nameEmpty : .field
        case 0x0a: return .bareLineFeed
        case 0x0d: return .withoutColon
        case 0x20, 0x09: return stop == start ? .foldedLine : .spaceBeforeColon
        default: return .nameNotToken
        }
    }

    /// Decides about a value whose scan stopped at `stop` without a line end there, or beyond the limit.
    @inline(never)
    private static func judgeValue(
        _ start: UnsafePointer<UInt8>, _ stop: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ lengthMax: Int
    ) -> Step {
        if stop - start > lengthMax { return .tooLong }
        if stop == end { return .incomplete }
        switch stop[0] {
        case 0x0d: return stop + 1 == end ? .incomplete : .bareCarriageReturn
        case 0x0a: return .bareLineFeed
        default: return .valueOctet
        }
    }
}

extension FieldLine.Step {
    /// The reason to refuse a request with; meaningful for defects only.
    var requestRejection: RequestRejection {
        switch self {
        case .bareCarriageReturn: .bareCarriageReturn
        case .bareLineFeed: .bareLineFeed
        case .foldedLine: .foldedLine
        case .nameEmpty: .fieldNameEmpty
        case .nameNotToken: .fieldNameNotToken
        case .spaceBeforeColon: .spaceBeforeColon
        case .withoutColon: .fieldWithoutColon
        case .valueOctet: .fieldValueOctet
        case .tooLong: .fieldTooLong
        case .field, .emptyLine, .incomplete: .requestLineMalformed
        }
    }
}
