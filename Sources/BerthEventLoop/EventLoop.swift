public import CBerthSystem

/// Readiness, deadlines and messages of one thread.
///
/// A loop is an object that a thread runs, not the thread itself: everything is reached through this handle, a pointer, and
/// nothing lives in thread-locals, so another thread can take a loop over between two calls. Whoever runs it asks for events
/// and dispatches them by token; the loop does not know what a descriptor means. Loop thread only, but for `mailbox`.
public struct EventLoop: @unchecked Sendable, BitwiseCopyable {
    @usableFromInline
    struct State {
        @usableFromInline let system: UnsafePointer<cberth_system>
        let poll: Int32
        /// Ends the wait when the next deadline has come.
        let timer: Int32
        /// What it is set to; in the past when it has ended a wait.
        var timerDue = MonotonicInstant(nanoseconds: 0)
        let events: UnsafeMutablePointer<epoll_event>
        var eventCount: Int32
        var eventIndex: Int32
        @usableFromInline var now: MonotonicInstant
        @usableFromInline var wallSeconds: Int64
        /// When the second of `wallSeconds` is over, if nobody sets the clock meanwhile.
        var wallSecondEnds: MonotonicInstant
        var wheel: TimerWheel
        let mailbox: Mailbox
        var messages: UnsafeMutablePointer<Message>?
        @usableFromInline let number: UInt32
    }

    @usableFromInline let state: UnsafeMutablePointer<State>

    /// Events taken from the kernel with one call.
    public static let batchMax: Int32 = 256
    /// Octets that all events of one turn may move together, about: some milliseconds of copying. Ours.
    static let turnOctetsMax = 8 << 20
    /// The most and the least of it for one of them. Ours: fewer octets a call cost more for each.
    static let shareMax = 1 << 20
    static let shareMin = 1 << 16
    /// Kinds of the loop's own tokens, from the first on; dispatchers use others.
    static let ownKinds: UInt8 = 0xfe
    static let timerKind: UInt8 = 0xfe
    static let mailboxKind: UInt8 = 0xff

    /// - Parameters:
    ///   - number: which loop this is, 0 up.
    ///   - timersMax: deadlines armed at once.
    public init(number: UInt32, system: UnsafePointer<cberth_system>, timersMax: Int) throws(SystemError) {
        let poll = try checked("epoll_create1", system.pointee.poll_create(system))
        let timer = try checked("timerfd_create", system.pointee.timer_create(system))
        // Each time it is over counts once, so nobody has to read it.
        try checked(
            "epoll_ctl",
            system.pointee.poll_add(
                system, poll, timer, EPOLLIN.rawValue | EPOLLET.rawValue,
                EventToken(kind: Self.timerKind, index: 0, generation: 0).rawValue))
        let mailbox = try Mailbox(system: system)
        try checked(
            "epoll_ctl",
            system.pointee.poll_add(
                system, poll, mailbox.descriptor, EPOLLIN.rawValue,
                EventToken(kind: Self.mailboxKind, index: 0, generation: 0).rawValue))
        let now = MonotonicInstant(nanoseconds: system.pointee.monotonic_nanoseconds(system))
        guard let wheel = TimerWheel(capacity: timersMax, now: now) else { throw SystemError("mmap", ENOMEM) }
        state = .allocate(capacity: 1)
        state.initialize(
            to: State(
                system: system, poll: poll, timer: timer, events: .allocate(capacity: Int(Self.batchMax)),
                eventCount: 0,
                eventIndex: 0,
                now: now, wallSeconds: 0, wallSecondEnds: now, wheel: wheel, mailbox: mailbox, messages: nil,
                number: number))
        updateTime()
    }

    /// The door to the kernel.
    @inlinable @inline(__always) public var system: UnsafePointer<cberth_system> { state.pointee.system }
    /// Which loop this is.
    @inlinable @inline(__always) public var number: UInt32 { state.pointee.number }
    /// When the current batch of events arrived.
    @inlinable @inline(__always) public var now: MonotonicInstant { state.pointee.now }
    /// The same on the wall, in seconds since 1970 UTC.
    @inlinable @inline(__always) public var wallSeconds: Int64 { state.pointee.wallSeconds }
    /// Any thread may post to it.
    public var mailbox: Mailbox { state.pointee.mailbox }

    // MARK: Descriptors

    /// Asks for events of `fd`; 0 or a negated errno.
    @inline(__always)
    public func register(_ fd: Int32, _ events: UInt32, _ token: EventToken) -> Int32 {
        system.pointee.poll_add(system, state.pointee.poll, fd, events, token.rawValue)
    }

    @inline(__always) @discardableResult
    public func modify(_ fd: Int32, _ events: UInt32, _ token: EventToken) -> Int32 {
        system.pointee.poll_modify(system, state.pointee.poll, fd, events, token.rawValue)
    }

    /// A descriptor that is closed leaves by itself; this is for one that lives on elsewhere.
    @discardableResult
    public func deregister(_ fd: Int32) -> Int32 { system.pointee.poll_remove(system, state.pointee.poll, fd) }

