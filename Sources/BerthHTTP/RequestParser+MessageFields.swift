import CBerthBytes

extension RequestParser {
    /// Takes in a field that decides framing, routing or persistence; a reason if it makes the request unacceptable.
    ///
    /// Apart from the loop over the lines, which is the faster the less it holds.
    @inline(never)
    func noteMessageField(
        _ head: inout RequestHead, _ bytes: UnsafePointer<UInt8>, _ slice: FieldSlice, _ id: FieldID
    ) -> RequestRejection? {
        let value = bytes + Int(slice.valueOffset)
        let length = Int(slice.valueLength)
        if id == .host { return noteHost(&head, bytes, value, length) }
        if id == .connection {
            ConnectionOptions.gather(value, length, into: &head.flags)
            return nil
        }
        return noteOther(&head, value, length, id)
    }

    /// RFC 9112 §3.2: exactly one Host, and valid even where an absolute-form target outranks it.
    @inline(__always)
    private func noteHost(
        _ head: inout RequestHead, _ bytes: UnsafePointer<UInt8>, _ value: UnsafePointer<UInt8>, _ length: Int
    ) -> RequestRejection? {
        if head.flags.contains(.hasHost) { return .hostRepeated }
        head.flags.insert(.hasHost)
        var nameLength = length
        var port: UInt16 = 0
        let end = value + length
        let stop = cberth_scan_common_host(value, end, bytes)
        if stop > value, stop < end, stop[0] == UInt8(ascii: ":"), stop - value <= Authority.nameLengthMax {
            guard let number = Authority.port(stop + 1, end) else { return .hostMalformed }
            nameLength = stop - value
            port = number
        } else if stop != end || length > Authority.nameLengthMax {
            guard let authority = Authority(value, length, floor: bytes) else { return .hostMalformed }
            nameLength = authority.nameLength
            port = authority.port
        }
        if head.targetForm == .absolute { return nil }
        head.hostOffset = UInt32(truncatingIfNeeded: value - bytes)
        head.hostLength = UInt16(truncatingIfNeeded: length)
        head.hostNameLength = UInt16(truncatingIfNeeded: nameLength)
        head.hostPort = port
        return nil
    }

    @inline(never)
    private func noteOther(
        _ head: inout RequestHead, _ value: UnsafePointer<UInt8>, _ length: Int, _ id: FieldID
    ) -> RequestRejection? {
        switch id {
        case .contentLength:
            if head.flags.contains(.hasContentLength) { return .contentLengthRepeated }
            head.flags.insert(.hasContentLength)
            head.contentLength = MessageFraming.contentLength(value, length)
            if head.contentLength < 0 { return .contentLengthMalformed }
        case .transferEncoding:
            if head.flags.contains(.hasTransferEncoding) { return .transferEncodingRepeated }
            head.flags.insert(.hasTransferEncoding)
            switch MessageFraming.transferCoding(value, length) {
            case .chunked: break
            case .unknown: return .transferCodingUnknown
            case .chunkedNotLast: return .chunkedNotLast
            case .malformed: return .transferEncodingMalformed
            }
        case .expect:
            // RFC 9110 §10.1.1: an expectation in HTTP/1.0 is ignored.
            if head.versionMinor == 0 { break }
            head.flags.insert(OctetRules.equal(value, length, "100-continue") ? .expectContinue : .expectOther)
        case .upgrade:
            if head.versionMinor == 1 { head.flags.insert(.upgradePresent) }
        case .te:
            if ConnectionOptions.list(value, length, holds: "trailers") { head.flags.insert(.teTrailers) }
        case .trailer:
            head.flags.insert(.trailerPresent)
        default: break
        }
        return nil
    }
}
