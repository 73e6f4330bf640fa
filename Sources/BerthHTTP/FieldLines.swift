import CBerthBytes

/// Reads field lines one after another (RFC 9112 §5), for request heads and response heads alike.
///
/// The grammar is the strict one: CRLF ends a line, a name is a token directly before its colon, no line begins with white
/// space, a value holds no CTL but HTAB. Only the lines are judged here, not what the fields mean.
struct FieldLines {
    /// What a reading found.
    enum Ending: UInt8 {
        /// A complete line; its slice is filled, but for the id.
        case line
        /// The empty line; the next octet lies behind it.
        case emptyLine
        /// The octets ran out; the next octet is the first of the line that is not complete.
        case incomplete
        /// The others are defects of the line that comes next.
        case bareCarriageReturn, bareLineFeed, foldedLine, nameEmpty, nameNotToken, spaceBeforeColon, withoutColon
        case valueOctet, tooLong, tooMany
    }

    /// The first octet of the buffer, and the one behind its last.
    private let bytes: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    /// Up to here three octets may be read.
    private let lastStart: UnsafePointer<UInt8>
    /// Where the next line begins.
    private var start: UnsafePointer<UInt8>
    /// Where the slice of the next line goes.
    private(set) var slot: UnsafeMutablePointer<FieldSlice>
    private let slotEnd: UnsafeMutablePointer<FieldSlice>
    /// Longest line, its end not counted.
    private let lengthMax: Int
    /// Whether there are enough octets for a line that is too long.
    private let mayBeTooLong: Bool
    /// A name held `_`.
    private(set) var sawUnderscore = false

    /// - Parameters:
    ///   - offset: where the next line begins, from the first octet.
    ///   - count: slices that are filled.
    ///   - countMax: slices there is room for.
    @inline(__always)
    init(
        _ bytes: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, offset: Int,
        _ fields: UnsafeMutablePointer<FieldSlice>, count: Int, countMax: Int, lengthMax: Int
    ) {
        (self.bytes, self.end, lastStart, start) = (bytes, end, end - 2, bytes + offset)
        (slot, slotEnd, self.lengthMax) = (fields + count, fields + countMax, lengthMax)
        mayBeTooLong = end - start > lengthMax
    }

    /// Where the next line begins, from the first octet of the buffer.
    @inline(__always)
    var offset: Int { start - bytes }

    /// Reads the next line, and sets its slice without the id when it is complete.
    ///
    /// A line is read again from its start when it was not complete; every verdict depends only on octets before the place
    /// that shows it, so it does not matter in which pieces they came.
    @inline(__always)
    mutating func read() -> Ending {
        if start <= lastStart, cberth_load16(start) == Self.crlf {
            start += 2
            return .emptyLine
        }
        if slot == slotEnd, start < end, start[0] != 0x0d { return .tooMany }
        var nameEnd = cberth_scan_common_name(start, end, bytes)
        var value: UnsafePointer<UInt8>
        // Behind the first octet, and three octets from there may be read.
        if nameEnd > start, nameEnd < lastStart, cberth_load16(nameEnd) == Self.colonSpace {
            value = nameEnd + 2
            if value[0] <= 0x20 { value = Self.skipWhitespace(value, end) }
        } else {
            while nameEnd < end, cberth_is_token(nameEnd[0]) { nameEnd += 1 }
            let ending = Self.judgeName(start, nameEnd, end, lengthMax)
            if ending != .line { return ending }
            if cberth_find_octet(start, nameEnd, UInt8(ascii: "_")) != nameEnd { sawUnderscore = true }
            value = Self.skipWhitespace(nameEnd + 1, end)
        }
        var stop = cberth_scan_ascii_text(value, end, bytes)
        if stop > lastStart || cberth_load16(stop) != Self.crlf {
            // An HTAB or an octet above 0x7f may have stopped the quick scan.
            stop = cberth_scan_field_value(stop, end, bytes)
            let ending = Self.judgeValue(start, stop, end, lengthMax)
            if ending != .line { return ending }
        }
        if mayBeTooLong, stop - start > lengthMax { return .tooLong }
        var valueEnd = stop
        if valueEnd[-1] <= 0x20 {
            while valueEnd > value, OctetRules.isWhitespace(valueEnd[-1]) { valueEnd -= 1 }
        }
        slot[0].nameOffset = UInt32(truncatingIfNeeded: start - bytes)
        slot[0].valueOffset = UInt32(truncatingIfNeeded: value - bytes)
        slot[0].nameLength = UInt16(truncatingIfNeeded: nameEnd - start)
        slot[0].valueLength = UInt16(truncatingIfNeeded: valueEnd - value)
        slot[0].reserved = 0
        slot += 1
        start = stop + 2
        return .line
    }

    /// CR LF, and colon SP, as `cberth_load16` reads them.
    @inline(__always)
    private static var crlf: UInt16 { UInt16(littleEndian: 0x0a0d) }
    @inline(__always)
    private static var colonSpace: UInt16 { UInt16(littleEndian: 0x203a) }

    @inline(never)
    private static func skipWhitespace(
        _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> UnsafePointer<UInt8> {
        var p = start
        while p < end, OctetRules.isWhitespace(p[0]) { p += 1 }
        return p
    }

    /// Decides about a name that ends at `stop`; `.line` stands for a token and its colon.
    @inline(never)
    private static func judgeName(
        _ start: UnsafePointer<UInt8>, _ stop: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ lengthMax: Int
    ) -> Ending {
        if stop - start > lengthMax { return .tooLong }
        if stop == end { return .incomplete }
        switch stop[0] {
        case 0x3a: return stop == start ? .nameEmpty : .line
        case 0x0a: return .bareLineFeed
        case 0x0d:
            if stop > start { return .withoutColon }
            return end - stop == 1 ? .incomplete : .bareCarriageReturn
        case 0x20, 0x09: return stop == start ? .foldedLine : .spaceBeforeColon
        default: return .nameNotToken
        }
    }

    /// Decides about a value whose exact scan ended at `stop`; `.line` stands for a CR LF there.
    @inline(never)
    private static func judgeValue(
        _ start: UnsafePointer<UInt8>, _ stop: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ lengthMax: Int
    ) -> Ending {
        if stop - start > lengthMax { return .tooLong }
        if stop == end { return .incomplete }
        switch stop[0] {
        case 0x0d:
            if end - stop == 1 { return .incomplete }
            return stop[1] == 0x0a ? .line : .bareCarriageReturn
        case 0x0a: return .bareLineFeed
        default: return .valueOctet
        }
    }
}

extension FieldLines.Ending {
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
        case .tooMany: .fieldsTooMany
        case .line, .emptyLine, .incomplete: .requestLineMalformed
        }
    }

    /// The reason to refuse a response with; meaningful for defects only.
    var responseRejection: ResponseRejection {
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
        case .tooMany: .fieldsTooMany
        case .line, .emptyLine, .incomplete: .statusLineMalformed
        }
    }
}
