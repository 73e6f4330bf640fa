import BerthEventLoop

// What happens to the workers of an application, and what it means to whoever waits.
extension ApplicationActivation {
    /// Hands an event to the worker's own machine and does what it answers. An unknown worker is a late event: ignored.
    mutating func act(
        _ id: WorkerID, now: MonotonicInstant, effects: inout ActivationEffects,
        _ body: (inout WorkerProcess) -> [WorkerProcess.Action]
    ) {
        guard let index = workers.firstIndex(where: { $0.id == id }) else { return }
        let before = workers[index].pid
        let actions = body(&workers[index])
        if workers[index].pid != before { effects.events.append(.workerStarted(summary(of: workers[index]))) }
        perform(actions, of: id, now: now, effects: &effects)
    }

    mutating func perform(
        _ actions: [WorkerProcess.Action], of id: WorkerID, now: MonotonicInstant, effects: inout ActivationEffects
    ) {
        for action in actions {
            switch action {
            case .report(let outcome): settle(outcome, of: id, now: now, effects: &effects)
            case .drain: effects.events.append(.drain(id, rules.id))
            case .sendShutdownMessage:
                if let worker = worker(id), let endpoint = worker.endpoint {
                    let target = ReadyEndpoint(endpoint: endpoint, token: worker.token, worker: id)
                    effects.events.append(.sendShutdownMessage(id, rules.id, target))
                }
            case .spawn, .probe, .terminate, .kill, .clear: effects.actions.append(.worker(id, rules.id, action))
            }
        }
    }

    mutating func settle(
        _ outcome: WorkerProcess.Outcome, of id: WorkerID, now: MonotonicInstant, effects: inout ActivationEffects
    ) {
        guard let worker = worker(id) else { return }
        if starting == id { starting = nil }
        switch outcome {
        case .ready:
            lastActivity = max(lastActivity, now)
            lastFailure = nil
            effects.events.append(.workerReady(summary(of: worker)))
            if let old = replacing.first {
                stop([old.worker], .recycled(old.reason), now: now, effects: &effects)
            } else {
                publish(&effects)
            }
        case .startFailed(let cause):
            let reason = stopReasons[id]
            remove(id, effects: &effects)
            if let reason {
                // It was told to stop while an attempt was being cleared away: nobody's failure.
                effects.events.append(.workerStopped(summary(of: worker), reason, .unknown, killed: false))
            } else {
                countFailedStart(now: now, effects: &effects)
                report(cause, of: worker, now: now, effects: &effects)
            }
        case .crashed(let exit):
            crashes += 1
            countCrash(now: now, effects: &effects)
            let lines = lastLines(of: worker.pid)
            remove(id, effects: &effects)
            effects.events.append(.workerCrashed(summary(of: worker), exit, lastLines: lines))
            publish(&effects)
        case .stopped(let exit, let killed):
            let reason = stopReasons[id] ?? .stopped
            remove(id, effects: &effects)
            effects.events.append(.workerStopped(summary(of: worker), reason, exit, killed: killed))
        }
        if startsNext(after: outcome) { startIfNeeded(isAsked: false, now: now, effects: &effects) }
    }

    /// A crash or a start that failed waits for the next request; the other outcomes make room for a start that is due.
    func startsNext(after outcome: WorkerProcess.Outcome) -> Bool {
        if pool.alwaysRunning || !replacing.isEmpty { return true }
        switch outcome {
        case .ready, .stopped: return isWanted
        case .crashed, .startFailed: return false
        }
    }

    mutating func remove(_ id: WorkerID, effects: inout ActivationEffects) {
        flushOutput(of: id, effects: &effects)
        workers.removeAll { $0.id == id }
        replacing.removeAll { $0.worker == id }
        stopReasons[id] = nil
        splitters[id] = nil
        effects.actions.append(.forget(id))
    }

    /// A worker that served has ended unasked, or had to be killed for its silence: its pool lost a process.
    mutating func countCrash(now: MonotonicInstant, effects: inout ActivationEffects) {
        if rules.crashScope == .application { failures.workerFailed(at: now) }
        effects.poolCrashes.append(rules.pool)
    }

    /// A start that fails is answered with its reason each time (502.5), which a stopped pool would hide.
    mutating func countFailedStart(now: MonotonicInstant, effects: inout ActivationEffects) {
        switch rules.crashScope {
        case .application: failures.workerFailed(at: now)
        case .pool: effects.poolCrashes.append(rules.pool)
        }
    }

    /// Tells who waits, or, where an old worker still serves, who administers.
    mutating func report(
        _ cause: StartFailure.Cause, of worker: WorkerProcess?, now: MonotonicInstant, effects: inout ActivationEffects
    ) {
        let failure = StartFailure(
            application: rules.name, cause: cause, command: rules.program?.commandLine ?? "",
            workingDirectory: rules.program?.workingDirectory ?? "", pid: worker?.pid, attempts: worker?.attempts ?? 0,
            lastLines: lastLines(of: worker?.pid), output: worker?.capture.text ?? "")
        if worker != nil { lastFailure = failure }
        isWanted = false
        if let old = replacing.first {
            replacing = []
            recyclingPausedUntil = now.adding(seconds: Self.recyclingPauseSeconds)
            effects.events.append(.recycleFailed(rules.id, old.reason, failure))
        } else {
            effects.events.append(.failed(rules.id, failure))
        }
    }

    var readyEndpoints: [ReadyEndpoint] {
        if case .external(let endpoint) = rules.endpoint {
            return isEnabled && !isOffline ? [ReadyEndpoint(endpoint: endpoint, token: nil, worker: nil)] : []
        }
        return workers.compactMap { worker in
            guard worker.isRunning, let endpoint = worker.endpoint else { return nil }
            return ReadyEndpoint(endpoint: endpoint, token: worker.token, worker: worker.id)
        }
    }

    mutating func publish(_ effects: inout ActivationEffects) {
        generation += 1
        effects.events.append(.publish(rules.id, generation: generation, endpoints: readyEndpoints))
    }
}
