import BerthEventLoop
import CBerthSystem
import Glibc
import Testing

@testable import BerthActivation

/// A control loop with activation on it, run by the test that made it until something happens.
final class ControlLoop {
    static let activation: UInt8 = 1
    static let guardian: UInt8 = 2
    /// Longest wait of a test for anything.
    static let patienceSeconds: UInt64 = 30

    let loop: EventLoop
    let service: ActivationService
    let directory: String
    private(set) var events: [ActivationEvent] = []
    /// Ports that `random` makes the launcher choose, first to last; then others at random.
    let ports: Ports

    final class Ports {
        var next: [UInt16] = []
        func random() -> UInt64 {
            if next.isEmpty { return ActivationService.systemRandom() }
            return UInt64(next.removeFirst() - EndpointChoice.portRange.lowerBound)
        }
    }

    static let pool = PoolID(rawValue: 1)
    static let application = ApplicationID(rawValue: 1)

    init(environment: [EnvironmentEntry] = [EnvironmentEntry("PATH", "/usr/local/bin:/usr/bin:/bin")]) throws {
        loop = try EventLoop(number: 0, system: cberth_system_linux(), timersMax: 64)
        var template = Array("/tmp/berth-activation-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let ports = Ports()
        self.ports = ports
        service = ActivationService(
            loop: loop, tokenKind: Self.activation, environment: environment, socketDirectory: directory,
            random: { ports.random() })
    }

    /// Kills what a failed test left behind.
    deinit {
        service.killAll()
        rmdir("\(directory)/1")
        rmdir(directory)
    }

    /// One pool, one application: a shell script, or whatever `change` makes of it.
    func configure(
        _ script: String, endpoint: EndpointChoice = .port(fixed: nil),
        _ change: (inout PoolRules, inout ApplicationRules) -> Void = { _, _ in }
    ) {
        var pool = PoolRules(id: Self.pool, name: "pool")
        var rules = ApplicationRules(
            id: Self.application, name: "test/", pool: Self.pool,
            program: WorkerProgram(executable: "sh", arguments: ["-c", script], workingDirectory: directory),
            endpoint: endpoint)
        rules.startupTimeLimit = 20
        change(&pool, &rules)
        service.configure(pool: pool)
        #expect(service.configure(application: rules))
    }

    func demand() { service.demand(Self.application) }

    /// Runs the loop until `found` finds something in the events since the last call that found something.
    @discardableResult
    func wait<T>(for what: String, _ found: (ActivationEvent) -> T?) throws -> T {
        let end = loop.schedule(
            at: MonotonicInstant(nanoseconds: loop.system.pointee.monotonic_nanoseconds(loop.system))
                .adding(seconds: Self.patienceSeconds), EventToken(kind: Self.guardian, index: 0, generation: 0))
        defer { loop.cancel(end) }
        var isOver = false
        while true {
            events += service.takeEvents()
            while !events.isEmpty {
                let event = events.removeFirst()
                if case .drain(let worker, _) = event { service.workerDrained(worker) }
                if let value = found(event) { return value }
                events += service.takeEvents()
            }
            if isOver { break }
            loop.wait(block: true)
            while let work = loop.nextWork() {
                switch work {
                case .ready(let token, _): service.ready(token)
                case .expired(let token):
                    if token.kind == Self.guardian { isOver = true } else { service.expired(token) }
                case .message(let message): Message.free(message)
                }
            }
        }
        Issue.record("no \(what) within \(Self.patienceSeconds) s")
        throw Patience()
    }

    struct Patience: Error {}

    func waitReady() throws -> ReadyEndpoint {
        try wait(for: "ready worker") {
            if case .publish(_, _, let endpoints) = $0 { endpoints.first } else { nil }
        }
    }

    func waitFailure() throws -> StartFailure {
        try wait(for: "failure") { if case .failed(_, let failure) = $0 { failure } else { nil } }
    }

    func waitStopped() throws -> (reason: StopReason, exit: WorkerExit, killed: Bool) {
        try wait(for: "stop") {
            if case .workerStopped(_, let reason, let exit, let killed) = $0 { (reason, exit, killed) } else { nil }
        }
    }

    /// Stops everything, refusing the shutdown message, and waits for the end.
    func stopAll() throws {
        service.stopAll()
        try wait(for: "end of all workers") { event -> Void? in
            if case .sendShutdownMessage(let worker, _, _) = event {
                service.shutdownMessageAnswered(worker, accepted: false)
            }
            return event == .allStopped ? () : nil
        }
    }

    /// Whether a process is alive: gone and zombies are not.
    static func isAlive(_ pid: Int32) -> Bool {
        let system = cberth_system_linux()
        var found = [cberth_process](repeating: cberth_process(), count: 32768)
        let count = Int(system.pointee.processes(system, &found, Int32(found.count)))
        return found.prefix(max(count, 0)).contains { $0.pid == pid }
    }

    /// Waits for the end of a process that need not be a child.
    static func waitGone(_ pid: Int32) throws {
        let system = cberth_system_linux()
        let fd = system.pointee.process_open(system, pid)
        guard fd >= 0 else { return }
        defer { close(fd) }
        var poll = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        try #require(Glibc.poll(&poll, 1, Int32(patienceSeconds * 1000)) == 1, "process \(pid) is still there")
    }
}

/// Programs in a line of Python that listen in one way or another.
enum Listener {
    /// Listens on `address` at the port it was given and waits for ever.
    static func tcp(_ address: String = "127.0.0.1", family: String = "AF_INET") -> String {
        """
        exec python3 -c "
        import os, signal, socket
        s = socket.socket(socket.\(family))
        s.bind(('\(address)', int(os.environ['PORT'])))
        s.listen()
        signal.pause()"
        """
    }

    static let unix = """
        exec python3 -c "
        import os, signal, socket
        s = socket.socket(socket.AF_UNIX)
        s.bind(os.environ['BERTH_SOCKET'])
        s.listen()
        signal.pause()"
        """
}
