import BerthEventLoop
import BerthListener

/// Requests that wait: for a worker to be started, or for a connection to it.
extension Forwarder {
    /// How long a full backlog of a worker on a Unix socket, or the want of descriptors, is left alone. There is no event for
    /// "room again".
    static let backlogPauseMilliseconds: UInt64 = 10

    /// Puts the exchange into the application's queue.
    ///
    /// - Parameter first: it was there before, and keeps its place.
    func wait(_ x: UnsafeMutablePointer<Exchange>) -> Int32 {
        let a = x.pointee.application
        let wasQueued = x.pointee.flags.contains(.queued)
        if !wasQueued {
            guard let target = x.pointee.request.pointee.target, target.pointee.queue.enter() else {
                return refuse(x, reason: "QueueFull")
            }
            x.pointee.flags.insert(.queued)
            x.pointee.request.pointee.isQueued = true
            a.count(.waited)
        }
        if x.pointee.timer.isNone && a.pointee.queueTimeLimit != 0 {
            x.pointee.timer = state.pointee.loop.schedule(
                at: state.pointee.loop.now.adding(nanoseconds: a.pointee.queueTimeLimit),
                EventToken(kind: TokenKind.queueTimer, index: x.pointee.index, generation: x.pointee.generation))
        }
        x.pointee.state = .waiting
        x.pointee.flags.insert(.linked)
        let name = x.pointee.index &+ 1
        if wasQueued {
            x.pointee.previousWaiting = 0
            x.pointee.nextWaiting = a.pointee.waitingFirst
            if a.pointee.waitingFirst != 0 {
                exchange(a.pointee.waitingFirst).pointee.previousWaiting = name
            } else {
                a.pointee.waitingLast = name
            }
            a.pointee.waitingFirst = name
        } else {
            x.pointee.nextWaiting = 0
            x.pointee.previousWaiting = a.pointee.waitingLast
            if a.pointee.waitingLast != 0 {
                exchange(a.pointee.waitingLast).pointee.nextWaiting = name
            } else {
                a.pointee.waitingFirst = name
            }
            a.pointee.waitingLast = name
        }
        return Self.pending
    }

    /// Asks activation for a worker, once until it has answered.
    func demandWorker(_ a: UnsafeMutablePointer<ForwardingApplication>) {
        if a.pointee.startRequested { return }
        a.pointee.startRequested = true
        state.pointee.control.post(
            Message.make(
                kind: state.pointee.controlMessages.workerWanted, a: UInt64(a.pointee.number),
                b: UInt64(state.pointee.loop.number)))
    }

    /// Wakes one of those that wait after a pause.
    func retryLater(_ a: UnsafeMutablePointer<ForwardingApplication>) {
        if a.pointee.retryArmed { return }
        let timer = state.pointee.loop.schedule(
            at: state.pointee.loop.now.adding(milliseconds: Self.backlogPauseMilliseconds),
            EventToken(kind: TokenKind.retryTimer, index: a.pointee.number, generation: 1))
        a.pointee.retryArmed = !timer.isNone
    }

    /// Lets the request that waits longest try again. When it succeeds it wakes the next one.
    func wakeNext(_ a: UnsafeMutablePointer<ForwardingApplication>) {
        if a.pointee.waitingFirst == 0 { return }
        let x = exchange(a.pointee.waitingFirst)
        unlink(x)
        state.pointee.listener.makeReady(x.pointee.request, .handler)
    }

    /// All that wait look again at what has changed for the whole pool.
    func wakeAll(_ a: UnsafeMutablePointer<ForwardingApplication>) {
        while a.pointee.waitingFirst != 0 { wakeNext(a) }
        while a.pointee.doubtFirst != 0 { resolveDoubt(exchange(a.pointee.doubtFirst)) }
    }

    /// All that wait are told that there will be no worker.
    func failAllWaiting(_ a: UnsafeMutablePointer<ForwardingApplication>) {
        while a.pointee.waitingFirst != 0 {
            let x = exchange(a.pointee.waitingFirst)
            unlink(x)
            x.pointee.flags.insert(.startFailed)
            state.pointee.listener.makeReady(x.pointee.request, .handler)
        }
    }

    func queueTimerFired(_ x: UnsafeMutablePointer<Exchange>) {
        x.pointee.timer = .none
        if !x.pointee.flags.contains(.queued) { return }
        x.pointee.flags.insert(.expired)
        state.pointee.listener.makeReady(x.pointee.request, .handler)
    }

    /// A request without a connection was made ready.
    func resumeWaiting(_ x: UnsafeMutablePointer<Exchange>) -> Int32 {
        if x.pointee.flags.contains(.startFailed) { return answerStartFailure(x) }
        if x.pointee.flags.contains(.expired) {
            passTurnOn(x)
            return refuse(x, reason: "AppPoolTimer")
        }
        if x.pointee.flags.contains(.linked) { return Self.pending }
        if x.pointee.flags.contains(.inDoubt) { return x.pointee.timer.isNone ? endDoubt(x) : Self.pending }
        if let target = x.pointee.request.pointee.target, !target.pointee.queue.isStarted {
            // What HTTP.sys does with the queue of a pool that is stopped.
            passTurnOn(x)
            return refuse(x, reason: target.pointee.queue.state.reason)
        }
        if x.pointee.application.pointee.isOffline {
            let (request, a) = (x.pointee.request, x.pointee.application)
            free(x)
            return answerOffline(request, a)
        }
        return attempt(x)
    }

    /// A request that was woken will not try: another one may.
    func passTurnOn(_ x: UnsafeMutablePointer<Exchange>) {
        if x.pointee.flags.contains(.queued) && x.pointee.flags.isDisjoint(with: [.linked, .inDoubt]) {
            wakeNext(x.pointee.application)
        }
    }

    /// The request waits no longer, whatever became of it.
    @inline(__always)
    func leaveQueue(_ x: UnsafeMutablePointer<Exchange>) {
        if x.pointee.flags.contains(.queued) { leaveQueueSlowly(x) }
    }

    private func leaveQueueSlowly(_ x: UnsafeMutablePointer<Exchange>) {
        unlink(x)
        x.pointee.flags.remove(.queued)
        x.pointee.request.pointee.isQueued = false
        state.pointee.loop.cancel(x.pointee.timer)
        x.pointee.timer = .none
        x.pointee.request.pointee.target?.pointee.queue.leave()
    }

    func unlink(_ x: UnsafeMutablePointer<Exchange>) {
        let a = x.pointee.application
        if x.pointee.flags.contains(.inDoubt) { unlinkDoubt(x) }
        if !x.pointee.flags.contains(.linked) { return }
        x.pointee.flags.remove(.linked)
        let (previous, next) = (x.pointee.previousWaiting, x.pointee.nextWaiting)
        if previous != 0 { exchange(previous).pointee.nextWaiting = next } else { a.pointee.waitingFirst = next }
        if next != 0 { exchange(next).pointee.previousWaiting = previous } else { a.pointee.waitingLast = previous }
    }

    @inline(__always)
    func exchange(_ name: UInt32) -> UnsafeMutablePointer<Exchange> {
        state.pointee.exchanges.pointer(at: Int(name) &- 1)
    }
}
