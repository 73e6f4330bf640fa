@testable import BerthHosting
import BerthEventLoop
import BerthHTTP
import BerthListener
import BerthPipeline
import CBerthSystem
import Glibc
import Synchronization
import TestSupport

/// A whole front in this process: listener, pipeline and forwarder on a loop thread of their own, one site that forwards
/// everything to application 7. The test's thread is the control thread.
final class Front: @unchecked Sendable {
    static let application: UInt32 = 7
    static let workerWanted: UInt32 = 200
    static let workerReleased: UInt32 = 201
    private static let stop: UInt32 = 100
    private static let ask: UInt32 = 101
    private static let guardKind: UInt8 = 250

    let system = cberth_system_linux()
    private let number: UInt32
    let loop: EventLoop
    let control: EventLoop
    let listener: Listener
    let pipeline: Pipeline
    let forwarder: Forwarder
    let queue: RequestQueue
    let port: UInt16
    private var thread: UInt64 = 0
    private var pendingControl: [Message] = []
    private var published: [ScriptedWorker] = []

    /// Nothing of a doubt is decided by the clock: a test that waits for the end of one sets a time.
    static var patient: ForwardingSettings { doubting(milliseconds: 600_000) }

    static func doubting(milliseconds: UInt64) -> ForwardingSettings {
        var settings = ForwardingSettings()
        settings.doubtMilliseconds = milliseconds
        settings.refusedMilliseconds = milliseconds
        return settings
    }

    /// The lines of the error log, as far as it was flushed.
    private let errorLog: Int32

