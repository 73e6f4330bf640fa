public import BerthEventLoop
import CBerthSystem
import Glibc

/// WAS: starts workers when requests ask for them, watches, replaces and stops them, and gives up when that is right.
///
/// Runs on the control loop's thread, which must live as long as the daemon, since workers die with it. Its owner passes the
/// loop's work with `tokenKind` to `ready` and `expired`, calls the commands, and after each batch does what `takeEvents` says.
public final class ActivationService {
    /// What a token of ours names, in its index.
    enum Watched: UInt32 {
        case process = 0, standardOutput, standardError, owner, deadline, sampling
    }

    /// Octets read from one stream before other work has its turn.
    static let readTurnMax = 64 * 1024
    /// Octets read from a stream of a process that has ended: more than a pipe holds.
    static let lastReadMax = 1024 * 1024

    let loop: EventLoop
    private let tokenKind: UInt8
    var system: UnsafePointer<cberth_system> { loop.system }
    var core = ActivationCore()
    var records: [WorkerID: WorkerRecord] = [:]
    let launcher: WorkerLauncher
    let lookout: Lookout
    let tree: ProcessTree
    private var deadlineTimer = TimerID.none
    private var deadlineArmed = MonotonicInstant.distantFuture
    private var samplingTimer = TimerID.none
    private var lastMinute: Int
    let readBuffer: UnsafeMutableRawBufferPointer
    private var isSettling = false

    /// - Parameters:
    ///   - tokenKind: the kind of all tokens of activation on this loop.
    ///   - environment: of the daemon; workers inherit it but for what is the daemon's alone.
    ///   - socketDirectory: an absolute folder that exists; workers' sockets live below it.
    ///   - random: 64 random bits; only a simulation gives its own.
    public init(
        loop: EventLoop, tokenKind: UInt8, environment: [EnvironmentEntry], socketDirectory: String,
        random: @escaping () -> UInt64 = ActivationService.systemRandom
    ) {
        (self.loop, self.tokenKind) = (loop, tokenKind)
        launcher = WorkerLauncher(
            system: loop.system, environment: environment, socketDirectory: socketDirectory, random: random)
        lookout = Lookout(system: loop.system)
        tree = ProcessTree(system: loop.system)
        lastMinute = Self.minuteOfDay(loop.wallSeconds)
        readBuffer = .allocate(byteCount: 16 * 1024, alignment: 16)
    }

    deinit {
        loop.cancel(deadlineTimer)
        loop.cancel(samplingTimer)
        readBuffer.deallocate()
    }

    /// From the kernel.
    public static func systemRandom() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    // MARK: Configuration

    /// Adds a pool, or changes its rules.
    public func configure(pool rules: PoolRules) { perform { $0.configure(pool: rules, now: $1) } }

    /// Adds an application to a pool that is known, or changes its rules; false: its pool is not known.
    ///
    /// - Parameter isOffline: whether `app_offline.htm` is there: then it has no worker from the start.
    @discardableResult
    public func configure(application rules: ApplicationRules, isOffline: Bool = false) -> Bool {
        var isKnown = false
        perform { isKnown = $0.configure(application: rules, isOffline: isOffline, now: $1) }
        return isKnown
    }

    /// Its workers are stopped; `ActivationEvent.removed` says when the last one has ended.
    public func remove(application: ApplicationID) { perform { $0.remove(application: application, now: $1) } }

    /// Removes the pool with its applications.
    public func remove(pool: PoolID) { perform { $0.remove(pool: pool, now: $1) } }

    // MARK: What the loops report

    /// A request waits for a worker of the application.
    public func demand(_ application: ApplicationID) { perform { $0.demand(application, now: $1) } }

    /// When a request of the application began or ended last, and how many its workers have now, over all loops. Reported
    /// at least once a minute while there are any; idle timeouts go by it.
    public func used(_ application: ApplicationID, at instant: MonotonicInstant, running: UInt64) {
        perform { $0.used(application, at: instant, running: running, now: $1) }
    }

    /// Requests that a worker has served since the last report.
    public func served(_ requests: UInt64, by worker: WorkerID) {
        perform { $0.served(requests, by: worker, now: $1) }
    }

    /// After `ActivationEvent.drain`: no loop has a request on the worker, and none will send it another.
    public func workerDrained(_ worker: WorkerID) {
        perform { $0.act(worker, now: $1) { [now = $1] in $0.drained(now: now) } }
    }

    /// After `ActivationEvent.sendShutdownMessage`: it answered 202, or it did not.
    public func shutdownMessageAnswered(_ worker: WorkerID, accepted: Bool) {
        perform { $0.act(worker, now: $1) { $0.messageAnswered(accepted: accepted) } }
    }

    /// The worker did not answer when it was asked whether it lives: it is killed, which counts as a crash.
    public func workerUnresponsive(_ worker: WorkerID) { perform { $0.unresponsive(worker, now: $1) } }

    // MARK: Commands

    /// Starts a pool that is stopped, and forgets its crashes.
    public func start(pool: PoolID) { perform { $0.start(pool: pool, now: $1) } }

    public func stop(pool: PoolID) { perform { $0.stop(pool: pool, cause: .administrator, now: $1) } }

