import CBerthBytes

extension RequestParser {
    /// Reads the request line (RFC 9112 §3), from its first octet each time. `.complete` means the fields follow.
    @inline(__always)
    func parseRequestLine(
        _ head: inout RequestHead, _ bytes: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> ParseOutcome {
        var p = bytes + Int(head.lineOffset)
        if end - p >= 16, cberth_load32(p) == Self.get {
            head.methodOffset = head.lineOffset
            head.methodLength = 3
            head.method = .get
            p += 4
        } else {
            let outcome = parseMethod(&head, bytes, end)
            if outcome != .complete { return outcome }
            p = bytes + Int(head.methodOffset) + Int(head.methodLength) + 1
        }

        // The target.
        let target = p
        p = cberth_scan_target_path(p, end, bytes)
        var pathEnd = p
        var query = p
        if p < end, p[0] == 0x3f {
            query = p + 1
            p = cberth_scan_target_query(query, end, bytes)
        }
        if p == end || p[0] != 0x20 || p == target || p - target > limits.urlLengthMax {
            return judgeTargetEnd(target, p, end)
        }
        head.targetOffset = UInt32(truncatingIfNeeded: target - bytes)
        head.targetLength = UInt32(truncatingIfNeeded: p - target)
        var path = target
        if target[0] == 0x2f {
            head.targetForm = .origin
        } else {
            if let reason = parseOtherForm(&head, bytes, target, pathEnd, p) { return .rejected(reason) }
            path = bytes + Int(head.pathOffset)
            pathEnd = path + Int(head.pathLength)
        }
        head.pathOffset = UInt32(truncatingIfNeeded: path - bytes)
        head.pathLength = UInt32(truncatingIfNeeded: pathEnd - path)
        head.queryOffset = UInt32(truncatingIfNeeded: query - bytes)
        head.queryLength = UInt32(truncatingIfNeeded: p - query)

        // The version.
        p += 1
        if end - p >= 10, cberth_load64(p) == Self.http11, cberth_load16(p + 8) == UInt16(littleEndian: 0x0a0d) {
            head.versionMinor = 1
        } else {
            let outcome = parseVersion(&head, p, end)
            if outcome != .complete { return outcome }
        }
        if head.targetForm == .asterisk, head.method != .options { return .rejected(.asteriskForm) }
        head.lineOffset = UInt32(truncatingIfNeeded: p + 10 - bytes)
        head.inFields = true
        return .complete
    }

    /// `GET ` and `HTTP/1.1` as the loads read them.
    @inline(__always)
    private static var get: UInt32 { UInt32(littleEndian: 0x2054_4547) }
    @inline(__always)
    private static var http11: UInt64 { UInt64(littleEndian: 0x312e_312f_5054_5448) }

    /// Skips empty lines, then reads any method up to its space. Moves `head.lineOffset` behind the empty lines.
    @inline(never)
    private func parseMethod(
        _ head: inout RequestHead, _ bytes: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> ParseOutcome {
        var start = bytes + Int(head.lineOffset)
        while start < end, start[0] == 0x0d, head.emptyLines < ParserLimits.emptyLinesMax {
            if start + 1 == end { return .incomplete }
            if start[1] != 0x0a { return .rejected(.bareCarriageReturn) }
            start += 2
            head.emptyLines &+= 1
            head.lineOffset &+= 2
        }
        var p = start
        while p < end, cberth_is_token(p[0]) { p += 1 }
        let length = p - start
        if length > limits.methodLengthMax { return .rejected(.methodTooLong) }
        if p == end { return .incomplete }
        guard p[0] == 0x20, length > 0 else {
            if p[0] == 0x0a { return .rejected(.bareLineFeed) }
            return .rejected(p[0] == 0x0d ? .requestLineMalformed : .methodNotToken)
        }
        guard let method = RequestMethod.of(start, length) else { return .rejected(.methodLetterCase) }
        // Nothing here opens tunnels, and TRACE would show credentials to whoever may send it.
        if method == .connect { return .rejected(.connectNotServed) }
        if method == .trace { return .rejected(.methodNotServed) }
        head.method = method
        head.methodLength = UInt8(truncatingIfNeeded: length)
        head.methodOffset = head.lineOffset
        return .complete
    }

    /// Decides about a target that does not end with a space, is empty or too long.
    @inline(never)
    private func judgeTargetEnd(
        _ target: UnsafePointer<UInt8>, _ stop: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> ParseOutcome {
        if stop - target > limits.urlLengthMax { return .rejected(.targetTooLong) }
        if stop == end { return .incomplete }
        switch stop[0] {
        case 0x20, 0x0d: return .rejected(.requestLineMalformed)
        case 0x0a: return .rejected(.bareLineFeed)
        case 0x23: return .rejected(.targetFragment)
        default: return .rejected(.targetOctet)
        }
    }

    /// Takes apart a target that does not begin with a slash (RFC 9112 §3.2.2, §3.2.4).
    ///
    /// An absolute-form target without a path gets `/`: the second slash of its `//`, so that the path lies in the buffer.
    @inline(never)
    private func parseOtherForm(
        _ head: inout RequestHead, _ bytes: UnsafePointer<UInt8>, _ target: UnsafePointer<UInt8>,
        _ pathEnd: UnsafePointer<UInt8>, _ targetEnd: UnsafePointer<UInt8>
    ) -> RequestRejection? {
        if target[0] == 0x2a, targetEnd - target == 1 {
            // Refused after the version for other methods than OPTIONS: the preface of HTTP/2 is to get a 505.
            head.targetForm = .asterisk
            head.pathOffset = head.targetOffset
            head.pathLength = 1
            return nil
        }
        let length = pathEnd - target
        let schemeLength: Int
        if length >= 7, OctetRules.equal(target, 7, "http://") {
            schemeLength = 7
        } else if length >= 8, OctetRules.equal(target, 8, "https://") {
            schemeLength = 8
            head.flags.insert(.schemeIsHTTPS)
        } else {
            return .targetForm
        }
        let authority = target + schemeLength
        let authorityEnd = cberth_find_octet(authority, pathEnd, 0x2f)
        let authorityLength = authorityEnd - authority
        if cberth_find_octet(authority, authorityEnd, UInt8(ascii: "@")) != authorityEnd { return .userinfo }
        guard let parsed = Authority(authority, authorityLength, floor: bytes), parsed.nameLength > 0 else {
            return .authorityMalformed
        }
        head.targetForm = .absolute
        head.hostOffset = UInt32(truncatingIfNeeded: authority - bytes)
        head.hostLength = UInt16(truncatingIfNeeded: authorityLength)
        head.hostNameLength = UInt16(truncatingIfNeeded: parsed.nameLength)
        head.hostPort = parsed.port
        if authorityEnd < pathEnd {
            head.pathOffset = UInt32(truncatingIfNeeded: authorityEnd - bytes)
            head.pathLength = UInt32(truncatingIfNeeded: pathEnd - authorityEnd)
        } else {
            // HTTP.sys takes `http://host?q` but not `http://host?a/b`.
            if cberth_find_octet(pathEnd, targetEnd, 0x2f) != targetEnd { return .absoluteFormWithoutPath }
            head.pathOffset = UInt32(truncatingIfNeeded: authority - 1 - bytes)
            head.pathLength = 1
        }
        return nil
    }

    /// Reads the version and its line end octet by octet: anything but a whole `HTTP/1.1` CR LF (RFC 9112 §2.3).
    @inline(never)
    private func parseVersion(
        _ head: inout RequestHead, _ version: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> ParseOutcome {
        let expected: StaticString = "HTTP/"
        let there = end - version
        var index = 0
        while index < 10 {
            if index == there { return .incomplete }
            let octet = version[index]
            switch index {
            case 0..<5:
                if octet != expected.utf8Start[index] { return .rejected(.versionMalformed) }
            case 5, 7:
                if octet &- 0x30 > 9 { return .rejected(.versionMalformed) }
                if index == 7, version[5] != 0x31 || octet > 0x31 { return .rejected(.versionNotSupported) }
            case 6:
                if octet != 0x2e { return .rejected(.versionMalformed) }
            case 8:
                if octet == 0x0a { return .rejected(.bareLineFeed) }
                if octet != 0x0d { return .rejected(.requestLineMalformed) }
            default:
                if octet != 0x0a { return .rejected(.bareCarriageReturn) }
            }
            index &+= 1
        }
        head.versionMinor = version[7] &- 0x30
        return .complete
    }
}
