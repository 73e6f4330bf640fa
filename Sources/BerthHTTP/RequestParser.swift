import CBerthBytes

/// What came of the octets so far.
public enum ParseOutcome: Equatable, Sendable, BitwiseCopyable {
    /// The head is complete; `headLength` says where the content begins.
    case complete
    /// More octets are needed. Call again with the same head and all octets from the first one on.
    case incomplete
    case rejected(RequestRejection)
}

/// Reads request heads, strictly by RFC 9112; stateless, so one serves all connections of a loop.
///
/// It goes on at the line where it stopped, and judges octets in their order, so that a request is refused for the same
/// reason however its octets arrive. It never allocates, never reads outside the buffer, and never traps on any input.
public struct RequestParser: Sendable, BitwiseCopyable {
    public let limits: ParserLimits

    public init(limits: ParserLimits = ParserLimits()) { self.limits = limits }

    /// Reads on.
    ///
    /// - Parameters:
    ///   - head: `RequestHead()` for a new request, afterwards what the call before left there.
    ///   - bytes: the first octet of the request; may have moved since the last call.
    ///   - count: octets there; what follows the head is not looked at.
    ///   - fields: room for `limits.fieldsMax` slices; the first `head.fieldCount` are set.
    public func parse(
        _ head: inout RequestHead, _ bytes: UnsafePointer<UInt8>, _ count: Int,
        fields: UnsafeMutablePointer<FieldSlice>
    ) -> ParseOutcome {
        let end = bytes + min(count, limits.requestBytesMax)
        if !head.inFields {
            let outcome = parseRequestLine(&head, bytes, end)
            if outcome != .complete {
                // Only octets inside the limit are looked at, so a line that does not end there never will.
                if outcome == .incomplete, count >= limits.requestBytesMax { return .rejected(.targetTooLong) }
                return outcome
            }
        }
        let outcome = parseFields(&head, bytes, end, fields)
        if outcome == .incomplete, count >= limits.requestBytesMax { return .rejected(.headTooLong) }
        return outcome
    }

    @inline(__always)
    private func parseFields(
        _ head: inout RequestHead, _ bytes: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>,
        _ fields: UnsafeMutablePointer<FieldSlice>
    ) -> ParseOutcome {
        var lines = FieldLines(
            bytes, end, offset: Int(head.lineOffset), fields, count: Int(head.fieldCount), countMax: limits.fieldsMax,
            lengthMax: limits.fieldLengthMax)
        var ending: FieldLines.Ending
        // Each line is judged when it is complete: the same order as if the octets had come one by one.
        while true {
            let slot = lines.slot
            ending = lines.read()
            if ending != .line { break }
            let id = FieldID.of(bytes + Int(slot[0].nameOffset), Int(slot[0].nameLength))
            slot[0].id = id.rawValue
            if id.rawValue &- 1 < FieldID.lastOfMessage {
                if let reason = noteMessageField(&head, bytes, slot[0], id) { return .rejected(reason) }
            }
        }
        if lines.sawUnderscore { head.flags.insert(.underscoreInName) }
        head.lineOffset = UInt32(truncatingIfNeeded: lines.offset)
        head.fieldCount = UInt16(truncatingIfNeeded: lines.slot - fields)
        switch ending {
        case .emptyLine:
            head.headLength = head.lineOffset
            return finish(&head)
        case .incomplete:
            return .incomplete
        default:
            return .rejected(ending.requestRejection)
        }
    }

    /// Decides the framing, and refuses what only the whole head can show.
    @inline(__always)
    private func finish(_ head: inout RequestHead) -> ParseOutcome {
        let flags = head.flags
        if !flags.contains(.hasHost), head.versionMinor == 1 { return .rejected(.hostMissing) }
        if flags.isDisjoint(with: [.hasContentLength, .hasTransferEncoding]) {
            if head.method == .post || head.method == .put, limits.requiresLength {
                return .rejected(.lengthRequired)
            }
            return .complete
        }
        if flags.contains(.hasTransferEncoding) {
            if flags.contains(.hasContentLength) { return .rejected(.contentLengthWithTransferEncoding) }
            if head.versionMinor == 0 { return .rejected(.transferEncodingInHTTP10) }
            head.framing = .chunked
            head.contentLength = -1
            head.flags.insert(.hasContent)
        } else {
            head.framing = .contentLength
            if head.contentLength > 0 { head.flags.insert(.hasContent) }
        }
        return .complete
    }
}