    /// Replaces the workers of all applications of a pool, without losing a request.
    public func recycle(pool: PoolID, _ reason: Recycling.Reason = .administrator) {
        perform { $0.recycle(pool: pool, reason, now: $1) }
    }

    public func recycle(application: ApplicationID, _ reason: Recycling.Reason = .administrator) {
        perform { $0.recycle(application: application, reason, now: $1) }
    }

    /// `app_offline.htm` came or went: while it is there the application has no workers.
    public func setOffline(_ offline: Bool, _ application: ApplicationID) {
        perform { $0.setOffline(offline, application, now: $1) }
    }

    /// Tells every worker to stop, each within its shutdown time limit; ends with `ActivationEvent.allStopped`.
    public func stopAll() { perform { $0.stopAll(now: $1) } }

    /// Ends the wait: SIGKILL to every worker and to all that they started.
    public func killAll() { perform { $0.killAll(now: $1) } }

    // MARK: What an administrator asks

    public var workers: [WorkerSummary] { core.workers }

    /// The state of a pool; nil: it is not known.
    public func state(of pool: PoolID) -> PoolState? { core.pools[pool]?.state }

    /// Crashes of a pool within the window of its rapid-fail protection.
    public func crashCount(of pool: PoolID) -> Int { core.pools[pool]?.crashCount(at: loop.now) ?? 0 }

    /// Workers of an application that ended unasked, and those that were replaced, since it was added.
    public func counters(of application: ApplicationID) -> (crashes: UInt64, recycles: UInt64) {
        core.applications[application].map { ($0.crashes, $0.recycles) } ?? (0, 0)
    }

    /// The latest lines that the workers of an application wrote, oldest first, 64 KiB at most.
    public func output(of application: ApplicationID) -> [OutputLine] {
        Array(core.applications[application]?.log.lines ?? [])
    }

    /// Why the latest start of an application failed; nil: it did not.
    public func lastFailure(of application: ApplicationID) -> StartFailure? {
        core.applications[application]?.lastFailure
    }

    // MARK: The loop

    /// What happened since the last call, in order.
    public func takeEvents() -> [ActivationEvent] { core.takeEvents() }

    /// A descriptor with our token is ready. One that has outlived its worker is ignored.
    public func ready(_ token: EventToken) {
        guard let watched = Watched(rawValue: token.index), let record = records[WorkerID(rawValue: token.generation)]
        else { return }
        switch watched {
        case .process: processEnded(record)
        case .standardOutput: read(record, .standardOutput, octetsMax: Self.readTurnMax)
        case .standardError: read(record, .standardError, octetsMax: Self.readTurnMax)
        case .owner: ownerEnded(record)
        case .deadline, .sampling: break
        }
    }

    /// A deadline with our token has passed.
    public func expired(_ token: EventToken) {
        switch Watched(rawValue: token.index) {
        case .deadline:
            (deadlineTimer, deadlineArmed) = (.none, .distantFuture)
            perform { $0.timePassed(now: $1) }
        case .sampling:
            samplingTimer = .none
            sample()
        default: break
        }
    }

    func token(_ watched: Watched, _ id: WorkerID = WorkerID(rawValue: 0)) -> EventToken {
        EventToken(kind: tokenKind, index: watched.rawValue, generation: id.rawValue)
    }

    /// One call into the machines, and then what they want done, until they want nothing more.
    func perform(_ body: (inout ActivationCore, MonotonicInstant) -> Void) {
        body(&core, loop.now)
        // Carrying out one action may lead to the next: the outermost call works them off.
        if isSettling { return }
        isSettling = true
        while true {
            let actions = core.takeActions()
            if actions.isEmpty { break }
            for action in actions { carryOut(action) }
        }
        isSettling = false
        arm()
    }

    private func arm() {
        let deadline = core.deadline
        if deadline != deadlineArmed {
            loop.cancel(deadlineTimer)
            deadlineTimer = deadline == .distantFuture ? .none : loop.schedule(at: deadline, token(.deadline))
            // All timers in use: the next call tries again.
            deadlineArmed = deadlineTimer.isNone ? .distantFuture : deadline
        }
        if samplingTimer.isNone, core.needsSampling {
            lastMinute = Self.minuteOfDay(loop.wallSeconds)
            samplingTimer = loop.schedule(at: loop.now.adding(seconds: Recycling.sampleSeconds), token(.sampling))
        }
    }

    private func sample() {
        let minute = Self.minuteOfDay(loop.wallSeconds)
        perform { core, now in
            core.minutePassed(from: lastMinute, to: minute, now: now)
            for worker in core.workers {
                guard let pid = worker.pid, worker.state == .running else { continue }
                var octets: UInt64 = 0
                if system.pointee.process_memory(system, pid, &octets) == 0 {
                    core.usesMemory(octets, worker.id, now: now)
                }
            }
        }
        lastMinute = minute
    }

    /// Of the local day.
    private static func minuteOfDay(_ wallSeconds: Int64) -> Int {
        var time = time_t(wallSeconds)
        var parts = tm()
        localtime_r(&time, &parts)
        return Int(parts.tm_hour * 60 + parts.tm_min)
    }
}
