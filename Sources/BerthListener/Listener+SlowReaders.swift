import BerthEventLoop
import CBerthSystem
import Glibc

/// Clients that do not keep up with their responses: each is waited for, and all of them together are bounded.
extension Listener {
    /// The kernel takes no more for now: waits to be writable, and starts to judge the send rate.
    func block(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        if !c.pointee.flags.contains(.blocked) {
            c.pointee.flags.insert(.blocked)
            state.pointee.blockedCount &+= 1
        }
        c.pointee.blocksTaken = 0
        boundUnsent(c)
        setInterest(index, c, c.pointee.interest | EPOLLOUT.rawValue)
        if c.pointee.fd >= 0 && c.pointee.rateSince == 0 { beginJudgingRate(index, c) }
    }

    /// The kernel took everything, or the connection is closed.
    @inline(__always)
    func unblock(_ c: UnsafeMutablePointer<Connection>) {
        if !c.pointee.flags.contains(.blocked) { return }
        c.pointee.flags.remove(.blocked)
        state.pointee.blockedCount &-= 1
    }

    /// Whether more clients lag than may each have what one may.
    @inline(__always)
    var manyLag: Bool { state.pointee.blockedCount > state.pointee.limits.largeSendBuffersMax }

    /// Octets of a response that may wait for this client.
    @inline(__always)
    func window(_ c: UnsafeMutablePointer<Connection>) -> UInt64 {
        let window = state.pointee.limits.responseWindow
        return !manyLag || keptUp(c) ? window : min(state.pointee.limits.slowResponseWindow, window)
    }

    /// Whether it took, without being waited for, twice what the kernel keeps for one that takes nothing.
    @inline(__always)
    private func keptUp(_ c: UnsafeMutablePointer<Connection>) -> Bool {
        Int(c.pointee.blocksTaken) &* Self.outputBlockSize
            >= min(
                2 &* Int(state.pointee.limits.unsentOctetsMax), Int(UInt8.max) &* Self.outputBlockSize)
    }

    /// Whether the client may be given a whole `responseWindow`. While many lag, only to one that has shown that it takes what it
    /// asks for; the others get `slowResponseWindow`.
    @inline(__always)
    public func keepsUp(_ request: UnsafeMutablePointer<Request>) -> Bool {
        !manyLag || keptUp(connection(of: request))
    }

    /// The kernel took all of some content at once.
    @inline(__always)
    func noteTaken(_ c: UnsafeMutablePointer<Connection>, _ count: Int) {
        if !manyLag { return }
        let blocks = Int(c.pointee.blocksTaken) &+ count / Self.outputBlockSize
        c.pointee.blocksTaken = UInt8(truncatingIfNeeded: min(blocks, Int(UInt8.max)))
    }

    /// Before content goes to the kernel. Where few clients lag, the kernel may take megabytes of a response with one call, which
    /// is cheap. Thousands of them would cost that many times its memory and the time to fill it, which others wait for.
    @inline(__always)
    func boundUnsent(_ c: UnsafeMutablePointer<Connection>) {
        if !manyLag { return }
        if c.pointee.flags.contains(.unsentBounded) || c.pointee.fd < 0 { return }
        c.pointee.flags.insert(.unsentBounded)
        // A Unix socket has no such bound and needs none: what its peer has not read counts against a small buffer.
        _ = loop.system.pointee.bound_unsent(loop.system, c.pointee.fd, state.pointee.limits.unsentOctetsMax)
    }

    /// Responses that clients do not read have used up their blocks, and this connection pays for it.
    func noteCut(_ c: UnsafeMutablePointer<Connection>) {
        if state.pointee.outputCuts.happened(at: loop.now) {
            state.pointee.errorLog.notice(
                "connections are cut: all \(state.pointee.limits.outputBlocksMax) blocks of \(Self.outputBlockSize) octets "
                    + "for responses that clients do not read are in use on this loop")
        }
        logTimer(c, "Connection_Dropped")
    }

    /// Clients that do not finish what they send have used up the blocks for it, and this connection pays for it.
    @inline(never)
    func noteNoInput(_ c: UnsafeMutablePointer<Connection>) {
        if state.pointee.inputRefusals.happened(at: loop.now) {
            state.pointee.errorLog.notice(
                "connections are refused: all \(state.pointee.input.count) blocks of \(state.pointee.input.blockSize) octets "
                    + "for what clients send are in use on this loop")
        }
        logTimer(c, "Connections_Refused")
    }

    /// Once a second: what has not happened for a while is over.
    func tellWhatIsOver() {
        let pauses = state.pointee.acceptPauses.endWhenCalm(at: loop.now)
        if pauses > 0 { state.pointee.errorLog.notice("accepting goes on as usual; it paused \(pauses) times") }
        let cuts = state.pointee.outputCuts.endWhenCalm(at: loop.now)
        if cuts > 0 { state.pointee.errorLog.notice("responses have room again; \(cuts) connections were cut") }
        let refusals = state.pointee.inputRefusals.endWhenCalm(at: loop.now)
        if refusals > 0 {
            state.pointee.errorLog.notice("requests have room again; \(refusals) connections were refused")
        }
    }
}
