import BerthEventLoop
import CBerthSystem

/// Connections that leave a loop, and come from one. Loop thread only.
extension Listener {
    /// What makes a connection one that has to stay where it is.
    private static let bound: Connection.Flags = [.closeAfterResponse, .peerFinished, .blocked, .tunnel, .truncated]

    /// Takes the connection of a request that nobody has begun to answer out of this loop. Its head is unread again, together
    /// with what follows it, and the request is gone.
    ///
    /// Nil: something of an earlier answer is unsent, content of this request was taken, or its client has ended its side. Then
    /// nothing has changed, and the request is to be forwarded instead.
    public func detach(_ request: UnsafeMutablePointer<Request>) -> DetachedConnection? {
        let index = request.pointee.connection
        let c = connection(of: request)
        guard c.pointee.request == request.pointee.index &+ 1, c.pointee.requests == 1, c.pointee.parsing == 0,
            request.pointee.responseState == .none, !request.pointee.continueSent,
            request.pointee.octetsReceived == UInt64(request.pointee.head.headLength),
            !request.pointee.isReady, !request.pointee.jobIsOutstanding,
            cberth_atomic_load_relaxed(&request.pointee.completionWord) == 0, isAtRest(index, c)
        else { return nil }
        let memory = UnsafePointer(state.pointee.input.memory(of: c.pointee.inputBlock))
        c.pointee.inputStart = UInt32(request.pointee.headStart - memory)
        c.pointee.requestCount &-= 1
        c.pointee.request = 0
        c.pointee.parsing = request.pointee.index &+ 1
        return leave(index, c)
    }

    /// Takes all connections that wait for a request, or for the rest of its head, out of this loop.
    public func detachIdleConnections() -> [DetachedConnection] {
        var detached: [DetachedConnection] = []
        for i in 0..<state.pointee.connections.highWater {
            let c = state.pointee.connections.pointer(at: i)
            guard c.pointee.generation != 0, c.pointee.phase == .idle || c.pointee.phase == .readingHead,
                c.pointee.request == 0, c.pointee.requests == (c.pointee.parsing != 0 ? 1 : 0), isAtRest(UInt32(i), c)
            else { continue }
            detached.append(leave(UInt32(i), c))
        }
        return detached
    }

    /// Whether nothing is unsent and nothing has ended.
    private func isAtRest(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) -> Bool {
        c.pointee.fd >= 0 && c.pointee.flags.isDisjoint(with: Self.bound) && c.pointee.finishedFirst == 0
            && c.pointee.outputFirst == 0 && c.pointee.tailRequest == 0 && state.pointee.batchOwner != index &+ 1
    }

    private func leave(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) -> DetachedConnection {
        let count = Int(c.pointee.inputEnd &- c.pointee.inputStart)
        var unread: [UInt8] = []
        if count > 0 {
            let start = state.pointee.input.memory(of: c.pointee.inputBlock) + Int(c.pointee.inputStart)
            unread = Array(UnsafeBufferPointer(start: start, count: count))
        }
        let detached = DetachedConnection(c.pointee, unread: unread)
        if c.pointee.flags.contains(.registered) { _ = loop.deregister(c.pointee.fd) }
        forget(index, c)
        return detached
    }

    /// Takes over a connection that was accepted, or detached, elsewhere. It may be turned away where limits have been reached
    /// meanwhile; while this loop is stopping it has little time for its next request.
    public func attach(_ detached: DetachedConnection) {
        open(detached.descriptor, peer: detached.remote, endpoint: detached.endpoint, detached: detached)
    }

    /// Closes a connection that nobody takes.
    public func giveUp(_ detached: DetachedConnection) {
        _ = loop.system.pointee.close(loop.system, detached.descriptor)
        if detached.isCounted { state.pointee.daemon.closed() }
        if detached.isSourceCounted { discountSource(detached.remote) }
    }

    /// The octets that came with a connection, as if they had been read here.
    func takeUnread(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ unread: [UInt8]) {
        setInterest(index, c, EPOLLIN.rawValue)
        guard !unread.isEmpty else { return }
        c.pointee.inputBlock = state.pointee.input.take()
        guard c.pointee.inputBlock != 0, unread.count <= state.pointee.input.blockSize else {
            abort(index, c)
            return
        }
        state.pointee.input.memory(of: c.pointee.inputBlock).update(from: unread, count: unread.count)
        c.pointee.inputStart = 0
        c.pointee.inputEnd = UInt32(unread.count)
        advance(index, c)
    }
}
