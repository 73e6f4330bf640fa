public import BerthEventLoop
import CBerthSystem
import Glibc

extension Listener {
    /// Seconds without accepting after descriptors or memory ran out.
    static let acceptPauseMilliseconds: UInt64 = 250

    /// Takes connections until the backlog is dry or the batch is full.
    ///
    /// - Returns: whether there may be more.
    @discardableResult
    func accept(_ number: Int) -> Bool {
        let endpoint = state.pointee.endpoints + number
        if !endpoint.pointee.isRegistered { return false }
        let system = loop.system
        var peer = cberth_address()
        for _ in 0..<state.pointee.limits.acceptBatchMax {
            let fd = system.pointee.accept_one(system, endpoint.pointee.fd, &peer)
            if fd < 0 {
                if fd == -EAGAIN { return false }
                pauseAccepting(because: -fd)
                return false
            }
            if let balance = state.pointee.balance,
                let other = balance._withUnsafeGuaranteedRef({ $0.better(than: Int(loop.number)) })
            {
                hand(fd, peer: peer, endpoint: number, to: other, balance)
            } else {
                open(fd, peer: peer, endpoint: number)
            }
        }
        return true
    }

    private func hand(
        _ fd: Int32, peer: cberth_address, endpoint: Int, to other: Int, _ balance: Unmanaged<LoopBalance>
    ) {
        let accepted = DetachedConnection(accepted: fd, endpoint: endpoint, remote: peer)
        let message = Message.make(kind: Self.attachMessage, a: Message.word(retaining: accepted))
        balance._withUnsafeGuaranteedRef { $0.post(message, to: other) }
    }

    /// Takes over what a message of kind `attachMessage` brings.
    public func attach(_ message: UnsafeMutablePointer<Message>) {
        if let detached = Message.takeObject(DetachedConnection.self, from: message.pointee.a) { attach(detached) }
    }

    /// Tells the other loops how many connections this one has.
    @inline(__always)
    func noteConnections() {
        guard let balance = state.pointee.balance else { return }
        balance._withUnsafeGuaranteedRef { $0.note(state.pointee.connections.count, loop: Int(loop.number)) }
    }

    @inline(__always)
    func open(_ fd: Int32, peer: cberth_address, endpoint number: Int, detached: DetachedConnection? = nil) {
        let system = loop.system
        let isCounted: Bool?
        if let detached, detached.isCounted {
            isCounted = detached.isSourceCounted
        } else {
            guard state.pointee.daemon.opened(limit: state.pointee.limits.daemonConnectionsMax) else {
                turnAway(fd, peer: peer, endpoint: number)
                return
            }
            isCounted = countSource(peer)
            guard isCounted != false else {
                state.pointee.daemon.closed()
                turnAway(fd, peer: peer, endpoint: number)
                return
            }
        }
        guard let (index, c) = state.pointee.connections.allocate() else {
            if isCounted == true { discountSource(peer) }
            state.pointee.daemon.closed()
            tally(.connectionsRefused)
            logConnection("Connections_Refused", status: 0, peer: peer, endpoint: number)
            _ = system.pointee.close(system, fd)
            return
        }
        noteConnections()
        let generation = c.pointee.generation
        c.initialize(to: Connection())
        c.pointee.generation = generation
        c.pointee.fd = fd
        c.pointee.endpoint = UInt16(truncatingIfNeeded: number)
        c.pointee.remote = peer
        if isCounted == true { c.pointee.flags.insert(.sourceCounted) }
        if state.pointee.endpoints[number].isSpecific {
            c.pointee.local = state.pointee.endpoints[number].address
            c.pointee.flags.insert(.localKnown)
        }
        setDeadline(index, c, after: state.pointee.limits.timers.idleConnection)
        if let detached, detached.isCounted {
            c.pointee.requestCount = detached.requestCount
            takeUnread(index, c, detached.unread)
            if !state.pointee.isAccepting && c.pointee.generation == generation && c.pointee.phase == .idle {
                endIdle(index, c)
            }
            return
        }
        tally(.connectionsAccepted)
        // Under load the request is there with its connection. Reading at once saves a turn of the loop, and for a connection
        // that ends with its answer the registration too; where it is mostly not there, waiting is cheaper.
        if state.pointee.eagerness > 0 || !state.pointee.isAccepting {
            let before = c.pointee.requestCount
            receive(index, c)
            let hit = c.pointee.generation != generation || c.pointee.requestCount != before || c.pointee.parsing != 0
            state.pointee.eagerness = hit ? min(state.pointee.eagerness &+ 1, 16) : max(state.pointee.eagerness, 1) &- 1
            guard c.pointee.generation == generation, c.pointee.fd >= 0 else { return }
            if c.pointee.requests == 0 || c.pointee.phase == .readingHead { settle(index, c) }
        } else {
            // Every 64th connection asks whether that has changed.
            if counters.connectionsAccepted & 63 == 0 { state.pointee.eagerness = 2 }
            setInterest(index, c, EPOLLIN.rawValue)
        }
    }

    // MARK: Limits of connections

    /// What a connection over a limit is told before any of its octets was read.
    private static let turnedAway: StaticString =
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

    /// Closes a connection over the limit of the daemon or of its source, with a 503 that it may or may not read.
    @inline(never)
    private func turnAway(_ fd: Int32, peer: cberth_address, endpoint number: Int) {
        let system = loop.system
        tally(.connectionsRefused)
        logConnection("ConnLimit", status: 503, peer: peer, endpoint: number)
        _ = system.pointee.send(system, fd, Self.turnedAway.utf8Start, Self.turnedAway.utf8CodeUnitCount, 0)
        _ = system.pointee.close(system, fd)
    }

    /// Nil: sources are not counted; false: this one has as many as it may.
    @inline(__always)
    private func countSource(_ peer: cberth_address) -> Bool? {
        state.pointee.sources?._withUnsafeGuaranteedRef { $0.isOn ? $0.opened(peer) : nil }
    }

    func discountSource(_ peer: cberth_address) {
        state.pointee.sources?._withUnsafeGuaranteedRef { $0.closed(peer) }
    }

    /// Descriptors or memory ran out: the backlog keeps the rest until some are closed.
    private func pauseAccepting(because code: Int32) {
        if state.pointee.acceptPaused { return }
        state.pointee.acceptPaused = true
        for number in 0..<state.pointee.endpointCount where state.pointee.endpoints[number].isRegistered {
            _ = loop.deregister(state.pointee.endpoints[number].fd)
            state.pointee.endpoints[number].isRegistered = false
        }
        if state.pointee.acceptPauses.happened(at: loop.now) {
            state.pointee.errorLog.notice(
                "accepting pauses, \(Self.acceptPauseMilliseconds) ms at a time: \(SystemError("accept4", code)); "
                    + "\(connectionCount) connections are open on this loop; raise LimitNOFILE or lower max_connections"
            )
        }
        _ = loop.schedule(
            at: loop.now.adding(milliseconds: Self.acceptPauseMilliseconds),
            EventToken(kind: TokenKind.acceptPause, index: 0, generation: 1))
    }
}
