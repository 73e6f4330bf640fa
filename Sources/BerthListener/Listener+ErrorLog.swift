import BerthHTTP
import BerthEventLoop
import CBerthSystem

extension Listener {
    /// Appends to another file from now on, lines with these fields; the caller closes the old one when every loop has changed.
    /// -1: off.
    public func replaceErrorLogFile(_ fd: Int32, _ fields: ErrorLogFields) {
        state.pointee.errorLog.replaceFile(fd, fields, loop.system)
    }

    /// Writes what was gathered, before the loop ends.
    public func flushErrorLog() { state.pointee.errorLog.flush(loop.system) }

    func logRefusal(
        _ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>, status: UInt16,
        reason: StaticString
    ) {
        let entry = errorLogEntry(c, request, status: status, reason: reason)
        state.pointee.errorLog.write(entry, loop.system)
    }

    /// What is known of a request, however far it was read.
    func errorLogEntry(
        _ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>, status: UInt16,
        reason: StaticString
    ) -> ErrorLog.Entry {
        var entry = ErrorLog.Entry(
            seconds: loop.wallSeconds, client: c.pointee.remote, server: localAddress(c), reason: reason)
        let head = request.pointee.head
        let base = request.pointee.headStart
        entry.method = OctetRun(base + Int(head.methodOffset), Int(head.methodLength))
        if head.hasRequestLine {
            entry.version = 0x0100 | UInt16(head.versionMinor)
            entry.uri =
                request.pointee.path.count > 0
                ? request.pointee.path : OctetRun(base + Int(head.pathOffset), Int(head.pathLength))
            entry.query = OctetRun(base + Int(head.queryOffset), Int(head.queryLength))
        } else if head.targetLength > 0 {
            entry.uri = OctetRun(base + Int(head.targetOffset), Int(head.targetLength))
            entry.version = otherVersion(request)
        }
        entry.host = OctetRun(base + Int(head.hostOffset), Int(head.hostLength))
        let fields = state.pointee.errorLog.fields
        if !fields.isDisjoint(with: [.userAgent, .cookie, .referer]) {
            entry.userAgent = value(.userAgent, of: request)
            entry.cookie = value(.cookie, of: request)
            entry.referer = value(.referer, of: request)
        }
        entry.octetsSent = c.pointee.queuedTotal &- min(c.pointee.queuedTotal, request.pointee.startPosition)
        entry.octetsReceived = request.pointee.octetsReceived
        entry.milliseconds = request.pointee.receivedAt.milliseconds(until: loop.now)
        entry.status = status
        if let target = request.pointee.target {
            entry.siteID = target.pointee.siteID
            entry.queue = target.pointee.queue.name
        }
        return entry
    }

    private func value(_ id: FieldID, of request: UnsafeMutablePointer<Request>) -> OctetRun {
        let count = Int(request.pointee.head.fieldCount)
        guard let field = FieldSlice.first(id, in: request.pointee.fields, count) else { return .none }
        return OctetRun(
            request.pointee.headStart + Int(field.pointee.valueOffset), Int(field.pointee.valueLength))
    }

    /// The version of a request line that was refused for it, as far as it has one digit each.
    private func otherVersion(_ request: UnsafeMutablePointer<Request>) -> UInt16 {
        let head = request.pointee.head
        let offset = Int(head.targetOffset &+ head.targetLength) + 1
        guard UInt64(offset + 8) <= request.pointee.octetsReceived else { return 0 }
        let version = request.pointee.headStart + offset
        guard version[0] == 0x48, version[5] &- 0x30 <= 9, version[6] == 0x2e, version[7] &- 0x30 <= 9 else { return 0 }
        return UInt16(version[5] &- 0x30) << 8 | UInt16(version[7] &- 0x30)
    }

    /// A deadline that passed: with what is known of the request it cut.
    func logTimer(_ c: UnsafeMutablePointer<Connection>, _ reason: StaticString) {
        // The one that runs, the oldest whose response is on its way, the one whose head is incomplete.
        let name =
            c.pointee.request != 0
            ? c.pointee.request : c.pointee.finishedFirst != 0 ? c.pointee.finishedFirst : c.pointee.parsing
        if name != 0 {
            logRefusal(c, state.pointee.requests.pointer(at: Int(name) &- 1), status: 0, reason: reason)
        } else {
            let entry = ErrorLog.Entry(
                seconds: loop.wallSeconds, client: c.pointee.remote, server: localAddress(c), reason: reason)
            state.pointee.errorLog.write(entry, loop.system)
        }
    }

    /// The client has left before it had the last octet of its answer. A tunnel ends however its ends like.
    func logDrop(_ c: UnsafeMutablePointer<Connection>) {
        if c.pointee.flags.contains(.tunnel) { return }
        let name = c.pointee.request != 0 ? c.pointee.request : c.pointee.finishedFirst
        if name == 0 { return }
        let request = state.pointee.requests.pointer(at: Int(name) &- 1)
        // The listener's own answers have their line.
        if request.pointee.phase == 0 { return }
        logRefusal(
            c, request, status: request.pointee.status,
            reason: request.pointee.isQueued ? "Client_Reset" : "Connection_Dropped")
    }

    func logConnection(_ reason: StaticString, status: UInt16, peer: cberth_address, endpoint: Int) {
        var entry = ErrorLog.Entry(
            seconds: loop.wallSeconds, client: peer, server: state.pointee.endpoints[endpoint].address, reason: reason)
        entry.status = status
        state.pointee.errorLog.write(entry, loop.system)
    }

    private func localAddress(_ c: UnsafeMutablePointer<Connection>) -> cberth_address {
        if !c.pointee.flags.contains(.localKnown) && c.pointee.fd >= 0 {
            c.pointee.flags.insert(.localKnown)
            _ = loop.system.pointee.local_address(loop.system, c.pointee.fd, &c.pointee.local)
        }
        return c.pointee.local
    }
}
