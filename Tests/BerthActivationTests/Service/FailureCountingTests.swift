import BerthEventLoop
import Testing

@testable import BerthActivation

@Suite("Crashes and what they lead to")
struct FailureCountingTests {
    @Test("a crash empties the publication, and the next request starts another")
    func restart() throws {
        var machine = Machine()
        let id = try machine.startOne()
        machine.exits(id, .exited(status: 134))
        #expect(machine.published?.isEmpty == true)
        #expect(machine.spawns.count == 1)
        machine.demand()
        #expect(machine.spawns.count == 2)
    }

    @Test("an exit with status 0 that nobody asked for is a crash")
    func cleanExit() throws {
        var machine = Machine { $1.rapidFailsPerMinute = 0 }
        let id = try machine.startOne()
        machine.exits(id, .exited(status: 0))
        #expect(machine.core.applications[Machine.application]?.crashes == 1)
        machine.demand()
        #expect(machine.failures.count == 1)
    }

    @Test("N crashes a minute are let pass, crash N+1 refuses the next start", arguments: [0, 1, 5, 10])
    func perMinute(limit: Int) throws {
        var machine = Machine { pool, application in
            pool.rapidFailCrashes = 100
            application.rapidFailsPerMinute = limit
        }
        for _ in 0...limit { machine.exits(try machine.startOne()) }
        #expect(machine.spawns.count == limit + 1)
        machine.demand()
        #expect(machine.spawns.count == limit + 1)
        #expect(machine.failures.map(\.cause) == [.tooManyFailures(limit: limit, until: seconds(60))])
        #expect(machine.poolStates == [.started], "the pool's own count is not reached")
        machine.advance(seconds: 60)
        machine.demand()
        #expect(machine.spawns.count == limit + 2)
    }

    @Test("a changed command, a recycle and the end of app_offline.htm forget the failures", arguments: 0..<3)
    func forgotten(how: Int) throws {
        var machine = Machine { $1.rapidFailsPerMinute = 0 }
        machine.exits(try machine.startOne())
        machine.perform { core, now in
            switch how {
            case 0:
                var rules = Machine.rules { $1.rapidFailsPerMinute = 0 }.1
                rules.program?.arguments = ["--repaired"]
                _ = core.configure(application: rules, now: now)
            case 1: core.recycle(application: Machine.application, .administrator, now: now)
            default:
                core.setOffline(true, Machine.application, now: now)
                core.setOffline(false, Machine.application, now: now)
            }
        }
        machine.demand()
        #expect(machine.failures.isEmpty)
        #expect(machine.spawns.count == 2)
    }

    @Test("failed starts count like crashes")
    func failedStarts() {
        var machine = Machine { $1.rapidFailsPerMinute = 1 }
        for _ in 0..<2 {
            machine.demand()
            if let id = machine.spawns.last { machine.act(id) { $0.spawnFailed(.notExecuted(.execute, errno: 2)) } }
        }
        machine.demand()
        #expect(machine.spawns.count == 2)
        guard case .tooManyFailures? = machine.failures.last?.cause else {
            Issue.record("\(machine.failures)")
            return
        }
    }

    @Test("another application of the same pool is not concerned")
    func scope() throws {
        var machine = Machine { $1.rapidFailsPerMinute = 0 }
        var other = Machine.rules().1
        other.id = ApplicationID(rawValue: 2)
        machine.perform { _ = $0.configure(application: other, now: $1) }
        machine.exits(try machine.startOne())
        machine.demand()
        #expect(machine.failures.count == 1)
        machine.perform { $0.demand(other.id, now: $1) }
        #expect(machine.spawns.count == 2)
    }

    @Test("failed starts do not count for the pool: their reason is shown instead")
    func failedStartsAndThePool() {
        var machine = Machine { pool, application in
            pool.rapidFailCrashes = 1
            application.rapidFailsPerMinute = 100
        }
        for _ in 0..<10 {
            machine.demand()
            if let id = machine.spawns.last { machine.act(id) { $0.spawnFailed(.notExecuted(.execute, errno: 2)) } }
        }
        #expect(machine.failures.count == 10)
        #expect(machine.poolStates == [.started])
    }

