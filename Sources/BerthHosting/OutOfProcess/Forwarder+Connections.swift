import BerthEventLoop
import CBerthSystem
import Glibc

/// Connections to workers: made when none is idle, kept after use, closed when the worker or time says so.
extension Forwarder {
    /// Edge-triggered, so that an exchange that reads what there is costs no further call.
    static var interest: UInt32 { EPOLLIN.rawValue | EPOLLRDHUP.rawValue | cberth_edge_bit() }

    /// The longest segment of a lean connection in octets: with what the kernel adds to it, a quarter of a segment on loopback.
    static let leanSegmentOctets: Int32 = 14_336
    /// The receive buffer of a lean connection in octets (`SO_RCVBUF`, which the kernel doubles): two of what a client that lags
    /// is given at a time.
    static let leanReceiveOctets: Int32 = 65_536

    /// Finds a connection for the exchange and sends its request, or lets it wait.
    func attempt(_ x: UnsafeMutablePointer<Exchange>) -> Int32 {
        let a = x.pointee.application
        let repeatable = isRepeatable(x) && x.pointee.upload == .ended
        while true {
            guard let number = pick(a), let worker = a.pointee.workers.map({ $0 + number }) else {
                let result = wait(x)
                if result == Self.pending { demandWorker(a) }
                return result
            }
            if worker.pointee.idleFirst != 0 && !x.pointee.flags.contains(.repeated) {
                let index = worker.pointee.idleFirst &- 1
                let c = state.pointee.connections.pointer(at: Int(index))
                unlinkIdle(c, worker)
                // A request that cannot be sent twice is worth a look whether anybody is there to take it.
                let lean = c.pointee.flags.intersection(.lean)
                if repeatable {
                    c.pointee.flags = lean.union([.established, .reused])
                } else if isSilent(c) {
                    c.pointee.flags = lean.union([.established, .reused, .probed])
                } else {
                    close(index, c, reset: false)
                    continue
                }
                return launch(x, index, c)
            }
            if a.pointee.connectionsMax != 0 && worker.pointee.connections >= a.pointee.connectionsMax {
                return wait(x)
            }
            return connect(x, number, worker)
        }
    }

    private func connect(
        _ x: UnsafeMutablePointer<Exchange>, _ number: Int, _ worker: UnsafeMutablePointer<WorkerEndpoint>
    ) -> Int32 {
        let a = x.pointee.application
        let system = state.pointee.system
        if state.pointee.connections.count == state.pointee.connections.capacity { return starve(x) }
        // While many clients lag, each of their answers would fill 2.6 MB at a TCP worker (ten segments of 64 KiB, doubled) and
        // what the kernel reads ahead here: together enough to put all connections of the machine under memory pressure.
        let isLean = worker.pointee.isTCP && !state.pointee.listener.keepsUp(x.pointee.request)
        let fd =
            isLean
            ? system.pointee.connect_lean(
                system, &worker.pointee.endpoint, Self.leanSegmentOctets, Self.leanReceiveOctets)
            : system.pointee.connect_to(system, &worker.pointee.endpoint)
        if fd == -EAGAIN {
            // The backlog of a Unix socket is full.
            retryLater(a)
            return wait(x)
        }
        if fd < 0 {
            if fd == -EMFILE || fd == -ENFILE { return starve(x) }
            return connectionRefused(x, worker, code: -fd)
        }
        guard let (index, c) = state.pointee.connections.allocate() else {
            _ = system.pointee.close(system, fd)
            return fail(x, .noMemory)
        }
        let generation = c.pointee.generation
        c.initialize(to: WorkerConnection(application: a))
        c.pointee.generation = generation
        c.pointee.fd = fd
        c.pointee.endpoint = UInt16(truncatingIfNeeded: number)
        c.pointee.interest = Self.interest
        if isLean { c.pointee.flags = .lean }
        worker.pointee.connections &+= 1
        a.count(.connections)
        let registered = state.pointee.loop.register(
            fd, Self.interest, EventToken(kind: TokenKind.connection, index: index, generation: generation))
        if registered < 0 {
            close(index, c, reset: false)
            return fail(x, .notConnected, code: -registered)
        }
        return launch(x, index, c)
    }

