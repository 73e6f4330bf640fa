import BerthEventLoop
import BerthListener

/// Requests that a worker let down without a word: it may be dying, which the kernel tells a moment later.
///
/// The kernel closes a process's sockets before it reports its end, so a request can be accepted by a backlog that is about to
/// go. Such a request waits, counted in the pool's queue, until activation has taken the worker away or brought another; then
/// it is sent once more. It is never given to a third worker, so that a request that kills its worker kills two at most.
extension Forwarder {
    /// Lets the exchange, of which no connection is left, wait for what becomes of the worker.
    func doubt(
        _ x: UnsafeMutablePointer<Exchange>, _ worker: UnsafeMutablePointer<WorkerEndpoint>, code: Int32
    ) -> Int32 {
        let a = x.pointee.application
        x.pointee.failedWorker = worker.pointee.id
        x.pointee.failedCode = code
        if worker.pointee.isRetired {
            // It is known to be on its way out.
            a.count(.repeated)
            return attempt(x)
        }
        worker.pointee.isSuspect = true
        if x.pointee.flags.contains(.queued) {
            state.pointee.loop.cancel(x.pointee.timer)
            x.pointee.timer = .none
            // Another one may have more luck, or finds out as well.
            wakeNext(a)
        } else {
            guard let target = x.pointee.request.pointee.target, target.pointee.queue.enter() else {
                return refuse(x, reason: "QueueFull")
            }
            x.pointee.flags.insert(.queued)
            a.count(.waited)
        }
        x.pointee.state = .waiting
        x.pointee.timer = state.pointee.loop.schedule(
            at: state.pointee.loop.now.adding(
                nanoseconds: x.pointee.flags.contains(.refused) ? a.pointee.refusedTime : a.pointee.doubtTime),
            EventToken(kind: TokenKind.doubtTimer, index: x.pointee.index, generation: x.pointee.generation))
        // Without a timer there would be no end to it.
        if x.pointee.timer.isNone { return endDoubt(x) }
        x.pointee.flags.insert(.inDoubt)
        x.pointee.previousWaiting = 0
        x.pointee.nextWaiting = a.pointee.doubtFirst
        if a.pointee.doubtFirst != 0 {
            exchange(a.pointee.doubtFirst).pointee.previousWaiting = x.pointee.index &+ 1
        }
        a.pointee.doubtFirst = x.pointee.index &+ 1
        return Self.pending
    }

    /// Workers came or went: those whose worker is gone, or for whom there is another, try again.
    func resolveDoubts(_ a: UnsafeMutablePointer<ForwardingApplication>) {
        var name = a.pointee.doubtFirst
        while name != 0 {
            let x = exchange(name)
            name = x.pointee.nextWaiting
            let failed = find(a, id: x.pointee.failedWorker)
            let isOver =
                failed.map { $0.pointee.isRetired } ?? true
                || pick(a).flatMap { a.pointee.workers?[$0].id } != x.pointee.failedWorker
            if isOver { resolveDoubt(x) }
        }
    }

    /// The exchange tries again.
    func resolveDoubt(_ x: UnsafeMutablePointer<Exchange>) {
        unlinkDoubt(x)
        state.pointee.loop.cancel(x.pointee.timer)
        x.pointee.timer = .none
        x.pointee.application.count(.repeated)
        state.pointee.listener.makeReady(x.pointee.request, .handler)
    }

    func doubtTimerFired(_ x: UnsafeMutablePointer<Exchange>) {
        x.pointee.timer = .none
        if x.pointee.flags.contains(.inDoubt) { state.pointee.listener.makeReady(x.pointee.request, .handler) }
    }

    /// The worker lives on: what it did was its answer.
    func endDoubt(_ x: UnsafeMutablePointer<Exchange>) -> Int32 {
        if let worker = find(x.pointee.application, id: x.pointee.failedWorker) { worker.pointee.isSuspect = false }
        unlink(x)
        return fail(
            x, x.pointee.flags.contains(.refused) ? .notConnected : .noAnswer, code: x.pointee.failedCode)
    }

    func unlinkDoubt(_ x: UnsafeMutablePointer<Exchange>) {
        x.pointee.flags.remove(.inDoubt)
        let a = x.pointee.application
        let (previous, next) = (x.pointee.previousWaiting, x.pointee.nextWaiting)
        if previous != 0 { exchange(previous).pointee.nextWaiting = next } else { a.pointee.doubtFirst = next }
        if next != 0 { exchange(next).pointee.previousWaiting = previous }
    }
}
