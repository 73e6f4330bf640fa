import CBerthBytes

/// What came of the octets of a response so far.
public enum ResponseOutcome: Equatable, Sendable, BitwiseCopyable {
    /// The head is complete; `headLength` says where the content begins.
    case complete
    /// More octets are needed. Call again with the same head and all octets from the first one on.
    case incomplete
    case rejected(ResponseRejection)
}

/// Reads response heads of workers, as strictly as request heads are read; the same rules of resumption hold.
///
/// Of the limits `requestBytesMax` (of the whole head), `fieldLengthMax` and `fieldsMax` are used.
public struct ResponseParser: Sendable, BitwiseCopyable {
    public let limits: ParserLimits

    public init(limits: ParserLimits = ParserLimits()) { self.limits = limits }

    /// Reads on. Parameters as in `RequestParser.parse`.
    public func parse(
        _ head: inout ResponseHead, _ bytes: UnsafePointer<UInt8>, _ count: Int,
        fields: UnsafeMutablePointer<FieldSlice>
    ) -> ResponseOutcome {
        let end = bytes + min(count, limits.requestBytesMax)
        var outcome = ResponseOutcome.complete
        if !head.inFields { outcome = parseStatusLine(&head, bytes, end) }
        if outcome == .complete { outcome = parseFields(&head, bytes, end, fields) }
        // Only octets inside the limit are looked at, so a head that does not end there never will.
        if outcome == .incomplete, count >= limits.requestBytesMax { return .rejected(.headTooLong) }
        return outcome
    }

    /// Reads `HTTP/1.1 200 OK` (RFC 9112 §4). The reason may be empty, and then its space may be missing too.
    private func parseStatusLine(
        _ head: inout ResponseHead, _ bytes: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> ResponseOutcome {
        let expected: StaticString = "HTTP/"
        let there = end - bytes
        var index = 0
        while index < 12 {
            if index == there { return .incomplete }
            let octet = bytes[index]
            switch index {
            case 0..<5:
                if octet != expected.utf8Start[index] { return .rejected(.statusLineMalformed) }
            case 5, 7:
                if octet &- 0x30 > 9 { return .rejected(.statusLineMalformed) }
                if index == 7, bytes[5] != 0x31 || octet > 0x31 { return .rejected(.versionNotSupported) }
            case 6:
                if octet != 0x2e { return .rejected(.statusLineMalformed) }
            case 8:
                if octet != 0x20 { return .rejected(.statusLineMalformed) }
            default:
                if octet &- 0x30 > 9 || (index == 9 && octet == 0x30) { return .rejected(.statusMalformed) }
            }
            index &+= 1
        }
        if there == 12 { return .incomplete }
        var reason = bytes + 12
        if reason[0] == 0x20 {
            reason += 1
        } else if reason[0] != 0x0d && reason[0] != 0x0a {
            return .rejected(.statusMalformed)
        }
        let stop = cberth_scan_field_value(reason, end, bytes)
        if stop - bytes > limits.fieldLengthMax { return .rejected(.fieldTooLong) }
        if stop == end { return .incomplete }
        if stop[0] == 0x0a { return .rejected(.bareLineFeed) }
        if stop[0] != 0x0d { return .rejected(.reasonOctet) }
        if stop + 1 == end { return .incomplete }
        if stop[1] != 0x0a { return .rejected(.bareCarriageReturn) }
        head.versionMinor = bytes[7] &- 0x30
        head.status =
            UInt16(bytes[9] &- 0x30) &* 100 &+ UInt16(bytes[10] &- 0x30) &* 10 &+ UInt16(bytes[11] &- 0x30)
        head.reasonOffset = UInt32(truncatingIfNeeded: reason - bytes)
        head.reasonLength = UInt16(truncatingIfNeeded: stop - reason)
        head.lineOffset = UInt32(truncatingIfNeeded: stop + 2 - bytes)
        head.inFields = true
        return .complete
    }

    private func parseFields(
        _ head: inout ResponseHead, _ bytes: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>,
        _ fields: UnsafeMutablePointer<FieldSlice>
    ) -> ResponseOutcome {
        var lines = FieldLines(
            bytes, end, offset: Int(head.lineOffset), fields, count: Int(head.fieldCount), countMax: limits.fieldsMax,
            lengthMax: limits.fieldLengthMax)
        var ending: FieldLines.Ending
        while true {
            let slot = lines.slot
            ending = lines.read()
            if ending != .line { break }
            let id = FieldID.of(bytes + Int(slot[0].nameOffset), Int(slot[0].nameLength))
            slot[0].id = id.rawValue
            if id.rawValue &- 1 < FieldID.lastOfMessage {
                if let reason = note(&head, bytes + Int(slot[0].valueOffset), Int(slot[0].valueLength), id) {
                    return .rejected(reason)
                }
            }
        }
        head.lineOffset = UInt32(truncatingIfNeeded: lines.offset)
        head.fieldCount = UInt16(truncatingIfNeeded: lines.slot - fields)
        switch ending {
        case .emptyLine:
            head.headLength = head.lineOffset
            return finish(head)
        case .incomplete:
            return .incomplete
        default:
            return .rejected(ending.responseRejection)
        }
    }

    private func note(
        _ head: inout ResponseHead, _ value: UnsafePointer<UInt8>, _ length: Int, _ id: FieldID
    ) -> ResponseRejection? {
        switch id {
        case .connection:
            ConnectionOptions.gather(value, length, into: &head.flags)
        case .contentLength:
            if head.flags.contains(.hasContentLength) { return .contentLengthRepeated }
            head.flags.insert(.hasContentLength)
            head.contentLength = MessageFraming.contentLength(value, length)
            if head.contentLength < 0 { return .contentLengthMalformed }
        case .transferEncoding:
            if head.flags.contains(.hasTransferEncoding) { return .transferEncodingRepeated }
            head.flags.insert(.hasTransferEncoding)
            if MessageFraming.transferCoding(value, length) != .chunked { return .transferCodingUnknown }
        case .upgrade:
            head.flags.insert(.upgradePresent)
        case .trailer:
            head.flags.insert(.trailerPresent)
        default: break
        }
        return nil
    }

    /// Refuses framing that only the whole head can show to be faulty (RFC 9112 §6.1, §6.3).
    private func finish(_ head: ResponseHead) -> ResponseOutcome {
        guard head.flags.contains(.hasTransferEncoding) else { return .complete }
        if head.flags.contains(.hasContentLength) { return .rejected(.contentLengthWithTransferEncoding) }
        if head.versionMinor == 0 { return .rejected(.transferEncodingInHTTP10) }
        return .complete
    }
}
