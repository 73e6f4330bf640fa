import BerthEventLoop
import Testing

@testable import BerthActivation

/// All of activation but the driver, with a clock that a test turns by hand: what the machines want done is looked at
/// and answered step by step.
struct Machine {
    var core = ActivationCore()
    var now = seconds(0)
    /// All actions and events so far, oldest first.
    var actions: [ActivationEffects.Action] = []
    var events: [ActivationEvent] = []
    private var nextPid: Int32 = 1000

    static let pool = PoolID(rawValue: 1)
    static let application = ApplicationID(rawValue: 1)

    init(
        _ change: (inout PoolRules, inout ApplicationRules) -> Void = { _, _ in }
    ) {
        let (pool, application) = Self.rules(change)
        core.configure(pool: pool, now: now)
        _ = core.configure(application: application, now: now)
        take()
    }

    static func rules(
        _ change: (inout PoolRules, inout ApplicationRules) -> Void = { _, _ in }
    ) -> (PoolRules, ApplicationRules) {
        var pool = PoolRules(id: Self.pool, name: "pool")
        var application = ApplicationRules(
            id: Self.application, name: "shop/", pool: Self.pool,
            program: WorkerProgram(executable: "./shop", workingDirectory: "/srv"), endpoint: .port(fixed: nil))
        change(&pool, &application)
        return (pool, application)
    }

    mutating func take() {
        actions += core.takeActions()
        events += core.takeEvents()
    }

    mutating func perform(_ body: (inout ActivationCore, MonotonicInstant) -> Void) {
        body(&core, now)
        take()
    }

    mutating func forgetPast() { (actions, events) = ([], []) }

    // MARK: What happens

    mutating func demand() { perform { $0.demand(Self.application, now: $1) } }

    mutating func act(_ id: WorkerID, _ body: (inout WorkerProcess) -> [WorkerProcess.Action]) {
        perform { $0.act(id, now: $1, body) }
    }

    mutating func spawned(_ id: WorkerID) {
        nextPid += 1
        let pid = nextPid
        let now = now
        act(id) {
            $0.spawned(
                pid: pid, token: PairingToken(text: "t\(id.rawValue)"), place: "127.0.0.1:5000", listensAlready: nil,
                now: now, wall: 0)
        }
    }

    mutating func listens(_ id: WorkerID) {
        let now = now
        let port = UInt16(5000 + id.rawValue)
        guard
            let sighting = StartupProbe.Sighting(
                address: "127.0.0.1", port: port, ownership: .worker(pid: 1), hasIPv6Loopback: true)
        else { return }
        act(id) { $0.observed([sighting], now: now) }
    }

    mutating func becomesReady(_ id: WorkerID) {
        spawned(id)
        listens(id)
    }

    mutating func exits(_ id: WorkerID, _ exit: WorkerExit = .exited(status: 0)) {
        act(id) { $0.exited(exit, stillServed: false) }
    }

    /// Demand, start, ready: the latest worker.
    mutating func startOne() throws -> WorkerID {
        demand()
        let id = try #require(spawns.last)
        becomesReady(id)
        return id
    }

    mutating func advance(seconds: UInt64) {
        now = now.adding(seconds: seconds)
        perform { $0.timePassed(now: $1) }
    }

    // MARK: What was wanted

    var spawns: [WorkerID] {
        actions.compactMap { if case .worker(let id, _, .spawn) = $0 { id } else { nil } }
    }

    func wanted(_ action: WorkerProcess.Action, _ id: WorkerID) -> Int {
        actions.count { $0 == .worker(id, Self.application, action) }
    }

    /// The workers of the latest publication; nil: there was none.
    var published: [WorkerID?]? {
        for event in events.reversed() {
            if case .publish(Self.application, _, let endpoints) = event { return endpoints.map(\.worker) }
        }
        return nil
    }

    var failures: [StartFailure] {
        events.compactMap { if case .failed(Self.application, let failure) = $0 { failure } else { nil } }
    }

    var poolStates: [PoolState] {
        events.compactMap { if case .poolState(Self.pool, let state) = $0 { state } else { nil } }
    }

    var drains: [WorkerID] { events.compactMap { if case .drain(let id, _) = $0 { id } else { nil } } }

    var stops: [StopReason] {
        events.compactMap { if case .workerStopped(_, let reason, _, _) = $0 { reason } else { nil } }
    }
}
