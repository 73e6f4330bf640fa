import BerthEventLoop
import CBerthSystem
import Glibc
import Testing

@testable import BerthActivation

/// Real processes on the real kernel.
@Suite("Ending workers", .serialized)
struct EndingWorkersTests {
    private func crash(_ control: ControlLoop) throws -> WorkerExit {
        try control.wait(for: "crash") { if case .workerCrashed(_, let exit, _) = $0 { exit } else { nil } }
    }

    @Test("a crash is noticed, and the next request starts another worker with another token")
    func restart() throws {
        let control = try ControlLoop()
        control.configure(Listener.tcp())
        control.demand()
        let first = try control.waitReady()
        let pid = try #require(control.service.workers.first?.pid)
        #expect(kill(pid, SIGSEGV) == 0)
        guard case .signalled(SIGSEGV, _) = try crash(control) else {
            Issue.record("not the signal")
            return
        }
        #expect(control.service.workers.isEmpty)
        control.demand()
        let second = try control.waitReady()
        #expect(second.token != first.token && second.worker != first.worker)
        #expect(control.service.counters(of: ControlLoop.application).crashes == 1)
        try control.stopAll()
    }

    @Test("a crash loop ends in 502.5 for the rest of the minute")
    func crashLoop() throws {
        let control = try ControlLoop()
        control.configure(Listener.tcp()) { $1.rapidFailsPerMinute = 2 }
        for _ in 0..<3 {
            control.demand()
            _ = try control.waitReady()
            let pid = try #require(control.service.workers.first?.pid)
            #expect(kill(pid, SIGKILL) == 0)
            _ = try crash(control)
        }
        control.demand()
        guard case .tooManyFailures(limit: 2, _) = try control.waitFailure().cause else {
            Issue.record("not refused")
            return
        }
        #expect(control.service.state(of: ControlLoop.pool) == .started)
    }

    @Test("a crash loop of pool workers stops the pool")
    func poolCrashLoop() throws {
        let control = try ControlLoop()
        control.configure("exit 3", endpoint: .inherited) { pool, rules in
            pool.rapidFailCrashes = 3
            rules.crashScope = .pool
        }
        for _ in 0..<3 {
            control.demand()
            #expect(try crash(control) == .exited(status: 3))
        }
        try control.wait(for: "stopped pool") { event -> Void? in
            event == .poolState(ControlLoop.pool, .stopped(.rapidFail)) ? () : nil
        }
        control.service.start(pool: ControlLoop.pool)
        #expect(control.service.state(of: ControlLoop.pool) == .started)
        #expect(control.service.crashCount(of: ControlLoop.pool) == 0)
    }

