import BerthEventLoop
import CBerthSystem

/// How long a peer may take: a site's own timers once a request of the connection was routed to it, before that the daemon's.
extension Listener {
    /// Timers of the daemon, in force for what waits from now on.
    public func replaceTimers(_ timers: ListenerTimers) { state.pointee.limits.timers = timers }

    // MARK: Which one

    @inline(__always)
    func idleConnection(_ c: UnsafeMutablePointer<Connection>) -> UInt64 {
        if let own = c.pointee.site?.idleConnection, own != 0 { return own }
        return state.pointee.limits.timers.idleConnection
    }

    func headerWait(_ c: UnsafeMutablePointer<Connection>) -> UInt64 { timer(c, \.headerWait) }
    func entityBody(_ c: UnsafeMutablePointer<Connection>) -> UInt64 { timer(c, \.entityBody) }
    func drainEntityBody(_ c: UnsafeMutablePointer<Connection>) -> UInt64 { timer(c, \.drainEntityBody) }
    private func minSendRate(_ c: UnsafeMutablePointer<Connection>) -> UInt64 { timer(c, \.minSendRate) }

    @inline(__always)
    private func timer(
        _ c: UnsafeMutablePointer<Connection>, _ value: (ListenerTimers) -> UInt64
    ) -> UInt64 {
        if let own = c.pointee.site.map({ value($0.timers) }), own != 0 { return own }
        return value(state.pointee.limits.timers)
    }

    // MARK: Deadlines

    /// The deadline was that of the send rate; from now on it is again that of what the connection waits for.
    func restoreDeadline(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        switch c.pointee.phase {
        case .idle, .closed, .lingering: return
        case .readingHead: setDeadline(index, c, after: headerWait(c))
        case .draining: setDeadline(index, c, after: drainEntityBody(c))
        case .running:
            if c.pointee.flags.contains(.tunnel) {
                setDeadline(index, c, at: .distantFuture)
            } else if readsContent(c) {
                setDeadline(index, c, after: entityBody(c))
            } else {
                setDeadline(index, c, after: idleConnection(c))
            }
        }
    }

    /// The deadline of whatever the connection waits for has passed.
    func deadlinePassed(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        c.pointee.timer = .none
        if c.pointee.fd < 0 { return }
        if c.pointee.flags.contains(.blocked) {
            judgeRate(index, c)
            return
        }
        switch c.pointee.phase {
        case .idle:
            if state.pointee.isAccepting { logTimer(c, "Timer_ConnectionIdle") }
            close(index, c)
        case .readingHead:
            logTimer(c, "Timer_HeaderWait")
            close(index, c)
        case .running:
            if c.pointee.request == 0 {
                setDeadline(index, c, after: idleConnection(c))
                return
            }
            let request = state.pointee.requests.pointer(at: Int(c.pointee.request) &- 1)
            if request.pointee.wantsContent && request.pointee.contentState != .tunnel {
                logTimer(c, "Timer_EntityBody")
                request.pointee.wantsContent = false
                _ = fail(request, .timedOut)
                makeReady(request, .readable)
                return
            }
            setDeadline(index, c, after: idleConnection(c))
            // One whose request came with it is not watched yet: a handler that takes this long is told when its client leaves.
            setInterest(index, c, c.pointee.interest)
        case .draining:
            logTimer(c, "Timer_EntityBody")
            abort(index, c)
        case .lingering: close(index, c)
        case .closed: break
        }
    }

    // MARK: The send rate

    /// The kernel takes no more. After the grace period it is asked what the peer has acknowledged.
    func beginJudgingRate(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        c.pointee.rateSince = loop.now.nanoseconds
        c.pointee.rateUntil = 0
        setDeadline(index, c, at: loop.now.adding(seconds: state.pointee.limits.minSendGraceSeconds))
    }

    /// Gives a response up whose client does not take it at the floor rate.
    ///
    /// Each acknowledged octet buys the time that it takes at that rate, from the grace period on; a client that reads faster is
    /// never cut, and one that stands still is when what it took before is used up. What the kernel holds unacknowledged counts
    /// for nothing, so the length of the response does not either. Source: IIS `minBytesPerSecond`, which judges the whole
    /// response; `minSendCreditMax` is ours.
    private func judgeRate(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        let rate = minSendRate(c)
        // A tunnel has no rate; whoever it belongs to decides how long it may stand.
        if rate == ListenerTimers.off || rate == 0 || c.pointee.flags.contains(.tunnel) {
            setDeadline(index, c, at: .distantFuture)
            return
        }
        let creditMax = state.pointee.limits.minSendCreditMax
        let unsent = UInt64(max(0, loop.system.pointee.unsent_octets(loop.system, c.pointee.fd)))
        let acknowledged = c.pointee.sentTotal &- min(c.pointee.sentTotal, unsent)
        func bought(_ octets: UInt64) -> UInt64 { min(octets, creditMax) &* 1_000_000_000 / rate }
        let until: MonotonicInstant
        if c.pointee.rateUntil == 0 {
            until = MonotonicInstant(nanoseconds: c.pointee.rateSince)
                .adding(seconds: state.pointee.limits.minSendGraceSeconds).adding(nanoseconds: bought(acknowledged))
        } else {
            let progress = acknowledged &- min(acknowledged, c.pointee.rateAcknowledged)
            until = min(
                MonotonicInstant(nanoseconds: c.pointee.rateUntil).adding(nanoseconds: bought(progress)),
                loop.now.adding(nanoseconds: bought(creditMax)))
        }
        c.pointee.rateAcknowledged = acknowledged
        c.pointee.rateUntil = until.nanoseconds
        if until <= loop.now {
            logTimer(c, "Timer_MinBytesPerSecond")
            abort(index, c)
            return
        }
        setDeadline(index, c, at: until)
    }
}
