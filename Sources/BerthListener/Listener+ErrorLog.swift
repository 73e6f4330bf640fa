import BerthHTTP
import BerthEventLoop
import CBerthSystem

extension Listener {
    /// Appends to another file from now on; the caller closes the old one when every loop has changed. -1: off.
    public func replaceErrorLogFile(_ fd: Int32) { state.pointee.errorLog.replaceFile(fd, loop.system) }

    /// Writes what was gathered, before the loop ends.
    public func flushErrorLog() { state.pointee.errorLog.flush(loop.system) }

    func logRefusal(
        _ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>, status: UInt16,
        reason: StaticString
    ) {
        var entry = ErrorLog.Entry(
            seconds: loop.wallSeconds, client: c.pointee.remote, server: localAddress(c), reason: reason)
        let head = request.pointee.head
        if head.hasRequestLine {
            let base = request.pointee.headStart
            entry.version = 0x0100 | UInt16(head.versionMinor)
            entry.method = OctetRun(base + Int(head.methodOffset), Int(head.methodLength))
            entry.uri =
                request.pointee.path.count > 0
                ? request.pointee.path : OctetRun(base + Int(head.pathOffset), Int(head.pathLength))
            entry.query = OctetRun(base + Int(head.queryOffset), Int(head.queryLength))
        }
        entry.status = status
        if let target = request.pointee.target {
            entry.siteID = target.pointee.siteID
            entry.queue = target.pointee.queue.name
        }
        state.pointee.errorLog.write(entry, loop.system)
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
