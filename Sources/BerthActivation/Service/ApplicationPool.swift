import BerthEventLoop

/// The unit of isolation: whether its applications may have workers, and when they may no more.
struct ApplicationPool {
    private(set) var rules: PoolRules
    private(set) var state: PoolState
    private var protection: RapidFailProtection
    /// Workers whose crash counted for the pool, since the daemon started.
    private(set) var crashes: UInt64 = 0

    init(rules: PoolRules) {
        self.rules = rules
        state = rules.autoStart ? .started : .stopped(.configuration)
        protection = RapidFailProtection(
            crashLimit: Self.limit(rules), window: max(rules.rapidFailWindow, 1))
    }

    var isStarted: Bool { state == .started }

    /// New limits; a pool that is stopped stays so, until somebody starts it.
    mutating func change(to rules: PoolRules) {
        self.rules = rules
        protection = protection.changed(crashLimit: Self.limit(rules), window: max(rules.rapidFailWindow, 1))
    }

    /// False: it is started already.
    mutating func start() -> Bool {
        guard !isStarted else { return false }
        state = .started
        protection.poolStarted()
        return true
    }

    /// False: it is stopped, or on its way.
    mutating func stop(_ cause: PoolStopCause) -> Bool {
        guard isStarted else { return false }
        state = .stopping(cause)
        return true
    }

    /// Its last worker has ended. False: it was not stopping.
    mutating func lastWorkerEnded() -> Bool {
        guard case .stopping(let cause) = state else { return false }
        state = .stopped(cause)
        return true
    }

    /// A worker that counts for the pool ended unasked, or did not start. True: the pool must be stopped.
    mutating func workerCrashed(at now: MonotonicInstant) -> Bool {
        crashes += 1
        return protection.workerCrashed(at: now) == .stopPool && rules.rapidFailProtection && isStarted
    }

    /// Crashes within the window, for an administrator.
    func crashCount(at now: MonotonicInstant) -> Int { protection.crashCount(at: now) }

    private static func limit(_ rules: PoolRules) -> Int { min(max(rules.rapidFailCrashes, 1), 100) }
}