    // MARK: Deadlines

    /// Arms a timer; `.none` when all are in use.
    public func schedule(at deadline: MonotonicInstant, _ token: EventToken) -> TimerID {
        state.pointee.wheel.schedule(at: deadline, token: token)
    }

    /// Moves a timer; false when it has fired already.
    @discardableResult
    public func reschedule(_ id: TimerID, at deadline: MonotonicInstant) -> Bool {
        state.pointee.wheel.reschedule(id, at: deadline)
    }

    /// When a timer is due; nil when it has fired already.
    public func deadline(of id: TimerID) -> MonotonicInstant? { state.pointee.wheel.deadline(of: id) }

    public func cancel(_ id: TimerID) { if !id.isNone { state.pointee.wheel.cancel(id) } }

    /// Gives memory of timers that are gone back.
    public func trimTimers() { state.pointee.wheel.trim() }

    // MARK: Running

    /// Octets that one event of this turn may move through the loop, in one direction, before others have theirs: a fast peer
    /// does not hold the loop, nor do hundreds of them together.
    @inline(__always)
    public var turnShare: Int {
        let count = Int(state.pointee.eventCount)
        // Nearly always: no division.
        if count <= Self.turnOctetsMax / Self.shareMax { return Self.shareMax }
        return max(Self.shareMin, Self.turnOctetsMax / count)
    }

    /// What there is to do next.
    public enum Work {
        /// Readiness of a descriptor: bits as EPOLLIN and others.
        case ready(EventToken, UInt32)
        /// A deadline has passed.
        case expired(EventToken)
        /// Somebody posted; free it with `Message.free` when it is handled.
        case message(UnsafeMutablePointer<Message>)
    }

    /// Waits for events: not longer than until the next deadline, and not at all when `block` is false.
    public func wait(block: Bool) {
        let timeout: Int32 = block ? armTimer() : 0
        let count = system.pointee.poll_wait(system, state.pointee.poll, state.pointee.events, Self.batchMax, timeout)
        // The only errors of epoll_wait are EBADF, EFAULT and EINVAL: our own mistakes.
        precondition(count >= 0, "epoll_wait refused our descriptor")
        state.pointee.eventCount = count
        state.pointee.eventIndex = 0
        updateTime()
    }

    /// Sees to it that a wait ends when the next deadline has come: what epoll_wait is to be given, 0 when that is now.
    ///
    /// A time limit of epoll_wait is armed and taken back with every wait that has to sleep, which costs some percent of a request's
    /// CPU time (decision 11). The timer is set about once a second: while it ends a wait before the deadline, it can stay as it is.
    @inline(__always)
    private func armTimer() -> Int32 {
        guard let due = state.pointee.wheel.nextDue() else { return -1 }
        let now = state.pointee.now
        if due <= now { return 0 }
        if state.pointee.timerDue <= due && state.pointee.timerDue > now { return -1 }
        setTimer(due)
        return -1
    }

    @inline(never)
    private func setTimer(_ due: MonotonicInstant) {
        let result = system.pointee.timer_set(system, state.pointee.timer, due.nanoseconds)
        // The only errors of timerfd_settime are EBADF, EFAULT and EINVAL: our own mistakes.
        precondition(result == 0, "timerfd_settime refused our descriptor")
        state.pointee.timerDue = due
    }

    /// The next piece of work of this batch; nil when it is done and `wait` is next.
    @inline(__always)
    public func nextWork() -> Work? {
        if let message = state.pointee.messages {
            state.pointee.messages = state.pointee.mailbox.next(after: message)
            return .message(message)
        }
        while state.pointee.eventIndex < state.pointee.eventCount {
            let event = cberth_event_at(state.pointee.events, state.pointee.eventIndex)
            state.pointee.eventIndex &+= 1
            let token = EventToken(rawValue: cberth_event_token(event))
            if token.kind >= Self.ownKinds {
                // That the timer is over shows in the clock.
                if token.kind == Self.timerKind { continue }
                state.pointee.messages = state.pointee.mailbox.takeAll()
                guard let message = state.pointee.messages else { continue }
                state.pointee.messages = state.pointee.mailbox.next(after: message)
                return .message(message)
            }
            return .ready(token, cberth_event_bits(event))
        }
        if let token = state.pointee.wheel.popExpired(now: state.pointee.now) { return .expired(token) }
        return nil
    }

    /// Reads the clocks again, for work that took long.
    public func updateTime() {
        let now = MonotonicInstant(nanoseconds: system.pointee.monotonic_nanoseconds(system))
        state.pointee.now = now
        if now >= state.pointee.wallSecondEnds { updateWallTime() }
    }

    /// Once a second, so that a wall clock that is set is followed within one.
    @inline(never)
    private func updateWallTime() {
        let wall = system.pointee.wall_nanoseconds(system)
        state.pointee.wallSeconds = wall / 1_000_000_000
        state.pointee.wallSecondEnds = state.pointee.now.adding(
            nanoseconds: UInt64(1_000_000_000 - wall % 1_000_000_000))
    }
}
