import BerthEventLoop

/// The worker processes of one application: started when requests ask for them, one start at a time, replaced, stopped.
///
/// Pure: events and the time come as arguments, what to do goes into the effects. All requests that wait share the outcome of
/// the one start that is under way; whoever comes after it failed asks for the next.
struct ApplicationActivation {
    // The extensions in the files beside this one are the only others that write these.
    var rules: ApplicationRules
    var pool: PoolRules
    /// Oldest first; those on their way out included.
    var workers: [WorkerProcess] = []
    var log = OutputLog()
    var failures: RapidFailsPerMinute
    var lastFailure: StartFailure?
    var crashes: UInt64 = 0
    var recycles: UInt64 = 0

    /// Its pool is started, and it is not removed: workers may be started.
    var isEnabled = false
    var isOffline = false
    var isRemoved = false
    /// Somebody asked since the last worker was stopped: a start that has to wait for an old worker's end is due then.
    var isWanted = false
    /// The one start under way.
    var starting: WorkerID?
    /// Workers that serve until their replacement is ready, and why they are replaced.
    var replacing: [(worker: WorkerID, reason: Recycling.Reason)] = []
    var stopReasons: [WorkerID: StopReason] = [:]
    var splitters: [WorkerID: (out: LineSplitter, error: LineSplitter)] = [:]
    var generation: UInt64 = 0
    var lastActivity: MonotonicInstant
    var requestsRunning: UInt64 = 0
    /// When a start that was refused may be tried again without a request.
    var retryAt = MonotonicInstant.distantFuture
    /// No worker is replaced for its age or its requests before, because a replacement failed.
    var recyclingPausedUntil: MonotonicInstant

    /// Time after a replacement that failed until the next, in seconds.
    static let recyclingPauseSeconds: UInt64 = 60

    init(rules: ApplicationRules, pool: PoolRules, now: MonotonicInstant) {
        (self.rules, self.pool, lastActivity, recyclingPausedUntil) = (rules, pool, now, now)
        failures = RapidFailsPerMinute(limit: rules.rapidFailsPerMinute, now: now)
    }

    // MARK: What a caller may ask

    var hasWorkers: Bool { !workers.isEmpty }

    /// The earliest instant at which `timePassed` has something to do.
    var deadline: MonotonicInstant {
        var earliest = min(retryAt, idleDeadline)
        for worker in workers {
            earliest = min(earliest, worker.deadline)
            earliest = min(earliest, ageDeadline(of: worker))
        }
        return earliest
    }

    func worker(_ id: WorkerID) -> WorkerProcess? { workers.first { $0.id == id } }

    func summary(of worker: WorkerProcess) -> WorkerSummary {
        WorkerSummary(
            id: worker.id, application: rules.id, pool: rules.pool, pid: worker.pid, state: worker.publicState,
            startedWall: worker.startedWall, endpoint: worker.endpoint,
            command: rules.program.map { [$0.executable] + $0.arguments } ?? [], user: rules.program?.identity?.user,
            requestsServed: worker.requestsServed)
    }

    // MARK: Being switched on and off

    /// Its pool was started, or it was added to one that is.
    mutating func enable(now: MonotonicInstant, effects: inout ActivationEffects) {
        guard !isEnabled, !isRemoved else { return }
        isEnabled = true
        failures.reset(at: now)
        if case .external = rules.endpoint { publish(&effects) }
        startUnasked(now: now, effects: &effects)
    }

    mutating func disable(_ reason: StopReason, now: MonotonicInstant, effects: inout ActivationEffects) {
        if reason == .removed { isRemoved = true } else if !isEnabled { return }
        isEnabled = false
        stopAll(reason, now: now, effects: &effects)
    }

    mutating func setOffline(_ offline: Bool, now: MonotonicInstant, effects: inout ActivationEffects) {
        guard offline != isOffline else { return }
        isOffline = offline
        if offline { return stopAll(.offline, now: now, effects: &effects) }
        // As in ANCM, where it is the way to clear a failure that is stuck.
        forgetFailures(now: now)
        if rules.isExternal { publish(&effects) }
        startUnasked(now: now, effects: &effects)
    }

    /// New rules: what is started alike goes on, everything else is replaced.
    mutating func change(
        to rules: ApplicationRules, pool: PoolRules, now: MonotonicInstant, effects: inout ActivationEffects
    ) {
        let same = rules.startsTheSame(as: self.rules)
        let wasExternal = self.rules.isExternal
        (self.rules, self.pool) = (rules, pool)
        isRemoved = false
        failures.limit = min(max(rules.rapidFailsPerMinute, 0), 100)
        // Who repaired the file need not wait for the minute to end.
        if !same { forgetFailures(now: now) }
        if wasExternal || rules.isExternal {
            if !same { publish(&effects) }
            if !rules.isExternal { startUnasked(now: now, effects: &effects) }
        }
        if !same, !pool.disallowRotationOnConfigChange || rules.isExternal {
            recycle(.configurationChange, now: now, effects: &effects)
        }
        trimSurplus(now: now, effects: &effects)
        startUnasked(now: now, effects: &effects)
    }

    // MARK: Starting

