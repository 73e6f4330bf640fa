import BerthEventLoop

// Time, use and output.
extension ApplicationActivation {
    var idleDeadline: MonotonicInstant {
        guard pool.idleTimeout > 0, !pool.alwaysRunning, requestsRunning == 0, workers.contains(where: { $0.isRunning })
        else { return .distantFuture }
        return lastActivity.adding(seconds: pool.idleTimeout)
    }

    /// When the worker is replaced for its age.
    func ageDeadline(of worker: WorkerProcess) -> MonotonicInstant {
        guard worker.isRunning, let readyAt = worker.readyAt, !isBeingReplaced(worker.id) else { return .distantFuture }
        return max(pool.recycling.timeDeadline(readyAt: readyAt), recyclingPausedUntil)
    }

    mutating func timePassed(now: MonotonicInstant, effects: inout ActivationEffects) {
        if now >= idleDeadline { stopAll(.idle, now: now, effects: &effects) }
        for worker in workers where now >= ageDeadline(of: worker) {
            recycle(worker.id, .time, now: now, effects: &effects)
        }
        for worker in workers where now >= worker.deadline {
            act(worker.id, now: now, effects: &effects) { $0.timePassed(now: now) }
        }
        if now >= retryAt {
            retryAt = .distantFuture
            startUnasked(now: now, effects: &effects)
        }
    }

    /// What the loops have seen since they were asked last.
    ///
    /// - Parameters:
    ///   - at: when the latest request began or ended.
    ///   - running: requests that are with its workers now, over all loops.
    mutating func used(
        at instant: MonotonicInstant, running: UInt64, now: MonotonicInstant, effects: inout ActivationEffects
    ) {
        let isBusy = running > 0 || instant > lastActivity
        lastActivity = max(lastActivity, instant)
        requestsRunning = running
        // One of several workers has crashed: the others served meanwhile, and nobody had to ask.
        if isBusy, isWanted, rules.processes > 1 { startIfNeeded(isAsked: false, now: now, effects: &effects) }
    }

    mutating func served(
        _ requests: UInt64, by id: WorkerID, now: MonotonicInstant, effects: inout ActivationEffects
    ) {
        guard let index = workers.firstIndex(where: { $0.id == id }) else { return }
        workers[index].served(requests)
        let limit = pool.recycling.requestLimit
        if limit > 0, workers[index].isRunning, workers[index].requestsServed >= limit, now >= recyclingPausedUntil {
            recycle(id, .requests, now: now, effects: &effects)
        }
    }

    /// The worker's own memory, in octets, as sampled.
    mutating func usesMemory(
        _ octets: UInt64, _ id: WorkerID, now: MonotonicInstant, effects: inout ActivationEffects
    ) {
        let limit = pool.recycling.privateMemoryLimit
        guard limit > 0, octets >= limit, let worker = worker(id), worker.isRunning else { return }
        recycle(id, .privateMemory, now: now, effects: &effects)
    }

    /// A worker wrote something.
    mutating func wrote(
        _ octets: UnsafeRawBufferPointer, to stream: OutputStream, by id: WorkerID, wall: Int64,
        effects: inout ActivationEffects
    ) {
        guard let index = workers.firstIndex(where: { $0.id == id }), var splitter = splitters[id] else { return }
        if workers[index].isStarting { workers[index].capture.append(octets) }
        let lines = stream == .standardOutput ? splitter.out.append(octets) : splitter.error.append(octets)
        splitters[id] = splitter
        for line in lines { keep(line, stream, of: workers[index], wall: wall, effects: &effects) }
    }

    /// A line without an end is a line too when nothing more can come.
    mutating func flushOutput(of id: WorkerID, effects: inout ActivationEffects) {
        guard var splitter = splitters[id], let worker = worker(id) else { return }
        let wall = log.lines.last?.wallNanoseconds ?? worker.startedWall
        if let line = splitter.out.finish() { keep(line, .standardOutput, of: worker, wall: wall, effects: &effects) }
        if let line = splitter.error.finish() { keep(line, .standardError, of: worker, wall: wall, effects: &effects) }
        splitters[id] = splitter
    }

    mutating func keep(
        _ text: String, _ stream: OutputStream, of worker: WorkerProcess, wall: Int64, effects: inout ActivationEffects
    ) {
        let line = OutputLine(stream: stream, pid: worker.pid ?? 0, wallNanoseconds: wall, text: text)
        log.append(line)
        effects.events.append(.output(rules.id, line))
    }

    func lastLines(of pid: Int32?) -> [String] {
        guard let pid else { return [] }
        return log.lines.filter { $0.pid == pid }.suffix(StartFailure.lastLinesMax).map(\.text)
    }
}