    @Test("crashes of all applications of a pool are its crashes")
    func poolOfTwo() throws {
        var machine = Machine { pool, _ in pool.rapidFailCrashes = 2 }
        var other = Machine.rules().1
        other.id = ApplicationID(rawValue: 2)
        machine.perform { _ = $0.configure(application: other, now: $1) }
        machine.exits(try machine.startOne())
        #expect(machine.poolStates == [.started])
        machine.perform { $0.demand(other.id, now: $1) }
        let second = try #require(machine.spawns.last)
        machine.becomesReady(second)
        machine.exits(second)
        #expect(machine.poolStates.last == .stopped(.rapidFail))
    }

    @Test(
        "the fifth crash of a worker within five minutes stops its pool until somebody starts it",
        arguments: [ApplicationRules.CrashScope.application, .pool])
    func poolStops(scope: ApplicationRules.CrashScope) throws {
        var machine = Machine { $1.crashScope = scope }
        for crash in 1...5 {
            machine.exits(try machine.startOne(), .signalled(11, coreDumped: true))
            #expect(machine.poolStates.contains(.stopping(.rapidFail)) == (crash == 5))
        }
        #expect(machine.poolStates.last == .stopped(.rapidFail))
        #expect(machine.failures.isEmpty)
        machine.advance(seconds: 100_000)
        machine.demand()
        #expect(machine.spawns.count == 5)
        machine.perform { $0.start(pool: Machine.pool, now: $1) }
        #expect(machine.poolStates.last == .started)
        machine.demand()
        #expect(machine.spawns.count == 6)
        machine.exits(try machine.startOne())
        #expect(machine.poolStates.last == .started, "its crashes are forgotten")
    }

    @Test("without rapid-fail protection a pool crashes for ever")
    func noProtection() throws {
        var machine = Machine { pool, application in
            pool.rapidFailProtection = false
            application.crashScope = .pool
        }
        for _ in 0..<20 { machine.exits(try machine.startOne()) }
        #expect(machine.poolStates == [.started])
    }

    @Test("a pool that stops for its crashes stops what else runs in it")
    func poolStopsAll() throws {
        var machine = Machine { pool, application in
            pool.rapidFailCrashes = 1
            application.crashScope = .pool
            application.processes = 2
        }
        machine.demand()
        machine.becomesReady(machine.spawns[0])
        machine.becomesReady(machine.spawns[1])
        machine.exits(machine.spawns[0])
        #expect(machine.poolStates.last == .stopping(.rapidFail))
        #expect(machine.published?.isEmpty == true)
        #expect(machine.drains == [machine.spawns[1]])
        machine.exits(machine.spawns[1])
        #expect(machine.poolStates.last == .stopped(.rapidFail))
        #expect(machine.stops == [.stopped])
    }

    @Test("a worker that does not answer is killed, counted and replaced")
    func unresponsive() throws {
        var machine = Machine { $1.rapidFailsPerMinute = 1 }
        let id = try machine.startOne()
        machine.perform { $0.unresponsive(id, now: $1) }
        #expect(machine.wanted(.kill, id) == 1)
        #expect(machine.published?.isEmpty == true)
        #expect(machine.spawns.count == 2)
        machine.exits(id, .signalled(9, coreDumped: false))
        #expect(machine.stops == [.unresponsive])
        machine.becomesReady(machine.spawns[1])
        machine.exits(machine.spawns[1])
        machine.demand()
        #expect(machine.failures.count == 1, "two failures in this minute")
    }

    @Test("a process that hands over to one it started has not crashed, until that ends too")
    func handover() throws {
        var machine = Machine()
        let id = try machine.startOne()
        machine.act(id) { $0.exited(.exited(status: 0), stillServed: true) }
        #expect(machine.published == [id])
        machine.act(id) { $0.ownerExited(stillServed: false) }
        #expect(machine.published?.isEmpty == true)
        #expect(machine.core.workers.isEmpty)
    }

    @Test("a report on a crash has the last lines of that process")
    func lastLines() throws {
        var machine = Machine()
        let id = try machine.startOne()
        machine.perform { core, now in
            Array("boom\nlast words".utf8).withUnsafeBytes {
                core.wrote($0, to: .standardError, by: id, now: now, wall: 5)
            }
        }
        machine.exits(id, .exited(status: 1))
        let crash = machine.events.compactMap { event -> [String]? in
            if case .workerCrashed(_, _, let lines) = event { lines } else { nil }
        }
        #expect(crash == [["boom"]] || crash == [["boom", "last words"]])
        #expect(machine.core.applications[Machine.application]?.log.lines.map(\.text) == ["boom", "last words"])
    }
}
