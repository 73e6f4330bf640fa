import BerthEventLoop

/// The life of one worker process, from the wish for it to its end: two attempts to start it, its work, its shutdown.
///
/// Pure: it is told what happened and when, and answers what to do. Nothing is done twice for an event that comes late:
/// an event that its state does not wait for changes nothing.
struct WorkerProcess {
    enum State {
        /// Waiting for the process to be made, which the caller does at once.
        case spawning
        /// Waiting for it to listen, to end, or for the time to be over.
        case starting(StartupProbe)
        /// An attempt failed and its process was killed: waiting for its end before the next attempt, or before giving up.
        case clearing(StartFailure.Cause, retry: Bool)
        /// Waiting for it to end, which would be a crash, or to be told to stop.
        case running
        /// Waiting for its end, in the steps of the sequence.
        case stopping(ShutdownSequence)
        /// Nothing any more.
        case ended
    }

    /// What the caller must do.
    enum Action: Equatable {
        /// Make a process, and report `spawned` or `spawnFailed`.
        case spawn
        /// Look who listens, and report `observed`.
        case probe
        /// Take it from the loops, and report `drained` when none uses it.
        case drain
        case sendShutdownMessage
        /// SIGTERM to the process.
        case terminate
        /// SIGKILL to the process and to all that it started.
        case kill
        /// Nobody waits for the process any more, but what it started may be there: SIGKILL to it.
        case clear
        case report(Outcome)
    }

    /// What the owner of the worker wants to know.
    enum Outcome: Equatable {
        case ready
        case startFailed(StartFailure.Cause)
        /// It ended unasked.
        case crashed(WorkerExit)
        /// It was stopped; `killed`: it did not end in its time, and was killed.
        case stopped(WorkerExit, killed: Bool)
    }

    /// Attempts of one start. Source: ANCM.
    static let attemptsMax = 2

    let id: WorkerID
    private let startupTimeLimit: UInt64
    private let shutdownTimeLimit: UInt64
    private let understandsShutdownMessage: Bool
    private(set) var state = State.spawning
    private(set) var attempts = 1
    /// Of the latest attempt; nil before.
    private(set) var pid: Int32?
    /// Set by the first attempt, kept by the second.
    private(set) var token: PairingToken?
    /// Where it was told to listen, for messages.
    private(set) var place = ""
    /// Where it listens, once it does.
    private(set) var endpoint: WorkerEndpoint?
    private(set) var readyAt: MonotonicInstant?
    /// When the latest attempt was made, in nanoseconds since 1970 UTC.
    private(set) var startedWall: Int64 = 0
    /// The process that was started has ended, and one that it started serves on.
    private var leaderEnded = false
    private(set) var requestsServed: UInt64 = 0
    var capture = StartCapture()

    init(id: WorkerID, rules: ApplicationRules) {
        self.id = id
        startupTimeLimit = rules.startupTimeLimit
        shutdownTimeLimit = rules.shutdownTimeLimit
        understandsShutdownMessage = rules.understandsShutdownMessage
    }

    var publicState: WorkerState {
        switch state {
        case .spawning, .starting, .clearing: .starting
        case .running: .running
        case .stopping: .stopping
        case .ended: .ended
        }
    }

    var isRunning: Bool { if case .running = state { true } else { false } }
    var isStarting: Bool { publicState == .starting }
    var isStopping: Bool { if case .stopping = state { true } else { false } }

    /// When `timePassed` has something to do.
    var deadline: MonotonicInstant {
        switch state {
        case .starting(let probe): probe.nextCheck
        case .stopping(let sequence): sequence.deadline
        case .spawning, .clearing, .running, .ended: .distantFuture
        }
    }

    // MARK: Starting

    /// A process was made. With an inherited socket requests can be sent at once: they wait in its backlog.
    mutating func spawned(
        pid: Int32, token: PairingToken, place: String, listensAlready: WorkerEndpoint?, now: MonotonicInstant,
        wall: Int64
    ) -> [Action] {
        guard case .spawning = state else { return [] }
        (self.pid, self.token, self.place, startedWall) = (pid, token, place, wall)
        if let listensAlready { return becomeReady(listensAlready, now: now) }
        state = .starting(StartupProbe(limit: startupTimeLimit, now: now))
        return []
    }

    /// No process could be made; what the program itself is refused for will not be different the next time.
    mutating func spawnFailed(_ cause: StartFailure.Cause) -> [Action] {
        guard case .spawning = state else { return [] }
        if case .noEndpoint = cause, attempts < Self.attemptsMax { return nextAttempt() }
        state = .ended
        return [.report(.startFailed(cause))]
    }

