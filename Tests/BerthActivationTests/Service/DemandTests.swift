import BerthEventLoop
import Testing

@testable import BerthActivation

@Suite("Start on demand")
struct DemandTests {
    @Test("nothing is started before a request asks")
    func lazy() {
        let machine = Machine()
        #expect(machine.spawns.isEmpty)
        #expect(machine.poolStates == [.started])
    }

    @Test("fifty requests start one worker, and all get it")
    func oneForAll() throws {
        var machine = Machine()
        for _ in 0..<50 { machine.demand() }
        #expect(machine.spawns.count == 1)
        let id = try #require(machine.spawns.first)
        machine.becomesReady(id)
        #expect(machine.published == [id])
        for _ in 0..<50 { machine.demand() }
        #expect(machine.spawns.count == 1)
    }

    @Test("all who wait share the failure of the start, and the next request asks anew")
    func sharedFailure() throws {
        var machine = Machine()
        for _ in 0..<10 { machine.demand() }
        let id = try #require(machine.spawns.first)
        machine.act(id) { $0.spawnFailed(.notExecuted(.execute, errno: 2)) }
        #expect(machine.failures.count == 1)
        #expect(machine.failures.first?.cause == .notExecuted(.execute, errno: 2))
        #expect(machine.spawns.count == 1)
        machine.demand()
        #expect(machine.spawns.count == 2)
    }

    @Test("a worker that ends before it listens is tried once more, with the same token")
    func secondAttempt() throws {
        var machine = Machine()
        machine.demand()
        let id = try #require(machine.spawns.first)
        machine.spawned(id)
        machine.exits(id, .exited(status: 1))
        #expect(machine.spawns == [id, id])
        #expect(machine.wanted(.clear, id) == 1)
        #expect(machine.failures.isEmpty)
        machine.becomesReady(id)
        #expect(machine.published == [id])
    }

    @Test("two failed attempts are a failed start")
    func twoAttempts() throws {
        var machine = Machine()
        machine.demand()
        let id = try #require(machine.spawns.first)
        for _ in 0..<2 {
            machine.spawned(id)
            machine.exits(id, .exited(status: 3))
        }
        #expect(machine.spawns.count == 2)
        #expect(machine.failures.map(\.cause) == [.exited(.exited(status: 3))])
        #expect(machine.failures.map(\.attempts) == [2])
        #expect(machine.core.workers.isEmpty)
    }

    @Test("a program that cannot be executed, and a port that is none, are not tried twice")
    func hopeless() throws {
        for cause in [StartFailure.Cause.notExecuted(.directory, errno: 2), .invalidPort("1024")] {
            var machine = Machine()
            machine.demand()
            let id = try #require(machine.spawns.first)
            machine.act(id) { $0.spawnFailed(cause) }
            #expect(machine.spawns.count == 1)
            #expect(machine.failures.map(\.cause) == [cause])
        }
    }

    @Test("a worker that does not listen in time is killed, and again, and then the start has failed")
    func timeLimit() throws {
        var machine = Machine { $1.startupTimeLimit = 1 }
        machine.demand()
        let id = try #require(machine.spawns.first)
        for attempt in 1...2 {
            machine.spawned(id)
            let end = machine.now.adding(seconds: 1)
            machine.now = end
            machine.perform { $0.timePassed(now: $1) }
            #expect(machine.wanted(.probe, id) == attempt)
            machine.act(id) { $0.observed([], now: end) }
            #expect(machine.wanted(.kill, id) == attempt)
            machine.exits(id, .signalled(9, coreDumped: false))
        }
        #expect(machine.failures.map(\.cause) == [.timedOut(seconds: 1, place: "127.0.0.1:5000")])
    }

    @Test("two processes an application are started one after the other")
    func several() throws {
        var machine = Machine { $1.processes = 3 }
        machine.demand()
        #expect(machine.spawns.count == 1)
        machine.demand()
        #expect(machine.spawns.count == 1)
        for count in 1...3 {
            machine.becomesReady(try #require(machine.spawns.last))
            #expect(machine.published?.count == count)
            #expect(machine.spawns.count == min(count + 1, 3))
        }
    }

    @Test("a worker of several that crashes is replaced when the others are used")
    func severalCrash() throws {
        var machine = Machine { $1.processes = 2 }
        machine.demand()
        machine.becomesReady(machine.spawns[0])
        machine.becomesReady(machine.spawns[1])
        machine.exits(machine.spawns[0], .signalled(11, coreDumped: false))
        #expect(machine.published == [machine.spawns[1]])
        #expect(machine.spawns.count == 2)
        machine.perform { $0.used(Machine.application, at: $1, running: 0, now: $1) }
        machine.now = machine.now.adding(seconds: 1)
        machine.perform { $0.used(Machine.application, at: $1, running: 1, now: $1) }
        #expect(machine.spawns.count == 3)
    }

    @Test("a pool that always runs starts without a request, and again after a crash")
    func alwaysRunning() throws {
        var machine = Machine { pool, _ in pool.alwaysRunning = true }
        let first = try #require(machine.spawns.first)
        machine.becomesReady(first)
        machine.exits(first, .exited(status: 1))
        #expect(machine.spawns.count == 2)
    }

    @Test("a pool that always runs tries again when the minute of failures is over")
    func alwaysRunningHeals() throws {
        var machine = Machine { pool, application in
            pool.alwaysRunning = true
            application.rapidFailsPerMinute = 0
        }
        machine.becomesReady(try #require(machine.spawns.first))
        machine.exits(try #require(machine.spawns.first), .exited(status: 1))
        #expect(machine.spawns.count == 1)
        machine.advance(seconds: 59)
        #expect(machine.spawns.count == 1)
        machine.advance(seconds: 1)
        #expect(machine.spawns.count == 2)
    }

    @Test("an application that somebody else runs is published and never started")
    func external() {
        let endpoint = WorkerEndpoint.unix(path: "/run/x.sock")
        var machine = Machine { _, application in
            application.endpoint = .external(endpoint)
            application.program = nil
        }
        #expect(machine.published?.count == 1)
        machine.demand()
        machine.perform { $0.recycle(application: Machine.application, .administrator, now: $1) }
        #expect(machine.spawns.isEmpty)
        machine.perform { $0.setOffline(true, Machine.application, now: $1) }
        #expect(machine.published?.isEmpty == true)
        machine.perform { $0.setOffline(false, Machine.application, now: $1) }
        #expect(machine.published?.count == 1)
        machine.perform { $0.stop(pool: Machine.pool, cause: .administrator, now: $1) }
        #expect(machine.published?.isEmpty == true)
        #expect(machine.poolStates.last == .stopped(.administrator))
    }
}
