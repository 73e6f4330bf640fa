import BerthHTTP
import BerthListener
import CBerthSystem

/// A request head as the worker gets it, written anew from the parsed one (RFC 9110 §7.6, ancm §10).
///
/// Field lines that stay are copied in runs, in their order. Left out: what belongs to the client's connection, what
/// Connection names (RFC 9110 §7.6.1), whatever only we may say (`MS-ASPNETCORE*`), Expect, which the listener answers, and
/// names with `_`, which a CGI-like worker cannot tell from `-`.
struct ForwardedHead {
    let head: RequestHead
    let base: UnsafePointer<UInt8>
    let fields: UnsafePointer<FieldSlice>
    let path: OctetRun
    let client: UnsafePointer<cberth_address>
    /// `MS-ASPNETCORE-TOKEN: …` and its line end, or none.
    let tokenField: OctetRun
    /// WebSocket: both fields of the upgrade go along.
    let upgrade: Bool

    /// Numbers of fields that never pass, as bits: below 64, and 64 up.
    @inline(__always)
    private static var droppedLow: UInt64 {
        bit(.connection) | bit(.contentLength) | bit(.transferEncoding) | bit(.expect) | bit(.upgrade) | bit(.te)
            | bit(.trailer) | bit(.keepAlive) | bit(.proxyConnection) | bit(.xForwardedFor) | bit(.xForwardedProto)
    }
    @inline(__always)
    private static var droppedHigh: UInt64 {
        bit(.http2Settings) | bit(.msAspNetCoreToken) | bit(.msAspNetCoreOther)
    }

    @inline(__always)
    private static func bit(_ id: FieldID) -> UInt64 { 1 &<< UInt64(id.rawValue & 63) }

    /// Most octets that `write` needs.
    @inline(__always)
    var lengthMax: Int {
        Int(head.headLength) &+ 2 &* Int(head.fieldCount) &+ tokenField.length &+ 320
    }