    /// A look at who listens.
    mutating func observed(_ sightings: [StartupProbe.Sighting], now: MonotonicInstant) -> [Action] {
        guard case .starting(var probe) = state else { return [] }
        switch probe.observed(sightings, now: now) {
        case .wait:
            state = .starting(probe)
            return []
        case .ready(let endpoint, _): return becomeReady(endpoint, now: now)
        case .wrongOwner(let endpoint): return failAttempt(.wrongOwner(endpoint))
        case .timedOut: return failAttempt(.timedOut(seconds: startupTimeLimit, place: place))
        }
    }

    private mutating func becomeReady(_ endpoint: WorkerEndpoint, now: MonotonicInstant) -> [Action] {
        (self.endpoint, readyAt, state) = (endpoint, now, .running)
        capture.forget()
        return [.report(.ready)]
    }

    private mutating func failAttempt(_ cause: StartFailure.Cause) -> [Action] {
        state = .clearing(cause, retry: attempts < Self.attemptsMax)
        return [.kill]
    }

    private mutating func nextAttempt() -> [Action] {
        attempts += 1
        state = .spawning
        return [.spawn]
    }

    // MARK: Ending

    /// The process that was started has ended. `stillServed`: one that it started listens where it did.
    mutating func exited(_ exit: WorkerExit, stillServed: Bool) -> [Action] {
        switch state {
        case .starting:
            if attempts < Self.attemptsMax { return [.clear] + nextAttempt() }
            state = .ended
            return [.clear, .report(.startFailed(.exited(exit)))]
        case .clearing(let cause, let retry):
            if retry { return [.clear] + nextAttempt() }
            state = .ended
            return [.clear, .report(.startFailed(cause))]
        case .running:
            if stillServed {
                leaderEnded = true
                return []
            }
            state = .ended
            return [.clear, .report(.crashed(exit))]
        case .stopping(let sequence):
            state = .ended
            return [.clear, .report(.stopped(exit, killed: sequence.ranOutOfTime))]
        case .spawning, .ended: return []
        }
    }

    /// Another process, which holds the socket, has ended. `stillServed`: the socket is held by one more.
    mutating func ownerExited(stillServed: Bool) -> [Action] {
        switch state {
        case .running:
            if stillServed { return [] }
            state = .ended
            return [.kill, .report(.crashed(.unknown))]
        case .stopping(let sequence) where leaderEnded:
            state = .ended
            return [.clear, .report(.stopped(.unknown, killed: sequence.ranOutOfTime))]
        default: return []
        }
    }

    /// Begins the shutdown; `isUsed`: loops know it.
    mutating func stop(isUsed: Bool, now: MonotonicInstant) -> [Action] {
        switch state {
        case .running:
            let (sequence, step) = ShutdownSequence.begin(
                limit: shutdownTimeLimit, sendsMessage: understandsShutdownMessage, isIdle: !isUsed, now: now)
            state = .stopping(sequence)
            return [action(step)]
        case .starting: return killStarting(now: now)
        case .clearing(let cause, _):
            state = .clearing(cause, retry: false)
            return []
        case .spawning:
            // Not between two calls: the caller makes the process at once.
            state = .ended
            return [.report(.stopped(.unknown, killed: false))]
        case .stopping, .ended: return []
        }
    }

    /// Nobody has sent it anything yet: there is nothing to let finish.
    private mutating func killStarting(now: MonotonicInstant) -> [Action] {
        state = .stopping(.killed(now: now))
        return [.kill]
    }

    /// Kills it in whatever state it is; `crash`: it is at fault (no answer when it was asked whether it lives).
    mutating func kill(now: MonotonicInstant) -> [Action] {
        switch state {
        case .stopping(var sequence):
            if sequence.phase == .killing { return [] }
            _ = sequence.kill()
            state = .stopping(sequence)
            return [.kill]
        case .running, .starting: return killStarting(now: now)
        default: return stop(isUsed: false, now: now)
        }
    }

    mutating func drained(now: MonotonicInstant) -> [Action] { step { $0.drained(now: now) } }

    mutating func messageAnswered(accepted: Bool) -> [Action] { step { $0.messageAnswered(accepted: accepted) } }

    mutating func timePassed(now: MonotonicInstant) -> [Action] {
        if case .starting(let probe) = state { return now >= probe.nextCheck ? [.probe] : [] }
        return step { $0.timePassed(now: now) }
    }

    mutating func served(_ requests: UInt64) { requestsServed &+= requests }

    private mutating func step(_ body: (inout ShutdownSequence) -> ShutdownSequence.Step?) -> [Action] {
        guard case .stopping(var sequence) = state else { return [] }
        let next = body(&sequence)
        state = .stopping(sequence)
        return next.map { [action($0)] } ?? []
    }

    private func action(_ step: ShutdownSequence.Step) -> Action {
        switch step {
        case .drain: .drain
        case .sendMessage: .sendShutdownMessage
        case .terminate: .terminate
        case .kill: .kill
        }
    }
}
