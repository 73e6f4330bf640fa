import BerthEventLoop

/// All pools and applications with their workers: the decisions of WAS, without a process, a clock or a descriptor.
///
/// The driver reports events and carries out `effects`; it takes them after every call.
struct ActivationCore {
    private(set) var pools: [PoolID: ApplicationPool] = [:]
    private(set) var applications: [ApplicationID: ApplicationActivation] = [:]
    private var owners: [WorkerID: ApplicationID] = [:]
    private var memberships: [PoolID: Set<ApplicationID>] = [:]
    /// Pools whose workers' memory or whose schedule is looked at.
    private var sampled: Set<PoolID> = []
    /// Applications that have workers or wait for a time, so that a thousand idle ones cost nothing.
    private var active: Set<ApplicationID> = []
    private(set) var effects = ActivationEffects()
    private(set) var isStopping = false

    // MARK: Configuration

    mutating func configure(pool rules: PoolRules, now: MonotonicInstant) {
        if rules.recycling.needsSampling { sampled.insert(rules.id) } else { sampled.remove(rules.id) }
        guard let known = pools[rules.id] else {
            let pool = ApplicationPool(rules: rules)
            pools[rules.id] = pool
            effects.events.append(.poolState(rules.id, pool.state))
            return
        }
        // Most of a reload finds most of the pools as they were.
        if known.rules == rules { return }
        pools[rules.id]?.change(to: rules)
        for id in members(of: rules.id) {
            with(id, now: now) { $0.change(to: $0.rules, pool: rules, now: $1, effects: &$2) }
        }
    }

    /// Adds an application, or changes its rules. Its pool must be known: false if it is not.
    ///
    /// - Parameter isOffline: whether `app_offline.htm` is there now; one that is has no worker from the start.
    mutating func configure(
        application rules: ApplicationRules, isOffline: Bool = false, now: MonotonicInstant
    ) -> Bool {
        guard let pool = pools[rules.pool] else { return false }
        if let known = applications[rules.id] {
            setOffline(isOffline, rules.id, now: now)
            if known.rules == rules, known.pool == pool.rules, !known.isRemoved { return true }
            memberships[known.rules.pool]?.remove(rules.id)
            with(rules.id, now: now) { $0.change(to: rules, pool: pool.rules, now: $1, effects: &$2) }
        } else {
            var fresh = ApplicationActivation(rules: rules, pool: pool.rules, now: now)
            fresh.isOffline = isOffline
            applications[rules.id] = fresh
        }
        memberships[rules.pool, default: []].insert(rules.id)
        let mayRun = pool.isStarted && !isStopping
        with(rules.id, now: now) {
            if mayRun { $0.enable(now: $1, effects: &$2) } else { $0.disable(.stopped, now: $1, effects: &$2) }
        }
        return true
    }

    mutating func remove(application id: ApplicationID, now: MonotonicInstant) {
        with(id, now: now) { $0.disable(.removed, now: $1, effects: &$2) }
    }

    /// Removes a pool that no application uses; its applications are removed first.
    mutating func remove(pool id: PoolID, now: MonotonicInstant) {
        for member in members(of: id) { remove(application: member, now: now) }
        pools[id] = nil
        sampled.remove(id)
    }

    // MARK: Commands

    mutating func start(pool id: PoolID, now: MonotonicInstant) {
        guard !isStopping, pools[id]?.start() == true else { return }
        effects.events.append(.poolState(id, .started))
        for member in members(of: id) { with(member, now: now) { $0.enable(now: $1, effects: &$2) } }
    }

    mutating func stop(pool id: PoolID, cause: PoolStopCause, now: MonotonicInstant) {
        guard pools[id]?.stop(cause) == true else { return }
        effects.events.append(.poolState(id, .stopping(cause)))
        for member in members(of: id) { with(member, now: now) { $0.disable(.stopped, now: $1, effects: &$2) } }
        settlePool(id)
    }

    mutating func recycle(pool id: PoolID, _ reason: Recycling.Reason, now: MonotonicInstant) {
        for member in members(of: id) { recycle(application: member, reason, now: now) }
    }

    mutating func recycle(application id: ApplicationID, _ reason: Recycling.Reason, now: MonotonicInstant) {
        with(id, now: now) { $0.recycle(reason, now: $1, effects: &$2) }
    }

    mutating func setOffline(_ offline: Bool, _ id: ApplicationID, now: MonotonicInstant) {
        with(id, now: now) { $0.setOffline(offline, now: $1, effects: &$2) }
    }

    /// Everything is told to stop, and nothing is started any more; ends with the event `allStopped`.
    mutating func stopAll(now: MonotonicInstant) {
        guard !isStopping else { return }
        isStopping = true
        for id in applications.keys { with(id, now: now) { $0.disable(.daemonStopping, now: $1, effects: &$2) } }
        if owners.isEmpty { effects.events.append(.allStopped) }
    }

    mutating func killAll(now: MonotonicInstant) {
        for id in applications.keys { with(id, now: now) { $0.killAll(now: $1, effects: &$2) } }
    }

    // MARK: Events

    mutating func demand(_ id: ApplicationID, now: MonotonicInstant) {
        with(id, now: now) { $0.demand(now: $1, effects: &$2) }
    }

