import BerthEventLoop
import Testing

@testable import BerthActivation

@Suite("Recycling, idling, stopping")
struct StoppingTests {
    @Test("a recycled worker serves until its successor is ready")
    func overlapped() throws {
        var machine = Machine()
        let old = try machine.startOne()
        machine.perform { $0.recycle(pool: Machine.pool, .administrator, now: $1) }
        let new = try #require(machine.spawns.last)
        #expect(new != old)
        #expect(machine.published == [old])
        machine.becomesReady(new)
        #expect(machine.published == [new])
        #expect(machine.drains == [old])
        machine.act(old) { [now = machine.now] in $0.drained(now: now) }
        #expect(machine.events.contains { if case .sendShutdownMessage(old, _, _) = $0 { true } else { false } })
        machine.exits(old)
        #expect(machine.stops == [.recycled(.administrator)])
        #expect(machine.published == [new])
        #expect(machine.spawns.count == 2)
    }

    @Test("the loops hear of the successor before they are asked to let go of the old one")
    func order() throws {
        var machine = Machine()
        let old = try machine.startOne()
        machine.perform { $0.recycle(pool: Machine.pool, .administrator, now: $1) }
        machine.forgetPast()
        machine.becomesReady(try #require(machine.core.workers.last?.id))
        let publish = try #require(machine.events.firstIndex { if case .publish = $0 { true } else { false } })
        let drain = try #require(machine.events.firstIndex { $0 == .drain(old, Machine.application) })
        #expect(publish < drain)
    }

    @Test("a successor that does not start leaves the old one serving")
    func recycleFails() throws {
        var machine = Machine()
        let old = try machine.startOne()
        machine.perform { $0.recycle(pool: Machine.pool, .time, now: $1) }
        let new = try #require(machine.spawns.last)
        machine.act(new) { $0.spawnFailed(.notExecuted(.execute, errno: 2)) }
        #expect(machine.published == [old])
        #expect(machine.failures.isEmpty)
        #expect(machine.events.contains { if case .recycleFailed(_, .time, _) = $0 { true } else { false } })
        // And it can be tried again.
        machine.perform { $0.recycle(pool: Machine.pool, .administrator, now: $1) }
        #expect(machine.spawns.count == 3)
    }

    @Test("several workers are recycled one after the other")
    func several() throws {
        var machine = Machine { $1.processes = 2 }
        machine.demand()
        machine.becomesReady(machine.spawns[0])
        machine.becomesReady(machine.spawns[1])
        machine.perform { $0.recycle(pool: Machine.pool, .administrator, now: $1) }
        #expect(machine.spawns.count == 3)
        machine.becomesReady(machine.spawns[2])
        #expect(machine.published == [machine.spawns[1], machine.spawns[2]])
        #expect(machine.spawns.count == 4)
        machine.becomesReady(machine.spawns[3])
        #expect(machine.published == [machine.spawns[2], machine.spawns[3]])
        machine.exits(machine.spawns[0])
        machine.exits(machine.spawns[1])
        #expect(machine.spawns.count == 4)
    }

    @Test("where overlapping is not allowed, or the port is fixed, the old one ends first", arguments: [true, false])
    func endFirst(byPort: Bool) throws {
        var machine = Machine { pool, application in
            if byPort { application.endpoint = .port(fixed: 5000) } else { pool.disallowOverlappingRotation = true }
        }
        let old = try machine.startOne()
        machine.perform { $0.recycle(pool: Machine.pool, .administrator, now: $1) }
        #expect(machine.spawns == [old])
        #expect(machine.published?.isEmpty == true)
        machine.demand()
        #expect(machine.spawns == [old], "requests wait in the queue")
        machine.exits(old)
        #expect(machine.spawns.count == 2)
    }

    @Test("a worker is replaced when it is 29 hours old, once")
    func age() throws {
        var machine = Machine { pool, _ in pool.idleTimeout = 0 }
        let id = try machine.startOne()
        machine.advance(seconds: 29 * 3600 - 1)
        #expect(machine.spawns.count == 1)
        machine.advance(seconds: 1)
        #expect(machine.spawns.count == 2)
        machine.advance(seconds: 1)
        #expect(machine.spawns.count == 2)
        machine.act(machine.spawns[1]) { $0.spawnFailed(.notExecuted(.execute, errno: 2)) }
        #expect(machine.core.deadline > machine.now, "a failed replacement is not tried again at once")
        machine.advance(seconds: 59)
        #expect(machine.spawns.count == 2)
        machine.advance(seconds: 1)
        #expect(machine.spawns.count == 3)
        #expect(machine.published == [id])
    }

    @Test(
        "a worker is replaced after its requests",
        arguments: [(99, false), (100, true), (101, true)] as [(UInt64, Bool)])
    func requests(count: UInt64, replaced: Bool) throws {
        var machine = Machine { pool, _ in pool.recycling.requestLimit = 100 }
        let id = try machine.startOne()
        machine.perform { $0.served(count, by: id, now: $1) }
        #expect((machine.spawns.count == 2) == replaced)
    }

    @Test(
        "a worker is replaced for its memory",
        arguments: [(999, false), (1000, true), (1001, true)] as [(UInt64, Bool)])
    func memory(octets: UInt64, replaced: Bool) throws {
        var machine = Machine { pool, _ in pool.recycling.privateMemoryLimit = 1000 }
        let id = try machine.startOne()
        machine.perform { $0.usesMemory(octets, id, now: $1) }
        #expect((machine.spawns.count == 2) == replaced)
    }

    @Test("a worker is replaced at a time of the schedule")
    func schedule() throws {
        var machine = Machine { pool, _ in pool.recycling.schedule = [180] }
        _ = try machine.startOne()
        machine.perform { $0.minutePassed(from: 178, to: 179, now: $1) }
        #expect(machine.spawns.count == 1)
        machine.perform { $0.minutePassed(from: 179, to: 180, now: $1) }
        #expect(machine.spawns.count == 2)
    }

    @Test("a pool without workers has nothing to recycle")
    func nothing() {
        var machine = Machine()
        machine.perform { $0.recycle(pool: Machine.pool, .administrator, now: $1) }
        #expect(machine.spawns.isEmpty)
    }

    @Test(
        "a worker without requests for 20 minutes is stopped",
        arguments: [(1199, false), (1200, true)] as [(UInt64, Bool)])
    func idle(after: UInt64, stops: Bool) throws {
        var machine = Machine()
        let id = try machine.startOne()
        machine.advance(seconds: after)
        #expect((machine.published?.isEmpty == true) == stops)
        if stops {
            machine.exits(id)
            #expect(machine.stops == [.idle])
            #expect(machine.poolStates == [.started], "the pool stays started")
            machine.demand()
            #expect(machine.spawns.count == 2)
        }
    }

    @Test("a request that runs keeps its worker, however long")
    func busy() throws {
        var machine = Machine()
        let id = try machine.startOne()
        machine.perform { $0.used(Machine.application, at: $1, running: 1, now: $1) }
        machine.advance(seconds: 100_000)
        #expect(machine.published == [id])
        machine.perform { $0.used(Machine.application, at: $1, running: 0, now: $1) }
        machine.advance(seconds: 1199)
        #expect(machine.published == [id])
        machine.advance(seconds: 1)
        #expect(machine.published?.isEmpty == true)
    }

    @Test("app_offline.htm stops the workers, and nothing starts until it is gone")
    func offline() throws {
        var machine = Machine()
        let id = try machine.startOne()
        machine.perform { $0.setOffline(true, Machine.application, now: $1) }
        #expect(machine.published?.isEmpty == true)
        machine.exits(id)
        #expect(machine.stops == [.offline])
        machine.demand()
        #expect(machine.spawns.count == 1)
        machine.perform { $0.setOffline(false, Machine.application, now: $1) }
        #expect(machine.spawns.count == 1)
        machine.demand()
        #expect(machine.spawns.count == 2)
    }

    @Test("a worker that is starting when it is told to stop is killed, and nobody is told of a failure")
    func stopDuringStart() throws {
        var machine = Machine()
        machine.demand()
        let id = try #require(machine.spawns.first)
        machine.spawned(id)
        machine.perform { $0.stop(pool: Machine.pool, cause: .administrator, now: $1) }
        #expect(machine.wanted(.kill, id) == 1)
        machine.exits(id, .signalled(9, coreDumped: false))
        #expect(machine.failures.isEmpty)
        #expect(machine.stops == [.stopped])
        #expect(killed(machine) == [false], "it was given no time that it could have used up")
        #expect(machine.poolStates.last == .stopped(.administrator))
    }

    @Test("so is one whose failed attempt is just being cleared away")
    func stopDuringClearing() throws {
        var machine = Machine { $1.startupTimeLimit = 0 }
        machine.demand()
        let id = try #require(machine.spawns.first)
        machine.spawned(id)
        machine.act(id) { [now = machine.now] in $0.observed([], now: now) }
        machine.perform { $0.stop(pool: Machine.pool, cause: .administrator, now: $1) }
        machine.exits(id, .signalled(9, coreDumped: false))
        #expect(machine.spawns.count == 1)
        #expect(machine.failures.isEmpty)
        #expect(killed(machine) == [false])
        #expect(machine.poolStates.last == .stopped(.administrator))
    }

    /// What was said of each worker that has stopped: whether it did not end in its time.
    private func killed(_ machine: Machine) -> [Bool] {
        machine.events.compactMap { event in
            if case .workerStopped(_, _, _, let killed) = event { killed } else { nil }
        }
    }

    @Test("a worker that does not end in its time is killed")
    func outOfTime() throws {
        var machine = Machine { $1.shutdownTimeLimit = 4 }
        let id = try machine.startOne()
        machine.perform { $0.stop(pool: Machine.pool, cause: .administrator, now: $1) }
        machine.act(id) { [now = machine.now] in $0.drained(now: now) }
        machine.act(id) { $0.messageAnswered(accepted: true) }
        machine.advance(seconds: 3)
        #expect(machine.wanted(.terminate, id) == 0 && machine.wanted(.kill, id) == 0)
        machine.advance(seconds: 1)
        #expect(machine.wanted(.kill, id) == 1)
        machine.exits(id, .signalled(9, coreDumped: false))
        #expect(killed(machine) == [true])
    }

    @Test("two stops at once are one")
    func twice() throws {
        var machine = Machine()
        let id = try machine.startOne()
        machine.perform { $0.setOffline(true, Machine.application, now: $1) }
        machine.perform { $0.recycle(pool: Machine.pool, .administrator, now: $1) }
        machine.perform { $0.stop(pool: Machine.pool, cause: .administrator, now: $1) }
        #expect(machine.drains == [id])
        machine.exits(id)
        #expect(machine.stops == [.offline])
        #expect(machine.poolStates.last == .stopped(.administrator))
    }

    @Test("a changed command replaces the worker, an unchanged one notices nothing")
    func change() throws {
        var machine = Machine()
        let old = try machine.startOne()
        var rules = Machine.rules().1
        rules.shutdownTimeLimit = 20
        machine.perform { _ = $0.configure(application: rules, now: $1) }
        #expect(machine.spawns.count == 1)
        rules.program?.arguments = ["--new"]
        machine.perform { _ = $0.configure(application: rules, now: $1) }
        let new = try #require(machine.spawns.last)
        #expect(new != old && machine.published == [old])
        machine.becomesReady(new)
        #expect(machine.published == [new])
    }

    @Test("fewer processes are wanted: the oldest go")
    func fewer() throws {
        var machine = Machine { $1.processes = 2 }
        machine.demand()
        machine.becomesReady(machine.spawns[0])
        machine.becomesReady(machine.spawns[1])
        machine.perform { _ = $0.configure(application: Machine.rules().1, now: $1) }
        #expect(machine.published == [machine.spawns[1]])
        #expect(machine.drains == [machine.spawns[0]])
    }

    @Test("a removed application is gone when its last worker is; one that comes back before takes over")
    func removal() throws {
        var machine = Machine()
        let id = try machine.startOne()
        machine.perform { $0.remove(application: Machine.application, now: $1) }
        #expect(machine.published?.isEmpty == true)
        #expect(!machine.events.contains(.removed(Machine.application)))
        machine.perform { _ = $0.configure(application: Machine.rules().1, now: $1) }
        machine.demand()
        #expect(machine.spawns.count == 2)
        machine.exits(id)
        #expect(!machine.events.contains(.removed(Machine.application)))
        machine.becomesReady(machine.spawns[1])
        machine.perform { $0.remove(application: Machine.application, now: $1) }
        machine.exits(machine.spawns[1])
        #expect(machine.events.last == .removed(Machine.application))
        #expect(machine.core.applications.isEmpty)
    }

    @Test("a pool that does not start by itself answers no demand")
    func noAutoStart() {
        var machine = Machine { pool, _ in pool.autoStart = false }
        #expect(machine.poolStates == [.stopped(.configuration)])
        machine.demand()
        #expect(machine.spawns.isEmpty)
        machine.perform { $0.start(pool: Machine.pool, now: $1) }
        machine.demand()
        #expect(machine.spawns.count == 1)
    }

    @Test("when the daemon ends all workers do, and nothing starts any more")
    func stopAll() throws {
        var machine = Machine { pool, _ in pool.alwaysRunning = true }
        let id = try #require(machine.spawns.first)
        machine.becomesReady(id)
        machine.perform { $0.stopAll(now: $1) }
        machine.demand()
        machine.perform { $0.start(pool: Machine.pool, now: $1) }
        #expect(!machine.events.contains(.allStopped))
        machine.exits(id)
        #expect(machine.events.contains(.allStopped))
        #expect(machine.spawns.count == 1)
        var idle = Machine()
        idle.perform { $0.stopAll(now: $1) }
        #expect(idle.events.last == .allStopped)
    }

    @Test("events for workers that are gone change nothing")
    func late() throws {
        var machine = Machine()
        let id = try machine.startOne()
        machine.exits(id)
        machine.forgetPast()
        machine.exits(id)
        machine.listens(id)
        machine.act(id) { $0.messageAnswered(accepted: true) }
        machine.perform { $0.served(1, by: id, now: $1) }
        machine.perform { $0.unresponsive(id, now: $1) }
        #expect(machine.actions.isEmpty && machine.events.isEmpty)
    }
}