    /// A request waits for a worker.
    mutating func demand(now: MonotonicInstant, effects: inout ActivationEffects) {
        guard canStart else { return }
        isWanted = true
        lastActivity = max(lastActivity, now)
        startIfNeeded(isAsked: true, now: now, effects: &effects)
    }

    var canStart: Bool { isEnabled && !isOffline && !isRemoved && !rules.isExternal }

    func isBeingReplaced(_ id: WorkerID) -> Bool { replacing.contains { $0.worker == id } }

    var mustEndFirst: Bool {
        if pool.disallowOverlappingRotation { return true }
        // Two workers can't listen on one port.
        if case .port(fixed: .some) = rules.endpoint { return true }
        return rules.program.map { WorkerEnvironment.portSetting(in: $0.environment) != .unset } ?? false
    }

    mutating func startUnasked(now: MonotonicInstant, effects: inout ActivationEffects) {
        if pool.alwaysRunning { startIfNeeded(isAsked: false, now: now, effects: &effects) }
    }

    mutating func startIfNeeded(isAsked: Bool, now: MonotonicInstant, effects: inout ActivationEffects) {
        guard canStart, starting == nil else { return }
        let serving = workers.count { $0.isRunning && !isBeingReplaced($0.id) }
        guard serving < rules.processes else { return }
        if mustEndFirst, workers.contains(where: { $0.isStopping }) { return }
        if case .refuse(let until) = failures.verdict(at: now) {
            if pool.alwaysRunning { retryAt = until }
            if isAsked && serving == 0 || !replacing.isEmpty {
                report(.tooManyFailures(limit: failures.limit, until: until), of: nil, now: now, effects: &effects)
            }
            return
        }
        retryAt = .distantFuture
        let worker = WorkerProcess(id: effects.nextWorkerID(), rules: rules)
        workers.append(worker)
        splitters[worker.id] = (LineSplitter(), LineSplitter())
        starting = worker.id
        effects.actions.append(.worker(worker.id, rules.id, .spawn))
    }

    // MARK: Replacing and stopping

    mutating func forgetFailures(now: MonotonicInstant) {
        failures.reset(at: now)
        lastFailure = nil
    }

    mutating func recycle(_ reason: Recycling.Reason, now: MonotonicInstant, effects: inout ActivationEffects) {
        if reason == .administrator { forgetFailures(now: now) }
        for id in workers.map(\.id) { recycle(id, reason, now: now, effects: &effects) }
    }

    mutating func recycle(
        _ id: WorkerID, _ reason: Recycling.Reason, now: MonotonicInstant, effects: inout ActivationEffects
    ) {
        guard let worker = worker(id), !worker.isStopping, !isBeingReplaced(id) else { return }
        recycles += 1
        if worker.isRunning, canStart, !mustEndFirst {
            replacing.append((id, reason))
        } else {
            // The requests wait in the queue until its successor, which is started when it has ended.
            isWanted = true
            stop([id], .recycled(reason), now: now, effects: &effects)
        }
        startIfNeeded(isAsked: false, now: now, effects: &effects)
    }

    /// Fewer processes are wanted than run.
    mutating func trimSurplus(now: MonotonicInstant, effects: inout ActivationEffects) {
        let serving = workers.filter { $0.isRunning && !isBeingReplaced($0.id) }
        let surplus = serving.prefix(max(serving.count - rules.processes, 0)).map(\.id)
        if !surplus.isEmpty { stop(surplus, .recycled(.configurationChange), now: now, effects: &effects) }
    }

    mutating func stopAll(_ reason: StopReason, now: MonotonicInstant, effects: inout ActivationEffects) {
        isWanted = false
        retryAt = .distantFuture
        replacing = []
        if rules.isExternal { return publish(&effects) }
        stop(workers.map(\.id), reason, now: now, effects: &effects)
    }

    mutating func stop(
        _ ids: [WorkerID], _ reason: StopReason, now: MonotonicInstant, effects: inout ActivationEffects
    ) {
        let before = readyEndpoints
        var stopping: [(WorkerID, [WorkerProcess.Action])] = []
        for id in ids {
            guard let index = workers.firstIndex(where: { $0.id == id }), !workers[index].isStopping else { continue }
            replacing.removeAll { $0.worker == id }
            stopReasons[id] = reason
            if starting == id { starting = nil }
            stopping.append((id, workers[index].stop(isUsed: workers[index].isRunning, now: now)))
        }
        // The loops learn that it is out before they are asked to let go of it.
        if readyEndpoints != before { publish(&effects) }
        for (id, actions) in stopping { perform(actions, of: id, now: now, effects: &effects) }
    }

    /// Ends the wait: SIGKILL to every worker that is still there.
    mutating func killAll(now: MonotonicInstant, effects: inout ActivationEffects) {
        for id in workers.map(\.id) { act(id, now: now, effects: &effects) { $0.kill(now: now) } }
    }

    /// The worker did not answer when it was asked whether it lives: killed, and counted as a crash.
    mutating func unresponsive(_ id: WorkerID, now: MonotonicInstant, effects: inout ActivationEffects) {
        guard let worker = worker(id), worker.isRunning else { return }
        stopReasons[id] = .unresponsive
        act(id, now: now, effects: &effects) { $0.kill(now: now) }
        publish(&effects)
        countCrash(now: now, effects: &effects)
        startIfNeeded(isAsked: false, now: now, effects: &effects)
    }
}