    mutating func used(_ id: ApplicationID, at instant: MonotonicInstant, running: UInt64, now: MonotonicInstant) {
        with(id, now: now) { $0.used(at: instant, running: running, now: $1, effects: &$2) }
    }

    mutating func served(_ requests: UInt64, by worker: WorkerID, now: MonotonicInstant) {
        withOwner(of: worker, now: now) { $0.served(requests, by: worker, now: $1, effects: &$2) }
    }

    mutating func usesMemory(_ octets: UInt64, _ worker: WorkerID, now: MonotonicInstant) {
        withOwner(of: worker, now: now) { $0.usesMemory(octets, worker, now: $1, effects: &$2) }
    }

    mutating func unresponsive(_ worker: WorkerID, now: MonotonicInstant) {
        withOwner(of: worker, now: now) { $0.unresponsive(worker, now: $1, effects: &$2) }
    }

    /// Hands an event to one worker's machine.
    mutating func act(
        _ worker: WorkerID, now: MonotonicInstant, _ body: (inout WorkerProcess) -> [WorkerProcess.Action]
    ) {
        withOwner(of: worker, now: now) { $0.act(worker, now: $1, effects: &$2, body) }
    }

    mutating func wrote(
        _ octets: UnsafeRawBufferPointer, to stream: OutputStream, by worker: WorkerID, now: MonotonicInstant,
        wall: Int64
    ) {
        guard let id = owners[worker] else { return }
        applications[id]?.wrote(octets, to: stream, by: worker, wall: wall, effects: &effects)
    }

    mutating func timePassed(now: MonotonicInstant) {
        for id in active where applications[id].map({ $0.deadline <= now }) ?? false {
            with(id, now: now) { $0.timePassed(now: $1, effects: &$2) }
        }
    }

    /// A time of a pool's schedule lies between two minutes of the day.
    mutating func minutePassed(from previous: Int, to minute: Int, now: MonotonicInstant) {
        for id in sampled where pools[id]?.rules.recycling.isDue(after: previous, upTo: minute) ?? false {
            recycle(pool: id, .schedule, now: now)
        }
    }

    /// The earliest instant at which `timePassed` has something to do.
    var deadline: MonotonicInstant {
        active.reduce(.distantFuture) { min($0, applications[$1]?.deadline ?? .distantFuture) }
    }

    var needsSampling: Bool { !sampled.isEmpty }

    func worker(_ id: WorkerID) -> WorkerProcess? { owners[id].flatMap { applications[$0]?.worker(id) } }

    /// All of them, those on their way out included.
    var workers: [WorkerSummary] {
        active.sorted { $0.rawValue < $1.rawValue }.compactMap { applications[$0] }.flatMap { application in
            application.workers.map { application.summary(of: $0) }
        }
    }

    mutating func takeActions() -> [ActivationEffects.Action] {
        defer { effects.actions = [] }
        return effects.actions
    }

    mutating func takeEvents() -> [ActivationEvent] {
        defer { effects.events = [] }
        return effects.events
    }

    // MARK: Bookkeeping

    private func members(of pool: PoolID) -> [ApplicationID] {
        (memberships[pool] ?? []).sorted { $0.rawValue < $1.rawValue }
    }

    private mutating func withOwner(
        of worker: WorkerID, now: MonotonicInstant,
        _ body: (inout ApplicationActivation, MonotonicInstant, inout ActivationEffects) -> Void
    ) {
        if let id = owners[worker] { with(id, now: now, body) }
    }

    private mutating func with(
        _ id: ApplicationID, now: MonotonicInstant,
        _ body: (inout ApplicationActivation, MonotonicInstant, inout ActivationEffects) -> Void
    ) {
        // Out of the table while it works, so that its arrays are not copied.
        guard var application = applications.removeValue(forKey: id) else { return }
        let actionsBefore = effects.actions.count
        body(&application, now, &effects)
        applications[id] = application
        var ended = false
        for action in effects.actions[actionsBefore...] {
            switch action {
            case .worker(let worker, let owner, .spawn): owners[worker] = owner
            case .forget(let worker):
                owners[worker] = nil
                ended = true
            case .worker: break
            }
        }
        if application.hasWorkers || application.deadline != .distantFuture {
            active.insert(id)
        } else {
            active.remove(id)
        }
        forgetRemoved(id)
        if ended {
            settlePool(application.rules.pool)
            if isStopping, owners.isEmpty { effects.events.append(.allStopped) }
        }
        while let pool = effects.poolCrashes.popLast() {
            if pools[pool]?.workerCrashed(at: now) == true { stop(pool: pool, cause: .rapidFail, now: now) }
        }
    }

    private mutating func forgetRemoved(_ id: ApplicationID) {
        guard let application = applications[id], application.isRemoved, !application.hasWorkers else { return }
        applications[id] = nil
        active.remove(id)
        memberships[application.rules.pool]?.remove(id)
        if memberships[application.rules.pool]?.isEmpty ?? false { memberships[application.rules.pool] = nil }
        effects.events.append(.removed(id))
    }

    private mutating func settlePool(_ id: PoolID) {
        guard let pool = pools[id], !members(of: id).contains(where: { applications[$0]?.hasWorkers ?? false }) else {
            return
        }
        var settled = pool
        if settled.lastWorkerEnded() {
            pools[id] = settled
            effects.events.append(.poolState(id, settled.state))
        }
    }
}