    init(
        settings: ForwardingSettings = Front.patient, queueLength: UInt64 = 1000,
        limits: ListenerLimits = ListenerLimits(), contentMax: UInt64 = 0
    ) throws {
        signal(SIGPIPE, SIG_IGN)
        _ = cberth_descriptor_limit()
        // Handles name loops by number, for the whole process.
        number = 1 + Self.made.add(1, ordering: .relaxed).oldValue % 254
        loop = try EventLoop(number: number, system: system, timersMax: 4096)
        control = try EventLoop(number: 255, system: system, timersMax: 16)
        var endpoint = cberth_endpoint()
        cberth_address_parse("127.0.0.1", &endpoint.address)
        let fd = try checked("listen", system.pointee.listen_on(system, &endpoint, 512))
        var bound = cberth_address()
        _ = system.pointee.local_address(system, fd, &bound)
        port = bound.port

        errorLog = Self.temporaryFile()
        queue = RequestQueue(name: "pool", lengthMax: queueLength)
        let table = RoutingTable([(URLPrefix(host: .weakWildcard, port: UInt32(port), path: "/"), 0)])
        let portIndex = Int32(table.indexOfPort(UInt32(port)) ?? -1)
        var limits = limits
        limits.connectionsMax = 256
        limits.entityOctetsMax = contentMax
        // The chain names the forwarder, the forwarder the listener, the listener the snapshot: it gets its chain last.
        let empty = ListenerSnapshot.make(generation: 0, table: table, targets: [], ports: [])
        listener = try Listener(
            loop: loop, limits: limits, snapshot: empty, daemon: DaemonCounters(),
            extensionSize: Pipeline.extensionSize, serverField: "Front",
            errorLog: ErrorLog(fd: errorLog, notices: { _ in }))
        pipeline = Pipeline(
            listener: listener,
            blockingPool: BlockingPool(system: system, threadsMax: 1, limits: [1, 1, 1, 1]))
        forwarder = try Forwarder(
            loop: loop, listener: listener, pipeline: pipeline, connectionsMax: 64, control: control.mailbox,
            controlMessages: .init(workerWanted: Self.workerWanted, workerReleased: Self.workerReleased))
        let chain = ModuleChain.make(
            [.executeRequestHandler: [ForwardingHandler.entry(forwarder, application: Self.application, module: 0)]],
            siteName: "test")
        let target = RouteTarget(
            site: SiteCounters(), queue: queue, chain: chain, siteID: 1, applicationPathLength: 0)
        _ = listener.replaceSnapshot(
            ListenerSnapshot.make(generation: 1, table: table, targets: [target], ports: [portIndex]))
        _ = listener.addEndpoint(0, fd: fd, address: bound)
        loop.mailbox.post(Forwarder.settingsMessage(application: Self.application, settings))
        let argument = Unmanaged.passRetained(self)
        _ = system.pointee.thread_start(
            system, "front",
            {
                if let argument = $0 { Unmanaged<Front>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, argument.toOpaque(), &thread)
    }

    /// How many there were: far fewer than 254 are there at once.
    private static let made = Atomic<UInt32>(0)

    /// A file without a name.
    private static func temporaryFile() -> Int32 { tmpfile().map { fileno($0) } ?? -1 }

    private func run() {
        var running = true
        while running {
            loop.wait(block: true)
            while let work = loop.nextWork() {
                switch work {
                case .ready(let token, let bits):
                    if Forwarder.tokenKinds.contains(token.kind) {
                        forwarder.handle(token, bits)
                    } else {
                        listener.handle(token, bits)
                    }
                case .expired(let token):
                    if Forwarder.tokenKinds.contains(token.kind) {
                        forwarder.expired(token)
                    } else {
                        listener.expired(token)
                    }
                case .message(let message):
                    switch message.pointee.kind {
                    case Listener.completionMessage, Listener.jobMessage: listener.completed(message)
                    case Forwarder.messageKinds:
                        forwarder.handle(message)
                        Message.free(message)
                    case Self.ask:
                        if let question = Message.takeObject(Question.self, from: message.pointee.a) { question.run() }
                        Message.free(message)
                    case Self.stop:
                        running = false
                        Message.free(message)
                    default: Message.free(message)
                    }
                }
                pipeline.drain()
            }
        }
        listener.closeAllConnections()
        pipeline.drain()
    }

    /// Ends the loop. Every test does this, so that a broken list or a leaked slot shows.
    func stop() -> (exchanges: Int, requests: Int) {
        loop.mailbox.post(Message.make(kind: Self.stop))
        _ = system.pointee.thread_join(system, thread)
        return (forwarder.exchangeCount, listener.requestCount)
    }

    // MARK: What the control thread does

    /// Publishes these workers and keeps them alive.
    func publish(_ workers: ScriptedWorker..., token: String = "") {
        published += workers
        publish(workers.map { $0.ready(token: token) })
    }

    func publish(_ workers: [ReadyWorker]) {
        loop.mailbox.post(Forwarder.workersMessage(application: Self.application, workers))
    }

    func post(_ message: UnsafeMutablePointer<Message>) { loop.mailbox.post(message) }

    /// The next message of that kind to the control thread; nil when none comes.
    func controlMessage(_ kind: UInt32) -> Message? {
        if let index = pendingControl.firstIndex(where: { $0.kind == kind }) { return pendingControl.remove(at: index) }
        let timer = control.schedule(
            at: control.now.adding(seconds: UInt64(Deadline.patience)),
            EventToken(kind: Self.guardKind, index: 0, generation: 1))
        defer { control.cancel(timer) }
        while true {
            control.wait(block: true)
            var found: Message?
            var expired = false
            while let work = control.nextWork() {
                switch work {
                case .message(let message):
                    if message.pointee.kind == kind && found == nil {
                        found = message.pointee
                    } else {
                        pendingControl.append(message.pointee)
                    }
                    Message.free(message)
                case .expired: expired = true
                case .ready: break
                }
            }
            if let found { return found }
            if expired { return nil }
        }
    }

    /// Waits until that many requests are in the pool's queue.
    func waitForQueue(of count: UInt64) throws {
        try Deadline().look("\(count) requests wait") { queue.waiting == count ? true : nil }
    }

    /// Control messages of that kind that have come so far and were not asked for.
    func unreadControlMessages(_ kind: UInt32) -> Int { pendingControl.count { $0.kind == kind } }

    /// Asks something on the loop's thread, between two turns.
    func ask<T: Sendable>(_ question: @escaping @Sendable () -> T) -> T? {
        let asked = Question { question() }
        loop.mailbox.post(Message.make(kind: Self.ask, a: Message.word(retaining: asked)))
        return asked.wait() as? T
    }

    var counters: ForwardingCounters {
        let forwarder = forwarder
        return ask { forwarder.counters(of: Front.application) } ?? ForwardingCounters()
    }

    var errorLogText: String {
        let listener = listener
        _ = ask { listener.flushErrorLog() }
        var text = [UInt8](repeating: 0, count: 65_536)
        let count = pread(errorLog, &text, text.count, 0)
        return String(decoding: text.prefix(max(count, 0)), as: UTF8.self)
    }
}

/// A question to another thread and its answer.
private final class Question: @unchecked Sendable {
    private let question: @Sendable () -> any Sendable
    private let answer = Mutex<(any Sendable)?>(nil)
    private let done = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init(_ question: @escaping @Sendable () -> any Sendable) {
        self.question = question
        sem_init(done, 0, 0)
    }

    deinit {
        sem_destroy(done)
        done.deallocate()
    }

    func run() {
        let result = question()
        answer.withLock { $0 = result }
        sem_post(done)
    }

    func wait() -> (any Sendable)? {
        var deadline = Deadline.wallClock
        while sem_timedwait(done, &deadline) != 0 { if errno != EINTR { return nil } }
        return answer.withLock { $0 }
    }
}
