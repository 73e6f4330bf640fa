import BerthConfiguration
import BerthEventLoop
import BerthHTTP
import BerthHosting
import BerthListener
import BerthModules
import BerthPipeline
import CBerthSystem
import Glibc

/// The daemon: loops, endpoints, configuration, signals; and the control thread, which runs `run`.
///
/// Startup reads the configuration, makes modules, opens what is listened on, starts the loops and says READY. Afterwards
/// everything here happens on one more event loop. Control thread only.
final class Server {
    let system: UnsafePointer<cberth_system>
    let options: ServerOptions
    let loop: EventLoop
    let registry = Registry()
    let blockingPool: BlockingPool
    let maker: ModuleMaker
    let modules: ModuleStore
    let loopCount: Int
    let daemonCounters = DaemonCounters()
    /// Nil: not started yet, or no memory for it.
    private(set) var sources: SourceConnections?
    let startedAt: Int64

    var endpoints: EndpointTable
    var loops: [LoopThread] = []
    /// What was read last, good or bad.
    var configuration: ConfigurationSnapshot
    /// What is served: the sites of `configuration`, and of each broken one its last good generation.
    var sites: [Site] = []
    var staleSites: Set<String> = []
    var moduleFailures: [(site: String, location: SourceLocation, failure: ModuleFailure)] = []
    var endpointFailures: [EndpointTable.Failure] = []
    var generations: [Generation] = []
    var generationNumber: UInt64 = 0
    /// Nil: not started yet.
    var errorLog: ErrorLogFile?
    /// The next file cannot be opened, which was said.
    var errorLogIsStuck = false
    var errorLogsToClose: [Int32] = []
    private let watchdogPeriod = cberth_watchdog_microseconds()
    var isStopping = false
    /// It was told to stop twice: workers are not waited for.
    private var isHurried = false
    /// Loops that accept no more, and those that have ended.
    var quietLoops = 0
    var stoppedLoops = 0
    /// Opened, and not yet watched by the loops.
    var endpointsToAdd: [Int] = []
    var closingDescriptors: [(generation: UInt64, descriptor: Int32)] = []
    /// Nil: nothing is remembered (`berthd serve`).
    let stateFile: StateFile?
    var state = DaemonState()
    /// What is on the disk, as far as is known.
    var savedState: DaemonState?
    /// Nil: there is no control socket.
    private(set) var control: ControlService?
    private var controlDescriptor: Int32 = -1
    /// When `configuration` was read, in nanoseconds since 1970.
    var configuredAt: Int64 = 0
    /// By site: the generation that its settings come from.
    var siteGenerations: [String: UInt64] = [:]
    /// By loop: the generation it serves with.
    private var installed: [UInt64] = []
    /// Every loop serves with this one, or a later one.
    var installedGeneration: UInt64 { installed.min() ?? generationNumber }
    /// Pools that an administrator stopped, remembered over restarts.
    var stoppedPools: Set<String> = []
    private(set) var activation: ActivationBridge?
    /// By number: what loops were asked for and have not answered.
    var collections: [UInt64: RequestCollection] = [:]
    var collectionCount: UInt64 = 0
    /// Sites that were stopped and have requests still; with what was asked about it last.
    var stoppingSites: [String: RequestCollection?] = [:]
    /// The latest events, oldest first.
    private(set) var events: [ServerEvent] = []
    private var eventCount: UInt64 = 0
    private var signals: Int32 = -1
    var moduleTimer = TimerID.none
    /// Set while modules that were made wait for others, to be put in force together.
    var modulesTimer = TimerID.none
    var lastBuildNanoseconds: UInt64 = 0
    /// Nil: the files are not watched.
    var watch: ConfigurationWatch?
    var watchTimer = TimerID.none
    /// When the first change was seen that was not read yet.
    var firstChange: MonotonicInstant?

    enum TokenKind {
        static let signals: UInt8 = 210
        static let tick: UInt8 = 211
        static let moduleDeadline: UInt8 = 212
        static let watch: UInt8 = 213
        static let watchTimer: UInt8 = 214
        static let modulesMade: UInt8 = 215
    }

