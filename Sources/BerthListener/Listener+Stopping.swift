import BerthEventLoop
import CBerthSystem

/// How a listener comes to its end: nothing new is accepted, what was begun is finished, and what has arrived is answered.
extension Listener {
    /// Nanoseconds from its acceptance in which a connection's first request is waited for when the listener stops. Its client
    /// has only just been let in: to close on it would lose a request that is on its way. Ours: what it takes until a lost
    /// packet is sent again (RFC 6298 §2.1).
    static let firstRequestWait: UInt64 = 1_000_000_000

    /// Batches that are taken from a backlog at the end at most: more than the longest one holds, and an end for one that never
    /// runs dry.
    private static let lastBatchesMax = 512

    /// No new connections from now on; those that are open finish what they began and close. So do those that wait in the
    /// backlog of a socket that nobody else holds: closing it would reset them.
    public func stopAccepting() {
        state.pointee.isAccepting = false
        for number in 0..<state.pointee.endpointCount {
            if !state.pointee.endpoints[number].isInherited {
                for _ in 0..<Self.lastBatchesMax where !accept(number) { break }
            }
            removeEndpoint(number)
        }
        for i in 0..<state.pointee.connections.highWater {
            let c = state.pointee.connections.pointer(at: i)
            if c.pointee.generation == 0 || c.pointee.fd < 0 { continue }
            if c.pointee.request != 0 {
                // The answer can still say that it is the last one.
                let request = state.pointee.requests.pointer(at: Int(c.pointee.request) &- 1)
                if request.pointee.responseState == .none { request.pointee.keepsAlive = false }
            } else if c.pointee.phase == .idle && c.pointee.finishedFirst == 0 {
                endIdle(UInt32(i), c)
            }
        }
    }

    /// Answers what has arrived on a connection that waits for a request, and closes it otherwise; one that was accepted just
    /// now waits on.
    @inline(never)
    func endIdle(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        c.pointee.phase = .idle
        let generation = c.pointee.generation
        receive(index, c)
        guard c.pointee.generation == generation, c.pointee.fd >= 0 else { return }
        if c.pointee.phase == .readingHead { setInterest(index, c, EPOLLIN.rawValue) }
        if c.pointee.phase != .idle { return }
        let until = firstRequestDeadline(c)
        if until <= loop.now {
            close(index, c)
            return
        }
        setDeadline(index, c, at: until)
        setInterest(index, c, EPOLLIN.rawValue)
    }

    /// Until when the first request of an idle connection is waited for; the beginning of time where it has had one.
    private func firstRequestDeadline(_ c: UnsafeMutablePointer<Connection>) -> MonotonicInstant {
        guard c.pointee.requestCount == 0 else { return MonotonicInstant(nanoseconds: 0) }
        let latest = loop.now.adding(nanoseconds: Self.firstRequestWait)
        // Its timer has run since it was accepted.
        guard let idleUntil = loop.deadline(of: c.pointee.timer) else { return latest }
        let idle = idleConnection(c)
        let accepted = idleUntil.nanoseconds &- min(idleUntil.nanoseconds, idle)
        return min(MonotonicInstant(nanoseconds: accepted).adding(nanoseconds: Self.firstRequestWait), latest)
    }

    /// Ends every connection at once, whatever it is doing: the drain bound of a stopping daemon has passed.
    public func closeAllConnections() {
        for i in 0..<state.pointee.connections.highWater {
            let c = state.pointee.connections.pointer(at: i)
            if c.pointee.generation != 0 && c.pointee.fd >= 0 { abort(UInt32(i), c) }
        }
    }
}
