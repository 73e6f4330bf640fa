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
        var line = FieldLine(bytes + Int(head.lineOffset))
        var fieldCount = Int(head.fieldCount)
        let lengthMax = limits.fieldLengthMax
        while true {
            let step = line.read(bytes, end, lengthMax)
            if step == .field {
                if fieldCount == limits.fieldsMax { return .rejected(.fieldsTooMany) }
                let name = bytes + line.nameOffset
                let id = FieldID.of(name, line.nameLength)
                fields[fieldCount] = line.slice(id)
                fieldCount &+= 1
                if line.hasUncommonName { noteUncommonName(&head, name, line.nameLength) }
                if id.rawValue &- 1 < FieldID.lastOfMessage {
                    if let reason = noteMessageField(&head, bytes, line, id) { return .rejected(reason) }
                }
                continue
            }
            head.lineOffset = UInt32(truncatingIfNeeded: line.next - bytes)
            head.fieldCount = UInt16(truncatingIfNeeded: fieldCount)
            switch step {
            case .emptyLine:
                head.headLength = head.lineOffset
                return finish(&head)
            case .incomplete:
                return .incomplete
            default:
                if fieldCount == limits.fieldsMax, step.isInsideField { return .rejected(.fieldsTooMany) }
                return .rejected(step.requestRejection)
            }
        }
    }

    @inline(never)
    private func noteUncommonName(_ head: inout RequestHead, _ name: UnsafePointer<UInt8>, _ length: Int) {
        if cberth_find_octet(name, name + length, UInt8(ascii: "_")) != name + length {
            head.flags.insert(.underscoreInName)
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
