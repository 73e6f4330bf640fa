import Glibc
import Synchronization

/// The smallest honest out-of-process application: an HTTP/1.1 server that says what it was asked.
///
/// Nothing of Berth is in it: any program that listens where the environment tells it and speaks HTTP is a worker.
/// One blocking thread a connection, so that it reads from top to bottom; a real application would do better.
///
/// For trying out how a host treats its workers: `--listen-delay MS`, `--never-listen`, `--exit CODE` (before it
/// listens), `--ignore-shutdown` (of SIGTERM and of the shutdown message), `--print TEXT` (on standard output).
final class EchoWorker: Sendable {
    /// Connections served at once; the next ones wait in the backlog.
    static let connectionsMax = 512
    /// Longest time for running requests to finish after a stop, in milliseconds. Source: the .NET host's 30 s.
    static let drainTimeLimit = 30_000

    private struct State {
        /// Descriptors of open connections; true while one is answering a request.
        var connections: [Int32: Bool] = [:]
        var isStopping = false
    }

    let environment: Environment
    let ignoresShutdown: Bool
    private let state = Mutex(State())
    /// A pipe that wakes the main thread: an octet for "stop", and one whenever a connection ends.
    private let wakeUp: (read: Int32, write: Int32)

    private init(_ environment: Environment, ignoresShutdown: Bool, wakeUp: (Int32, Int32)) {
        self.environment = environment
        self.ignoresShutdown = ignoresShutdown
        self.wakeUp = wakeUp
    }

    /// The exit status: 0 after a clean stop, 1 when it cannot listen, 2 for wrong usage.
    static func run(arguments: [String]) -> Int32 {
        guard let options = Options(arguments.dropFirst()) else {
            complain(
                "usage: EchoWorker [--listen-delay MS] [--never-listen] [--exit CODE] [--ignore-shutdown] [--print TEXT]"
            )
            return 2
        }
        signal(SIGPIPE, SIG_IGN)
        if let text = options.text { print(text) }
        if let status = options.exitStatus { return status }
        pause(milliseconds: options.listenDelay)

        var pipeEnds: [Int32] = [-1, -1]
        guard pipe(&pipeEnds) == 0 else { return 1 }
        let environment = Environment()
        let worker = EchoWorker(
            environment, ignoresShutdown: options.ignoresShutdown, wakeUp: (pipeEnds[0], pipeEnds[1]))
        worker.waitForSignals()
        var listener: Int32 = -1
        if !options.neverListens {
            do {
                listener = try Listening.open(environment)
            } catch {
                complain("EchoWorker: \(error.description)")
                return 1
            }
        }
        worker.serve(listener)
        worker.drain(listener)
        return 0
    }

    // MARK: The main thread