    /// Writes request line, fields and the empty line. Cost: one copy a run of fields that stay.
    func write(_ out: inout OctetWriter) {
        out.put(base + Int(head.methodOffset), Int(head.methodLength))
        out.put(0x20)
        ForwardedTarget.put(&out, head, base, path: path)
        out.put(head.versionMinor == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n")
        // In absolute-form the target outranks the Host field (RFC 9112 §3.2.2).
        let rewritesHost = head.targetForm == .absolute
        if rewritesHost, head.hostLength > 0 {
            out.putField("Host", base + Int(head.hostOffset), Int(head.hostLength))
        }
        var low = Self.droppedLow
        if rewritesHost { low |= Self.bit(.host) }
        if upgrade { low |= Self.bit(.secWebSocketExtensions) }
        let countsForwards = head.method == .options
        if countsForwards { low |= Self.bit(.maxForwards) }
        let high = Self.droppedHigh
        let looksAtNames = !head.flags.isDisjoint(with: [.underscoreInName, .connectionHasOtherOptions])
        let count = Int(head.fieldCount)
        var hasForwarded = false
        var runStart = 0
        var runOpen = false
        var index = 0
        while index < count {
            let field = fields[index]
            let id = UInt64(field.id)
            var drops = (id < 64 ? low : high) &>> (id & 63) & 1 != 0
            if drops {
                hasForwarded =
                    hasForwarded || field.id == FieldID.xForwardedFor.rawValue
                    || field.id == FieldID.xForwardedProto.rawValue
            } else if looksAtNames {
                drops = mustLeave(field)
            }
            if drops {
                if runOpen { out.put(base + runStart, Int(field.nameOffset) &- runStart) }
                runOpen = false
            } else if !runOpen {
                runStart = Int(field.nameOffset)
                runOpen = true
            }
            index &+= 1
        }
        if runOpen { out.put(base + runStart, Int(head.headLength) &- 2 &- runStart) }
        if head.flags.contains(.hasContentLength) {
            out.putField("Content-Length", decimal: UInt64(bitPattern: head.contentLength))
        } else if head.framing == .chunked {
            out.put("Transfer-Encoding: chunked\r\n")
        }
        // At 0 nobody forwards it (`Forwarder.answerAsLast`).
        if countsForwards, let left = MaxForwards.value(head, base, fields), left > 0 {
            out.putField("Max-Forwards", decimal: left &- 1)
        }
        if upgrade { out.put("Connection: Upgrade\r\nUpgrade: websocket\r\n") }
        if let token = tokenField.start { out.put(token, tokenField.length) }
        putForwarded(&out, existing: hasForwarded)
        out.put("\r\n")
    }

    /// The upgrade that is passed on: WebSocket as RFC 6455 §4.1 has it, GET without content, one Upgrade field, exactly.
    static func isWebSocket(
        _ head: RequestHead, _ base: UnsafePointer<UInt8>, _ fields: UnsafePointer<FieldSlice>
    ) -> Bool {
        if !head.wantsUpgrade || head.method != .get || head.framing != .none || head.flags.contains(.hasContentLength)
        {
            return false
        }
        var found = false
        for index in 0..<Int(head.fieldCount) where fields[index].fieldID == .upgrade {
            let field = fields[index]
            if found || !OctetRules.equal(base + Int(field.valueOffset), Int(field.valueLength), "websocket") {
                return false
            }
            found = true
        }
        return found
    }

    // MARK: Parts

    @inline(never)
    private func mustLeave(_ field: FieldSlice) -> Bool {
        let name = base + Int(field.nameOffset)
        let length = Int(field.nameLength)
        if head.flags.contains(.underscoreInName) {
            var index = 0
            while index < length {
                if name[index] == 0x5f { return true }
                index &+= 1
            }
        }
        if !head.flags.contains(.connectionHasOtherOptions) || field.fieldID == .host { return false }
        return NominatedFields.contains(name, length, base, fields, Int(head.fieldCount))
    }

    private func putForwarded(_ out: inout OctetWriter, existing: Bool) {
        out.put("X-Forwarded-For: ")
        if existing { putExisting(&out, .xForwardedFor) }
        putClient(&out)
        out.put("\r\nX-Forwarded-Proto: ")
        if existing { putExisting(&out, .xForwardedProto) }
        out.put("http\r\n")
    }

    /// Values of a field that came with the request, all lines folded into one list.
    @inline(never)
    private func putExisting(_ out: inout OctetWriter, _ id: FieldID) {
        for index in 0..<Int(head.fieldCount) where fields[index].fieldID == id {
            let field = fields[index]
            if field.valueLength == 0 { continue }
            if head.flags.contains(.connectionHasOtherOptions), mustLeave(field) { continue }
            out.put(base + Int(field.valueOffset), Int(field.valueLength))
            out.put(", ")
        }
    }

    /// `127.0.0.1:5000`, `[::1]:5000`; a client on a Unix socket has no address.
    @inline(__always)
    private func putClient(_ out: inout OctetWriter) {
        switch client.pointee.family {
        case 4:
            let bytes = client.pointee.bytes
            out.putDecimal(UInt64(bytes.0))
            out.put(0x2e)
            out.putDecimal(UInt64(bytes.1))
            out.put(0x2e)
            out.putDecimal(UInt64(bytes.2))
            out.put(0x2e)
            out.putDecimal(UInt64(bytes.3))
        case 6:
            out.put(0x5b)
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
                guard let start = text.baseAddress else { return }
                let length = Int(cberth_address_format(client, start, 64))
                start.withMemoryRebound(to: UInt8.self, capacity: 64) { out.put($0, length) }
            }
            out.put(0x5d)
        default:
            out.put("unix")
            return
        }
        out.put(0x3a)
        out.putDecimal(UInt64(client.pointee.port))
    }
}