    /// Milliseconds that startup waits for modules, so that in the usual case the first request finds them ready.
    static let moduleGraceMilliseconds: UInt64 = 300

    /// Nanoseconds that a module which was made waits for others at least. Ours.
    static let modulesPauseMin: UInt64 = 20_000_000

    init(_ options: ServerOptions) throws(SystemError) {
        system = cberth_system_linux()
        self.options = options
        stateFile = Self.stateFile(options)
        var remembered = DaemonState()
        if let (state, problem) = stateFile?.read() {
            remembered = state
            savedState = state == DaemonState() ? nil : state
            if let problem {
                DaemonLog.warning(
                    "\(stateFile?.path ?? "") is not used: \(problem); going on without what it remembers")
            }
        }
        state = remembered
        stoppedPools = Set(remembered.pools.filter(\.value.isStopped).keys)
        switch options.source {
        case .files(let loader): configuration = Self.load(loader, remembered)
        case .fixed(let snapshot): configuration = snapshot
        }
        let wanted = configuration.daemon.loops
        // The last number that a request handle can name is the control loop's.
        loopCount = min(wanted > 0 ? wanted : Int(cberth_processor_count()), RequestHandle.loopsMax - 1)
        loop = try EventLoop(number: UInt32(loopCount), system: system, timersMax: 16_384)
        blockingPool = BlockingPool(system: system, threadsMax: 8, limits: [256, 256, 64, 64])
        maker = ModuleMaker(system: system, mailbox: loop.mailbox)
        modules = ModuleStore(maker: maker, loops: loopCount)
        endpoints = EndpointTable(system: system)
        startedAt = loop.wallSeconds
        installed = Array(repeating: 0, count: loopCount)
        configuredAt = system.pointee.wall_nanoseconds(system)
        HostCallTable.setLogSink { level, start, count in
            DaemonLog.write(
                priority: level, String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self))
        }
    }

    // MARK: Starting

    /// Opens and starts everything; afterwards `run`.
    func start() throws(SystemError) {
        signals = try checked("signalfd", system.pointee.signals_create(system))
        try checked(
            "epoll_ctl",
            loop.register(signals, EPOLLIN.rawValue, EventToken(kind: TokenKind.signals, index: 0, generation: 1)))
        reportDiagnostics(configuration)
        inheritDescriptors()
        openErrorLog()
        sites = configuration.sites
        let empty = emptyGeneration()
        generations.append(empty)
        let limits = listenerLimits()
        let balance = LoopBalance(loops: loopCount)
        let server = configuration.daemon.listener
        sources = SourceConnections(connectionsMax: Int(limits.daemonConnectionsMax))
        sources?.limit = configuration.daemon.listener.connectionsPerSourceMax.map { UInt32(clamping: $0) }
        for number in 0..<loopCount {
            let loop = try EventLoop(
                number: UInt32(number), system: system, timersMax: limits.connectionsMax + 1024)
            let listener = try Listener(
                loop: loop, limits: limits, snapshot: empty.parts[number].snapshot, daemon: daemonCounters,
                extensionSize: Pipeline.extensionSize,
                serverField: server.serverHeaderPolicy == .never ? nil : server.serverHeader,
                errorLog: ErrorLog(fd: errorLog?.descriptor ?? -1, fields: errorLog?.fields ?? .standard) {
                    DaemonLog.warning(String(cString: $0))
                })
            listener.join(balance)
            if let sources { listener.count(sources) }
            let pipeline = Pipeline(listener: listener, blockingPool: blockingPool)
            let forwarder = try Forwarder(
                loop: loop, listener: listener, pipeline: pipeline, connectionsMax: limits.connectionsMax,
                control: self.loop.mailbox,
                controlMessages: .init(
                    workerWanted: ControlMessage.workerWanted, workerReleased: ControlMessage.workerReleased))
            loops.append(
                LoopThread(
                    number: number, loop: loop, listener: listener, pipeline: pipeline, forwarder: forwarder,
                    control: self.loop.mailbox, generation: empty.parts[number]))
        }
        balance.setMailboxes(loops.map(\.loop.mailbox))
        makeDirectories(configuration.daemon.runtimeDirectory)
        let activation = ActivationBridge(server: self, socketDirectory: configuration.daemon.runtimeDirectory)
        self.activation = activation
        waitForModules()
        applyRemembered()
        // In this order: who the applications are, what is served, where.
        activation.apply(sites, configuration)
        openEndpoints()
        install()
        saveState()
        try openControlSocket()
        try changeIdentity()
        for loop in loops { try loop.start() }
        note(.started, "\(statusLine), pid \(getpid())")
        scheduleTick()
        updateWatch()
        options.whenReady(endpoints.endpoints.compactMap { $0?.name })
        notifyReady()
    }

    /// Opens the control socket, or goes on without it where something is served all the same.
    private func openControlSocket() throws(SystemError) {
        let path = options.controlSocket ?? configuration.daemon.controlSocket
        do throws(SystemError) {
            control = try ControlService(server: self, path: path, inherited: controlDescriptor)
        } catch {
            let text = "cannot open the control socket \(path): \(error.reason)"
            if error.code == EADDRINUSE {
                DaemonLog.error("\(text) (another berthd answers there)")
                if options.needsControlSocket { throw error }
            } else if options.needsControlSocket && sites.isEmpty {
                DaemonLog.error("\(text), and there is no site to serve")
                throw error
            } else {
                DaemonLog.error("\(text); berthctl will not reach this daemon, which serves all the same")
            }
        }
    }

    /// Makes what the configuration needs and gives modules a moment, so that the first generation is complete.
    private func waitForModules() {
        _ = build(discarding: true)
        let deadline = loop.now.adding(milliseconds: Self.moduleGraceMilliseconds)
        while modules.isMaking {
            loop.updateTime()
            if loop.now >= deadline { return }
            let timer = loop.schedule(at: deadline, EventToken(kind: TokenKind.moduleDeadline, index: 0, generation: 1))
            loop.wait(block: true)
            while let work = loop.nextWork() { if case .message(let message) = work { Message.free(message) } }
            loop.cancel(timer)
            maker.update()
        }
    }

    /// What loops have before the first configuration: nothing.
    private func emptyGeneration() -> Generation {
        let table = RoutingTable([])
        let parts = (0..<loopCount).map { _ in
            LoopGeneration(
                number: 0, snapshot: ListenerSnapshot.make(generation: 0, table: table, targets: [], ports: []),
                chains: [],
                ticks: [])
        }
        return Generation(number: 0, parts: parts, instances: [])
    }

    private func inheritDescriptors() {
        endpoints.inherit(options.descriptors.map { ($0, "") }, except: [])
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = cberth_listen_descriptors(&names)
        if count <= 0 { return }
        var descriptors: [(fd: Int32, name: String)] = []
        for index in 0..<Int(count) {
            let name = names?[index].map { String(cString: $0) } ?? "unknown"
            if name == Self.controlDescriptorName {
                controlDescriptor = cberth_listen_descriptors_start() + Int32(index)
            }
            descriptors.append((cberth_listen_descriptors_start() + Int32(index), name))
        }
        cberth_listen_names_free(names)
        endpoints.inherit(descriptors, except: [Self.controlDescriptorName])
    }

    /// `FileDescriptorName=` of the control socket in berth-control.socket.
    static let controlDescriptorName = "control"

    private func listenerLimits() -> ListenerLimits {
        let daemon = configuration.daemon
        let descriptors = cberth_descriptor_limit()
        // Descriptors for endpoints, logs, files and workers are kept aside; every connection may need one to a worker.
        let reserve: UInt64 = min(256, descriptors / 4)
        let connections = UInt64(daemon.listener.connectionsMax ?? Int(descriptors - reserve))
        var limits = ListenerLimits()
        limits.parser = ParserLimits(
            requestBytesMax: daemon.listener.requestBytesMax, fieldLengthMax: daemon.listener.fieldLengthMax,
            urlLengthMax: daemon.listener.fieldLengthMax, fieldsMax: daemon.listener.fieldsMax)
        limits.cooking = CookingLimits(
            segmentLengthMax: daemon.listener.urlSegmentLengthMax, segmentsMax: daemon.listener.urlSegmentsMax,
            allowsControls: daemon.listener.allowRestrictedCharacters)
        limits.serverFieldOnOwnAnswers = daemon.listener.serverHeaderPolicy == .always
        limits.daemonConnectionsMax = connections
        limits.connectionsMax = Int(min(connections, UInt64(IndexAllocator.capacityMax / 2)))
        limits.requestsPerConnectionMax = UInt32(clamping: daemon.listener.keepAliveRequestsMax ?? 0)
        limits.timers = ListenerTimers(daemon.timeouts)
        if let ceiling = MemoryCeiling.find(.system) {
            let told = ceiling.bound(&limits, loops: loopCount, keepsConnections: daemon.listener.connectionsMax != nil)
            BuiltInModules.limitFileContent(to: ceiling.fileContentMax)
            if let told { DaemonLog.notice(told) }
        }
        return limits
    }

    // MARK: Running

    /// Serves until it was told to stop and everything has ended.
    func run() {
        while !hasStopped {
            loop.wait(block: true)
            while let work = loop.nextWork() {
                switch work {
                case .ready(let token, let bits):
                    switch token.kind {
                    case ..<Listener.tokenKinds: control?.listener.handle(token, bits)
                    case TokenKind.signals: takeSignals()
                    case TokenKind.watch: watchReady()
                    case ActivationBridge.tokenKind:
                        activation?.service.ready(token)
                        activation?.takeEvents()
                    case OfflineWatch.tokenKind: activation?.offlineChanged()
                    default: break
                    }
                case .expired(let token):
                    switch token.kind {
                    case ..<Listener.tokenKinds: control?.listener.expired(token)
                    case TokenKind.tick: tick()
                    case TokenKind.moduleDeadline, TokenKind.modulesMade: modulesChanged()
                    case TokenKind.watchTimer: watchTimerFired()
                    case ActivationBridge.tokenKind:
                        activation?.service.expired(token)
                        activation?.takeEvents()
                    default: break
                    }
                case .message(let message): handle(message)
                }
                control?.pipeline.drain()
            }
        }
        for loop in loops { loop.join() }
        control?.close()
        let unfinished = blockingPool.stop()
        if unfinished > 0 {
            DaemonLog.warning(
                "\(unfinished) piece\(unfinished == 1 ? "" : "s") of blocking work did not end within "
                    + "\(BlockingPool.stopSeconds) s (a file on a disk or a server that does not answer?); ending without"
            )
        }
        // What was cut while a module still had it keeps what it points to: the process ends here anyway.
        for generation in generations where generation.isPinned { _ = Unmanaged.passRetained(generation) }
        generations.removeAll()
    }

    private func handle(_ message: UnsafeMutablePointer<Message>) {
        switch message.pointee.kind {
        case ControlMessage.retired:
            let number = message.pointee.b
            for generation in generations where generation.number == number { generation.holders -= 1 }
            generations.removeAll { $0.holders == 0 && $0.number != generationNumber }
        case ControlMessage.acceptsNoMore:
            quietLoops += 1
            if quietLoops == loops.count {
                // From here on nobody would answer: who comes is to be refused, not to wait.
                for case let endpoint? in endpoints.endpoints where !endpoint.isInherited {
                    _ = system.pointee.close(system, endpoint.descriptor)
                }
                post { Message.make(kind: LoopMessage.end) }
            }
        case ControlMessage.stopped:
            stoppedLoops += 1
            // Workers outlive the requests that are with them.
            if stoppedLoops == loops.count {
                activation?.loopsEnded()
                activation?.service.stopAll()
                if isHurried { activation?.service.killAll() }
                activation?.takeEvents()
            }
        case ControlMessage.workerWanted:
            activation?.workerWanted(UInt32(truncatingIfNeeded: message.pointee.a))
        case ControlMessage.workerReleased: activation?.workerReleased(message.pointee.c)
        case ControlMessage.shutdownAnswered:
            ShutdownMessage.finished(message)
            activation?.shutdownMessageAnswered(
                UInt32(truncatingIfNeeded: message.pointee.a), accepted: message.pointee.b == 1)
        case ControlMessage.moduleMade: moduleMade()
        case ControlMessage.installed:
            installed[Int(message.pointee.a)] = message.pointee.b
            closeEndpoints()
            control?.wake()
        case ControlMessage.requestsListed:
            if let listing = Message.takeObject(RequestListing.self, from: message.pointee.a) { take(listing) }
        case Listener.completionMessage, Listener.jobMessage:
            // Lives in the request's slot.
            control?.listener.completed(message)
            return
        default: break
        }
        Message.free(message)
    }

    /// Everything has ended.
    private var hasStopped: Bool { isStopping && stoppedLoops == loops.count && activation?.hasStopped ?? true }

    private func tick() {
        scheduleTick()
        activation?.tick()
        if !stoppingSites.isEmpty { watchStoppingSites() }
        control?.tick()
        rollErrorLog()
        // A control thread that turns is the sign of life; WatchdogSec is many times this second.
        if watchdogPeriod > 0 { _ = cberth_notify("WATCHDOG=1") }
    }

    private func scheduleTick() {
        _ = loop.schedule(
            at: loop.now.adding(seconds: 1), EventToken(kind: TokenKind.tick, index: 0, generation: 1))
    }

    private func takeSignals() {
        while true {
            let signal = system.pointee.signals_next(system, signals)
            if signal < 0 { return }
            switch signal {
            case SIGHUP:
                DaemonLog.notice("reloading the configuration (SIGHUP)")
                reload()
            case SIGTERM, SIGINT: stop(because: signal == SIGTERM ? "SIGTERM" : "SIGINT")
            default: break
            }
        }
    }

    // MARK: Stopping

    /// No new connections; what runs may finish within the drain limit, then the rest is cut.
    func stop(because reason: String) {
        if isStopping {
            DaemonLog.notice("\(reason) again: closing what is left now")
            post { Message.make(kind: LoopMessage.stop, a: 0) }
            isHurried = true
            if stoppedLoops == loops.count { activation?.service.killAll() }
            return
        }
        isStopping = true
        note(.stopping, reason)
        _ = cberth_notify("STOPPING=1\nSTATUS=Finishing requests")
        let drain = configuration.daemon.timeouts.shutdownDrain.wholeMilliseconds
        DaemonLog.notice("stopping (\(reason)); requests have \(drain / 1000) s to finish")
        loop.updateTime()
        let deadline = loop.now.adding(milliseconds: drain).nanoseconds
        // A loop takes what is in the backlog of a socket of ours; what came behind that would be reset.
        for case let endpoint? in endpoints.endpoints where !endpoint.isInherited {
            _ = system.pointee.admit_no_more(system, endpoint.descriptor)
        }
        post { Message.make(kind: LoopMessage.stop, a: deadline) }
    }

    func post(_ make: () -> UnsafeMutablePointer<Message>) {
        for thread in loops { thread.loop.mailbox.post(make()) }
    }

    // MARK: Events

    /// Events kept. Ours: what an administrator reads after something went wrong.
    static let eventsMax = 1000

    /// Remembers what happened, for `berthctl events`.
    func note(_ kind: ServerEvent.Kind, subject: String = "", pid: Int32? = nil, _ text: String = "") {
        eventCount += 1
        events.append(
            ServerEvent(
                number: eventCount, wallNanoseconds: system.pointee.wall_nanoseconds(system), kind: kind,
                subject: subject,
                pid: pid, text: text))
        if events.count > Self.eventsMax { events.removeFirst(events.count - Self.eventsMax) }
        control?.wake()
    }

    // MARK: Words for the service manager

    func notifyReady() {
        _ = cberth_notify("READY=1\nSTATUS=\(statusLine)")
    }

    var statusLine: String {
        let rejected = configuration.rejected.count
        let broken = rejected == 0 ? "" : ", \(rejected) with errors"
        return "Serving \(sites.count) site\(sites.count == 1 ? "" : "s")\(broken)"
    }
}