    @inline(__always)
    private func launch(
        _ x: UnsafeMutablePointer<Exchange>, _ index: UInt32, _ c: UnsafeMutablePointer<WorkerConnection>
    ) -> Int32 {
        let wasQueued = x.pointee.flags.contains(.queued)
        let a = x.pointee.application
        if wasQueued { leaveQueue(x) }
        c.pointee.exchange = x.pointee.index &+ 1
        c.pointee.takenAt = state.pointee.loop.now.nanoseconds
        x.pointee.connection = index &+ 1
        x.pointee.state = .connecting
        let result = sendHead(x, c)
        if wasQueued { wakeNext(a) }
        return result
    }

    /// The worker that takes requests and has the fewest of them, one in doubt only where there is no other; nil: there is none.
    @inline(__always)
    func pick(_ a: UnsafeMutablePointer<ForwardingApplication>) -> Int? {
        guard let workers = a.pointee.workers else { return nil }
        var best = -1
        var index = 0
        while index < a.pointee.workerCount {
            let worker = workers + index
            if worker.pointee.id != 0 && !worker.pointee.isRetired
                && (best < 0
                    || (worker.pointee.isSuspect == workers[best].isSuspect
                        ? worker.pointee.inUse < workers[best].inUse : workers[best].isSuspect))
            {
                best = index
            }
            index &+= 1
        }
        return best < 0 ? nil : best
    }

    /// Whether an unused connection is open and the worker has said nothing on it.
    private func isSilent(_ c: UnsafeMutablePointer<WorkerConnection>) -> Bool {
        let system = state.pointee.system
        return system.pointee.receive(system, c.pointee.fd, state.pointee.scratch, 1) == -Int(EAGAIN)
    }

    /// The worker closed an unused connection, or spoke without being asked. Either way it is of no more use.
    func idleConnectionReady(_ index: UInt32, _ c: UnsafeMutablePointer<WorkerConnection>) {
        // The event may be older than the exchange that has just read what it tells of.
        if isSilent(c) { return }
        unlinkIdle(c, worker(of: c))
        close(index, c, reset: false)
    }

    /// Keeps a connection for the next exchange.
    @inline(__always)
    func keep(_ index: UInt32, _ c: UnsafeMutablePointer<WorkerConnection>) {
        let worker = worker(of: c)
        let a = c.pointee.application
        if worker.pointee.isRetired || worker.pointee.idleCount >= a.pointee.idleConnectionsMax {
            close(index, c, reset: false)
            return
        }
        if c.pointee.interest != Self.interest { setInterest(index, c, Self.interest) }
        c.pointee.previousIdle = 0
        c.pointee.nextIdle = worker.pointee.idleFirst
        if worker.pointee.idleFirst != 0 {
            state.pointee.connections.pointer(at: Int(worker.pointee.idleFirst) &- 1).pointee.previousIdle = index &+ 1
        }
        worker.pointee.idleFirst = index &+ 1
        worker.pointee.idleCount &+= 1
        setDeadline(index, c, deadline(after: a.pointee.idleTime))
        if a.pointee.waitingFirst != 0 { wakeNext(a) }
    }

    @inline(__always)
    func unlinkIdle(
        _ c: UnsafeMutablePointer<WorkerConnection>, _ worker: UnsafeMutablePointer<WorkerEndpoint>
    ) {
        let (previous, next) = (c.pointee.previousIdle, c.pointee.nextIdle)
        if previous != 0 {
            state.pointee.connections.pointer(at: Int(previous) &- 1).pointee.nextIdle = next
        } else {
            worker.pointee.idleFirst = next
        }
        if next != 0 { state.pointee.connections.pointer(at: Int(next) &- 1).pointee.previousIdle = previous }
        worker.pointee.idleCount &-= 1
    }