    /// Accepts until it is told to stop.
    private func serve(_ listener: Int32) {
        while true {
            let isFull = state.withLock { $0.connections.count >= Self.connectionsMax }
            var waiting = [
                pollfd(fd: wakeUp.read, events: Int16(POLLIN), revents: 0),
                pollfd(fd: isFull ? -1 : listener, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&waiting, 2, -1) > 0 else { continue }
            if waiting[0].revents != 0 {
                swallowWakeUps()
                if isStopping { return }
            }
            if waiting[1].revents != 0 { acceptOne(listener) }
        }
    }

    private func acceptOne(_ listener: Int32) {
        let fd = accept(listener, nil, nil)
        guard fd >= 0 else { return }
        state.withLock { $0.connections[fd] = false }
        let start = ConnectionStart(worker: self, fd: fd)
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { start in
                guard let start else { return nil }
                Unmanaged<ConnectionStart>.fromOpaque(start).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(start).toOpaque())
        if result == 0 {
            pthread_detach(thread)
        } else {
            Unmanaged.passUnretained(start).release()
            connectionEnded(fd)
        }
    }

    /// Lets running requests finish and idle connections go, no longer than the time limit.
    private func drain(_ listener: Int32) {
        if listener >= 0 { close(listener) }
        state.withLock { state in
            for (fd, isBusy) in state.connections where !isBusy { shutdown(fd, Int32(SHUT_RD)) }
        }
        let end = milliseconds() + Self.drainTimeLimit
        while !state.withLock({ $0.connections.isEmpty }) {
            var waiting = pollfd(fd: wakeUp.read, events: Int16(POLLIN), revents: 0)
            let left = end - milliseconds()
            guard left > 0, poll(&waiting, 1, Int32(left)) != 0 else { return }
            swallowWakeUps()
        }
    }

    private func swallowWakeUps() {
        var octets = [UInt8](repeating: 0, count: 512)
        _ = read(wakeUp.read, &octets, octets.count)
    }

    // MARK: Signals

    /// Starts the thread that waits for SIGTERM, SIGINT and SIGQUIT. The first stops the worker, the second ends it at once.
    private func waitForSignals() {
        // Blocked before the first thread, so that they arrive at that thread and nowhere else.
        var signals = Self.stopSignals
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { worker in
                guard let worker else { return nil }
                Unmanaged<EchoWorker>.fromOpaque(worker).takeRetainedValue().takeSignals()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
    }

    private func takeSignals() {
        var signals = Self.stopSignals
        while true {
            var number: Int32 = 0
            guard sigwait(&signals, &number) == 0, !ignoresShutdown else { continue }
            if isStopping { _exit(128 + number) }
            stop()
        }
    }

    private static var stopSignals: sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT, SIGQUIT] { sigaddset(&signals, number) }
        return signals
    }

    // MARK: Called by connections

    /// Any thread. Stops the worker once the running requests are answered.
    func stop() {
        state.withLock { $0.isStopping = true }
        wake()
    }

    /// A request begins: the connection is left alone until it is answered.
    func requestBegins(on fd: Int32) { state.withLock { $0.connections[fd] = true } }

    /// A request is answered. False: the connection must not be kept, since the worker stops.
    func mayKeep(_ fd: Int32) -> Bool {
        state.withLock { state in
            state.connections[fd] = false
            return !state.isStopping
        }
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// The last that is heard of a connection. Closes it.
    func connectionEnded(_ fd: Int32) {
        // Under the lock: the number must not be taken again while it is still listed.
        state.withLock { state in
            state.connections[fd] = nil
            _ = close(fd)
        }
        wake()
    }

    private func wake() {
        var octet: UInt8 = 1
        _ = write(wakeUp.write, &octet, 1)
    }
}

/// What a new thread is given.
private final class ConnectionStart: Sendable {
    let worker: EchoWorker
    let fd: Int32

    init(worker: EchoWorker, fd: Int32) {
        self.worker = worker
        self.fd = fd
    }

    func run() {
        var connection = Connection(worker: worker, fd: fd)
        connection.serve()
        worker.connectionEnded(fd)
    }
}

/// The command line.
private struct Options {
    var listenDelay = 0
    var neverListens = false
    var exitStatus: Int32?
    var ignoresShutdown = false
    var text: String?

    init?(_ arguments: ArraySlice<String>) {
        var rest = arguments
        while let name = rest.popFirst() {
            switch name {
            case "--never-listen": neverListens = true
            case "--ignore-shutdown": ignoresShutdown = true
            case "--listen-delay":
                guard let value = rest.popFirst().flatMap({ Int($0) }), value >= 0 else { return nil }
                listenDelay = value
            case "--exit":
                guard let value = rest.popFirst().flatMap({ Int32($0) }) else { return nil }
                exitStatus = value
            case "--print":
                guard let value = rest.popFirst() else { return nil }
                text = value
            default: return nil
            }
        }
    }
}

/// Milliseconds of a clock that is never set.
func milliseconds() -> Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}

/// Holds the calling thread.
func pause(milliseconds count: Int) {
    guard count > 0 else { return }
    let end = milliseconds() + count
    while case let left = end - milliseconds(), left > 0 { poll(nil, 0, Int32(clamping: left)) }
}

/// One line on standard error.
func complain(_ text: String) {
    let line = text + "\n"
    _ = line.withCString { write(2, $0, strlen($0)) }
}
