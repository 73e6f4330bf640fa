import BerthHTTP
import BerthListener
import CBerthBytes
import CBerthSystem

/// A request head as the worker gets it, written anew from the parsed one (RFC 9110 §7.6, ancm §10).
///
/// Nothing of the client's head is copied but what the parser found: method, target, and for each field that stays its name and
/// its value. Whitespace and line ends between them are ours (docs/decisions, 10).
/// Left out: what belongs to the client's connection, what Connection names (RFC 9110 §7.6.1), whatever only we may say
/// (`MS-ASPNETCORE*`), Expect, which the listener answers, and what a CGI-like worker would take for something else: names with
/// `_`, which it cannot tell from `-`, and Proxy, whose variable names the proxy for its own requests.
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
            | bit(.via)
    }
    @inline(__always)
    private static var droppedHigh: UInt64 {
        bit(.http2Settings) | bit(.msAspNetCoreToken) | bit(.msAspNetCoreOther)
    }

    @inline(__always)
    private static func bit(_ id: FieldID) -> UInt64 { 1 &<< UInt64(id.rawValue & 63) }

    /// Most octets that `write` needs: a field line of the client may lack the space behind its colon.
    @inline(__always)
    var lengthMax: Int {
        Int(head.headLength) &+ 2 &* Int(head.fieldCount) &+ tokenField.length &+ 320
    }

    /// Writes request line, fields and the empty line. Cost: two copies a field that stays.
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
        var extendsOurs = false
        if head.fieldCount > 0 {
            var field = fields
            let last = fields + Int(head.fieldCount)
            // A line of the client grows by the space behind its colon at most: room is asked for once.
            let needed = Int(head.headLength) &- Int(field.pointee.nameOffset) &+ Int(head.fieldCount)
            if needed > out.room {
                _ = out.claim(needed)
                return
            }
            var end = out.base + out.count
            while field < last {
                let id = UInt64(field.pointee.id)
                if (id < 64 ? low : high) &>> (id & 63) & 1 != 0 {
                    extendsOurs =
                        extendsOurs || id == FieldID.xForwardedFor.rawValue || id == FieldID.xForwardedProto.rawValue
                        || id == FieldID.via.rawValue
                } else if !(looksAtNames && mustLeave(field.pointee)
                    || id == 0 && field.pointee.nameLength == 5 && isProxy(field.pointee))
                {
                    end = Self.putField(end, base, field)
                }
                field += 1
            }
            out.count = end - out.base
        }
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
        putForwarded(&out, existing: extendsOurs)
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

    /// `name: value` and the line end; answers where it ended.
    @inline(__always)
    private static func putField(
        _ start: UnsafeMutablePointer<UInt8>, _ base: UnsafePointer<UInt8>, _ field: UnsafePointer<FieldSlice>
    ) -> UnsafeMutablePointer<UInt8> {
        let nameLength = Int(field.pointee.nameLength)
        let valueLength = Int(field.pointee.valueLength)
        cberth_copy(start, base + Int(field.pointee.nameOffset), nameLength)
        let value = start + (nameLength &+ 2)
        UnsafeMutableRawPointer(value - 2).storeBytes(of: UInt16(littleEndian: 0x203a), as: UInt16.self)
        cberth_copy(value, base + Int(field.pointee.valueOffset), valueLength)
        let end = value + (valueLength &+ 2)
        UnsafeMutableRawPointer(end - 2).storeBytes(of: UInt16(littleEndian: 0x0a0d), as: UInt16.self)
        return end
    }

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

    @inline(never)
    private func isProxy(_ field: FieldSlice) -> Bool {
        OctetRules.equal(base + Int(field.nameOffset), Int(field.nameLength), "proxy")
    }

    /// Whose request it is and who passes it on (RFC 9110 §7.6.3, where a gateway has to), and the empty line.
    private func putForwarded(_ out: inout OctetWriter, existing: Bool) {
        out.put("X-Forwarded-For: ")
        if existing { putExisting(&out, .xForwardedFor) }
        putClient(&out)
        if !existing, head.versionMinor == 1 {
            out.put("\r\nX-Forwarded-Proto: http\r\nVia: 1.1 Berth\r\n\r\n")
            return
        }
        out.put("\r\nX-Forwarded-Proto: ")
        putExisting(&out, .xForwardedProto)
        out.put("http\r\nVia: ")
        putExisting(&out, .via)
        out.put(head.versionMinor == 0 ? "1.0 Berth\r\n\r\n" : "1.1 Berth\r\n\r\n")
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