    /// Closes a connection that carries nothing and is in no list.
    ///
    /// - Parameter reset: the worker is to see that its exchange was given up.
    func close(_ index: UInt32, _ c: UnsafeMutablePointer<WorkerConnection>, reset: Bool) {
        let system = state.pointee.system
        let a = c.pointee.application
        let worker = worker(of: c)
        if reset { _ = system.pointee.set_linger_reset(system, c.pointee.fd) }
        _ = system.pointee.close(system, c.pointee.fd)
        c.pointee.fd = -1
        state.pointee.loop.cancel(c.pointee.timer)
        state.pointee.connections.free(index)
        worker.pointee.connections &-= 1
        if worker.pointee.isRetired && worker.pointee.connections == 0 { releaseWorker(a, worker) }
        if a.pointee.waitingFirst != 0 { wakeNext(a) }
    }

    /// Closes what is idle at a worker.
    func closeIdle(_ worker: UnsafeMutablePointer<WorkerEndpoint>) {
        while worker.pointee.idleFirst != 0 {
            let index = worker.pointee.idleFirst &- 1
            let c = state.pointee.connections.pointer(at: Int(index))
            unlinkIdle(c, worker)
            close(index, c, reset: false)
        }
    }

    @inline(__always)
    func worker(of c: UnsafeMutablePointer<WorkerConnection>) -> UnsafeMutablePointer<WorkerEndpoint> {
        guard let workers = c.pointee.application.pointee.workers else {
            preconditionFailure("a connection belongs to a worker of its application")
        }
        return workers + Int(c.pointee.endpoint)
    }

    // MARK: Readiness and time

    func setInterest(_ index: UInt32, _ c: UnsafeMutablePointer<WorkerConnection>, _ events: UInt32) {
        c.pointee.interest = events
        state.pointee.loop.modify(
            c.pointee.fd, events,
            EventToken(kind: TokenKind.connection, index: index, generation: c.pointee.generation))
    }

    /// The kernel takes no more octets: an event follows when it does.
    func block(_ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>) {
        c.pointee.flags.insert(.blocked)
        let wanted = Self.interest | EPOLLOUT.rawValue
        if c.pointee.interest != wanted { setInterest(x.pointee.connection &- 1, c, wanted) }
    }

    /// Asks for the present readiness as a new event, so that others have their turn before this exchange goes on reading.
    func readNextTurn(_ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>) {
        setInterest(x.pointee.connection &- 1, c, c.pointee.interest)
    }

    /// The same for an exchange that has octets to send.
    func sendNextTurn(_ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>) {
        c.pointee.flags.insert(.blocked)
        setInterest(x.pointee.connection &- 1, c, Self.interest | EPOLLOUT.rawValue)
    }

    /// Moves the deadline. The timer is touched only when it would fire too late.
    @inline(__always)
    func setDeadline(_ index: UInt32, _ c: UnsafeMutablePointer<WorkerConnection>, _ deadline: UInt64) {
        c.pointee.deadline = deadline
        if deadline < c.pointee.timerDue { armTimer(index, c) }
    }

    private func armTimer(_ index: UInt32, _ c: UnsafeMutablePointer<WorkerConnection>) {
        let due = MonotonicInstant(nanoseconds: c.pointee.deadline)
        c.pointee.timerDue = c.pointee.deadline
        if !state.pointee.loop.reschedule(c.pointee.timer, at: due) {
            c.pointee.timer = state.pointee.loop.schedule(
                at: due,
                EventToken(kind: TokenKind.connectionTimer, index: index, generation: c.pointee.generation))
            // All timers are in use: the next deadline tries again.
            if c.pointee.timer.isNone { c.pointee.timerDue = .max }
        }
    }

    func connectionTimerFired(_ index: UInt32, _ c: UnsafeMutablePointer<WorkerConnection>) {
        c.pointee.timer = .none
        c.pointee.timerDue = .max
        if c.pointee.deadline > state.pointee.loop.now.nanoseconds {
            if c.pointee.deadline != .max { armTimer(index, c) }
        } else if c.pointee.exchange == 0 {
            unlinkIdle(c, worker(of: c))
            close(index, c, reset: false)
        } else {
            c.pointee.flags.insert(.timedOut)
            let x = state.pointee.exchanges.pointer(at: Int(c.pointee.exchange) &- 1)
            state.pointee.listener.makeReady(x.pointee.request, .handler)
        }
    }
}