    @Test("what a worker has started goes with it, also what has made a session of its own")
    func descendants() throws {
        let control = try ControlLoop()
        control.configure("setsid sleep 1000 & echo $!; sleep 1000 & echo $!; " + Listener.tcp())
        control.demand()
        _ = try control.waitReady()
        let lines = control.service.output(of: ControlLoop.application).map(\.text)
        let pids = lines.compactMap { Int32($0) }
        try #require(pids.count == 2)
        for pid in pids { #expect(ControlLoop.isAlive(pid)) }
        try control.stopAll()
        for pid in pids { try ControlLoop.waitGone(pid) }
    }

    @Test("also after a crash, when their parent can no longer tell whose they are")
    func orphans() throws {
        let control = try ControlLoop()
        control.configure("(setsid sh -c 'echo $$; exec sleep 1000' &); " + Listener.tcp())
        control.demand()
        var orphan: Int32 = 0
        var isReady = false
        try control.wait(for: "orphan and ready worker") { event -> Void? in
            if case .output(_, let line) = event { orphan = Int32(line.text) ?? 0 }
            if case .publish(_, _, let endpoints) = event { isReady = !endpoints.isEmpty }
            return orphan > 1 && isReady ? () : nil
        }
        #expect(ControlLoop.isAlive(orphan))
        let pid = try #require(control.service.workers.first?.pid)
        #expect(kill(pid, SIGKILL) == 0)
        _ = try crash(control)
        try ControlLoop.waitGone(orphan)
    }

    @Test("a worker is sent the shutdown message first, and SIGTERM when it refuses")
    func message() throws {
        let control = try ControlLoop()
        control.configure(Listener.tcp())
        control.demand()
        let ready = try control.waitReady()
        control.service.stop(pool: ControlLoop.pool)
        let target = try control.wait(for: "shutdown message") {
            if case .sendShutdownMessage(_, _, let target) = $0 { target } else { nil }
        }
        #expect(target == ready)
        control.service.shutdownMessageAnswered(try #require(ready.worker), accepted: false)
        let stopped = try control.waitStopped()
        #expect(stopped.reason == .stopped && !stopped.killed)
        guard case .signalled(SIGTERM, _) = stopped.exit else {
            Issue.record("\(stopped.exit)")
            return
        }
        #expect(control.service.state(of: ControlLoop.pool) == .stopped(.administrator))
    }

    @Test("a worker that hears nothing is killed when its time is over")
    func deaf() throws {
        let control = try ControlLoop()
        control.configure("trap '' TERM; " + Listener.tcp()) { $1.shutdownTimeLimit = 1 }
        control.demand()
        let ready = try control.waitReady()
        control.service.stop(pool: ControlLoop.pool)
        try control.wait(for: "shutdown message") { event -> Void? in
            if case .sendShutdownMessage = event { () } else { nil }
        }
        control.service.shutdownMessageAnswered(try #require(ready.worker), accepted: false)
        let stopped = try control.waitStopped()
        #expect(stopped.killed)
        guard case .signalled(SIGKILL, _) = stopped.exit else {
            Issue.record("\(stopped.exit)")
            return
        }
    }

    @Test("a limit of 0 kills at once")
    func zero() throws {
        let control = try ControlLoop()
        control.configure("trap '' TERM; " + Listener.tcp()) { $1.shutdownTimeLimit = 0 }
        control.demand()
        _ = try control.waitReady()
        control.service.stop(pool: ControlLoop.pool)
        #expect(try control.waitStopped().killed)
    }

    @Test("SIGTERM reaches the program behind a shell")
    func behindShell() throws {
        let control = try ControlLoop()
        control.configure(Listener.tcp().replacing("exec python3", with: "python3") + "; exit 9") {
            $1.understandsShutdownMessage = false
        }
        control.demand()
        _ = try control.waitReady()
        try control.stopAll()
        #expect(control.service.workers.isEmpty)
    }

    @Test("a recycled worker is replaced without a gap")
    func recycle() throws {
        let control = try ControlLoop()
        control.configure(Listener.tcp())
        control.demand()
        let old = try control.waitReady()
        control.service.recycle(pool: ControlLoop.pool)
        let new = try control.wait(for: "successor") { event -> ReadyEndpoint? in
            guard case .publish(_, _, let endpoints) = event else { return nil }
            #expect(endpoints.count == 1, "never nobody")
            return endpoints.first
        }
        #expect(new.worker != old.worker && new.endpoint != old.endpoint)
        try control.stopAll()
    }

    @Test("when the daemon's thread ends without a word its workers die")
    func daemonDies() throws {
        final class Box: @unchecked Sendable {
            var pid: Int32 = 0
            var directory = ""
        }
        let box = Box()
        let system = cberth_system_linux()
        var thread: UInt64 = 0
        let started = system.pointee.thread_start(
            system, "daemon",
            { argument in
                guard let argument else { return nil }
                let box = Unmanaged<Box>.fromOpaque(argument).takeRetainedValue()
                guard let control = try? ControlLoop() else { return nil }
                box.directory = control.directory
                control.configure(Listener.tcp())
                control.demand()
                if (try? control.waitReady()) != nil { box.pid = control.service.workers.first?.pid ?? 0 }
                // Forgotten rather than stopped.
                _ = Unmanaged.passRetained(control)
                return nil
            }, Unmanaged.passRetained(box).toOpaque(), &thread)
        try #require(started == 0)
        #expect(system.pointee.thread_join(system, thread) == 0)
        rmdir(box.directory)
        try #require(box.pid > 1)
        try ControlLoop.waitGone(box.pid)
    }
}
