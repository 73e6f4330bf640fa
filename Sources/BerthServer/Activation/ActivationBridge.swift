import BerthActivation
import BerthConfiguration
import BerthEventLoop
import BerthHosting
import BerthListener
import CBerthSystem
import Glibc

/// Joins activation (WAS) with the loops: hands configuration down, demands up, and worker lists to every loop.
///
/// Control thread only.
final class ActivationBridge {
    /// Kind of activation's tokens on the control loop.
    static let tokenKind: UInt8 = 220

    let service: ActivationService
    unowned let server: Server
    var applications: [UInt32: Known] = [:]
    let offline: OfflineWatch
    private var pools: [String: PoolID] = [:]
    /// How many loops have let go of a worker that was ready and has not ended, and those whose drain waits for all of them.
    private var releases: [UInt32: Int] = [:]
    private var draining: Set<UInt32> = []
    /// By application: what its loops had served when it was last looked at.
    private var servedBefore: [UInt32: UInt64] = [:]
    private(set) var hasStopped = false
    private var logFiles: WorkerLogFiles

    /// An application as it was configured last.
    struct Known {
        var name: String
        var site: String
        var pool: String
        var settings: ForwardingSettings
        var rules: ApplicationRules?
        var workers: [ReadyWorker]
        var isManaged: Bool
        /// Where its workers' output goes as well.
        var logFile: String?
        /// Where `app_offline.htm` is looked for; nil: nowhere.
        var root: String?
        /// What is shown instead of the application; nil: nothing.
        var offlinePage: [UInt8]?
    }

    init(server: Server, socketDirectory: String) {
        self.server = server
        logFiles = WorkerLogFiles(system: server.system)
        offline = OfflineWatch(loop: server.loop)
        service = ActivationService(
            loop: server.loop, tokenKind: Self.tokenKind, environment: EnvironmentEntry.ofDaemon(),
            socketDirectory: socketDirectory)
    }

    // MARK: Configuration

    /// Tells activation and the loops about the out-of-process applications of `sites`.
    func apply(_ sites: [Site], _ configuration: ConfigurationSnapshot) {
        var seen: Set<UInt32> = []
        let pools = configuration.poolsByName
        for site in sites {
            for application in site.applications {
                guard case .outOfProcess(let settings) = application.hosting else { continue }
                let number = server.registry.number(ofApplication: application.path, site: site.name)
                seen.insert(number)
                let pool = pools[application.pool] ?? ApplicationPoolSettings(name: application.pool)
                apply(application, settings, site, pool, number, configuration)
            }
        }
        for (number, known) in applications where !seen.contains(number) {
            applications[number] = nil
            offline.forget(number)
            server.post { Forwarder.removedMessage(application: number) }
            if known.isManaged { service.remove(application: ApplicationID(rawValue: number)) }
        }
        takeEvents()
    }

    private func apply(
        _ application: Application, _ settings: OutOfProcessSettings, _ site: Site, _ pool: ApplicationPoolSettings,
        _ number: UInt32, _ configuration: ConfigurationSnapshot
    ) {
        var forwarding = ForwardingSettings()
        forwarding.requestTimeoutMilliseconds = application.limits.requestTimeout.wholeMilliseconds
        let queueTimeLimit =
            site.timeouts.requestQueue ?? site.limits.connectionTimeout ?? configuration.daemon.timeouts.requestQueue
        forwarding.queueTimeLimitMilliseconds = queueTimeLimit.milliseconds ?? 0
        forwarding.disableStartUpErrorPage = settings.disableStartupErrorPage
        let name = application.path == "/" ? site.name : site.name + application.path
        var known = Known(
            name: name, site: site.name, pool: pool.name, settings: forwarding, rules: nil,
            workers: applications[number]?.workers ?? [], isManaged: true, root: Self.root(of: application, settings))
        known.offlinePage = followRoot(known.root, number)
        let wasOffline = applications[number]?.offlinePage != nil
        // After everything else that loops are told about it here.
        defer { tellOffline(number, wasOffline: wasOffline) }
        switch settings.worker {
        case .external(let address):
            known.isManaged = false
            known.settings.isManaged = false
            if applications[number]?.isManaged == true { service.remove(application: ApplicationID(rawValue: number)) }
            applications[number] = known
            publish(settings: known.settings, number)
            publishExternal(address, number, name)
        case .command(let command):
            let identity: WorkerIdentity?
            do throws(IdentityError) {
                identity = try WorkerIdentities.identity(
                    user: command.user ?? pool.user ?? configuration.daemon.user, group: command.group ?? pool.group)
            } catch {
                applications[number] = known
                publish(settings: known.settings, number)
                DaemonLog.error("\(command.location): \(error.text); the application \(name) is not started")
                server.post { Forwarder.startFailedMessage(application: number, reason: error.text) }
                return
            }
            let poolID = poolID(pool.name)
            service.configure(pool: rules(of: pool, poolID))
            let rules = rules(of: application, command, pool, poolID, site, number, name, identity)
            known.rules = rules
            known.logFile = command.stdoutLogFile
            let wasExternal = applications[number]?.isManaged == false
            if wasExternal { known.workers = [] }
            applications[number] = known
            publish(settings: known.settings, number)
            // Loops must not go on with the address it had before.
            if wasExternal { server.post { Forwarder.workersMessage(application: number, []) } }
            service.configure(application: rules, isOffline: known.offlinePage != nil)
        }
    }

    private static func root(of application: Application, _ settings: OutOfProcessSettings) -> String? {
        if let root = application.root { return root }
        if case .command(let command) = settings.worker { return command.workingDirectory }
        return nil
    }

    /// A configuration was applied: loops may have been told about workers, which ends a page.
    private func tellOffline(_ number: UInt32, wasOffline: Bool) {
        takeEvents()
        if let page = applications[number]?.offlinePage {
            server.post { Forwarder.offlineMessage(application: number, page: page) }
        } else if wasOffline, let workers = applications[number]?.workers {
            server.post { Forwarder.workersMessage(application: number, workers) }
        }
    }

    private func publish(settings: ForwardingSettings, _ number: UInt32) {
        server.post { Forwarder.settingsMessage(application: number, settings) }
    }

    private func publishExternal(_ address: WorkerAddress, _ number: UInt32, _ name: String) {
        let endpoint: cberth_endpoint?
        switch address {
        case .unixSocket(let path): endpoint = ListeningEndpoint.unix(path)
        case .tcp(let address, let port): endpoint = ListeningEndpoint.tcp(address, port)
        }
        guard let endpoint else {
            server.post {
                Forwarder.startFailedMessage(
                    application: number,
                    reason: "\(name): the path of \(address) is longer than a Unix socket address holds")
            }
            return
        }
        // Another address is another worker; the same one keeps its connections over a reload.
        let hash = UInt64(bitPattern: Int64("\(address)".hashValue)) & 0xffff_ffff
        let worker = ReadyWorker(id: 1 << 62 | UInt64(number) << 32 | hash, endpoint: endpoint, pairingToken: "")
        applications[number]?.workers = [worker]
        server.post { Forwarder.workersMessage(application: number, [worker]) }
    }

    private func poolID(_ name: String) -> PoolID {
        if let id = pools[name] { return id }
        let id = PoolID(rawValue: UInt32(pools.count + 1))
        pools[name] = id
        return id
    }

    private func rules(of pool: ApplicationPoolSettings, _ id: PoolID) -> PoolRules {
        var rules = PoolRules(id: id, name: pool.name)
        rules.autoStart = pool.autoStart && !server.stoppedPools.contains(pool.name)
        rules.alwaysRunning = pool.startMode == .alwaysRunning
        rules.idleTimeout = (pool.idleTimeout.milliseconds ?? 0) / 1000
        rules.rapidFailProtection = pool.rapidFail.enabled
        rules.rapidFailCrashes = pool.rapidFail.crashes
        rules.rapidFailWindow = pool.rapidFail.window.wholeMilliseconds / 1000
        rules.recycling.timeLimit = (pool.recycling.time.milliseconds ?? 0) / 1000
        rules.recycling.requestLimit = UInt64(pool.recycling.requests ?? 0)
        rules.recycling.privateMemoryLimit = UInt64(pool.recycling.privateMemory ?? 0)
        rules.recycling.schedule = pool.recycling.schedule
        rules.disallowOverlappingRotation = pool.recycling.disallowOverlappingRotation
        rules.disallowRotationOnConfigChange = pool.recycling.disallowRotationOnConfigChange
        return rules
    }

    private func rules(
        of application: Application, _ command: WorkerCommand, _ pool: ApplicationPoolSettings, _ poolID: PoolID,
        _ site: Site,
        _ number: UInt32, _ name: String, _ identity: WorkerIdentity?
    ) -> ApplicationRules {
        let environment = (pool.environment + command.environment).map { EnvironmentEntry($0.name, $0.value) }
        let program = WorkerProgram(
            executable: command.executable, arguments: command.arguments, environment: environment,
            workingDirectory: command.workingDirectory, identity: identity)
        let endpoint: EndpointChoice =
            switch command.endpoint {
            case .port: .port(fixed: nil)
            case .fixedPort(let port): .port(fixed: port)
            case .inherited: .inherited
            case .unixSocket: .unixSocket
            }
        var place = WorkerPlace()
        place.virtualPath = application.path
        place.physicalPath = application.root ?? command.workingDirectory
        place.siteName = site.name
        place.siteNumber = site.id
        place.poolName = pool.name
        place.configurationFile = site.location.file
        let modules = GenerationBuilder.entries(of: site, at: application.path)
        place.basicAuthentication = modules.contains { $0.source == .builtIn(.basicAuthentication) }
        place.anonymousAuthentication = modules.contains { $0.source == .builtIn(.anonymousAuthentication) }
        var rules = ApplicationRules(
            id: ApplicationID(rawValue: number), name: name, pool: poolID, program: program, endpoint: endpoint,
            place: place)
        rules.processes = pool.processesMax ?? application.limits.processes
        rules.startupTimeLimit = (pool.startupTimeLimit ?? application.limits.startupTimeLimit).wholeMilliseconds / 1000
        rules.shutdownTimeLimit =
            (pool.shutdownTimeLimit ?? application.limits.shutdownTimeLimit).wholeMilliseconds / 1000
        rules.rapidFailsPerMinute = application.limits.rapidFailsPerMinute
        return rules
    }

    // MARK: What loops report

    /// Requests of an application wait for a worker.
    func workerWanted(_ number: UInt32) {
        guard let known = applications[number] else {
            server.post {
                Forwarder.startFailedMessage(application: number, reason: "The application is not configured any more.")
            }
            return
        }
        if let page = known.offlinePage {
            server.post { Forwarder.offlineMessage(application: number, page: page) }
            return
        }
        if !known.workers.isEmpty {
            // What the loop asks for is there already, or is somebody else's to bring back.
            server.post { Forwarder.workersMessage(application: number, known.workers) }
            return
        }
        if known.rules == nil {
            server.post {
                Forwarder.startFailedMessage(
                    application: number, reason: "\(known.name): the application cannot be started.")
            }
            return
        }
        if let id = pools[known.pool], service.state(of: id) != .started {
            // It was stopped while the request was on its way to the handler.
            server.post { Forwarder.poolStoppedMessage(application: number) }
            return
        }
        service.demand(ApplicationID(rawValue: number))
        takeEvents()
    }

    /// One loop uses a worker for nothing any longer.
    func workerReleased(_ worker: UInt64) {
        // Of one that has ended, nobody wants to know; an address of somebody else's has a longer number.
        guard worker < 1 << 32, let count = releases[UInt32(worker)] else { return }
        let id = UInt32(worker)
        releases[id] = count + 1
        endDrain(id)
    }

    private func endDrain(_ id: UInt32) {
        // Loops that have ended use nothing any more, and cannot say so.
        let hasEnded = server.stoppedLoops == server.loops.count
        guard draining.contains(id), hasEnded || releases[id, default: 0] >= server.loops.count else { return }
        forgetUse(of: id)
        service.workerDrained(WorkerID(rawValue: id))
        takeEvents()
    }

    private func forgetUse(of worker: UInt32) {
        draining.remove(worker)
        releases[worker] = nil
    }

    /// Every loop has ended: what they used, nobody uses.
    func loopsEnded() {
        for id in draining { endDrain(id) }
    }

    /// A shutdown message was answered, or not.
    func shutdownMessageAnswered(_ worker: UInt32, accepted: Bool) {
        service.shutdownMessageAnswered(WorkerID(rawValue: worker), accepted: accepted)
        takeEvents()
    }

    /// Once a second: reports which applications were used, which idle timeouts go by.
    func tick() {
        for number in applications.keys {
            var served: UInt64 = 0
            var running: UInt64 = 0
            for thread in server.loops {
                let counters = thread.forwarder.counters(of: number)
                served &+= counters.forwarded
                running &+= counters.running
            }
            reportServed(number, served &- (servedBefore[number] ?? 0))
            if served != servedBefore[number] || running > 0 {
                servedBefore[number] = served
                service.used(ApplicationID(rawValue: number), at: server.loop.now, running: running)
            }
        }
        takeEvents()
    }

    /// Requests take an application's workers in turn, so each has served its share of them.
    private func reportServed(_ number: UInt32, _ count: UInt64) {
        guard count > 0, let known = applications[number], known.isManaged, !known.workers.isEmpty else { return }
        let share = count / UInt64(known.workers.count)
        let rest = count % UInt64(known.workers.count)
        for (index, worker) in known.workers.enumerated() {
            let requests = share + (index < Int(rest) ? 1 : 0)
            if requests > 0 { service.served(requests, by: WorkerID(rawValue: UInt32(truncatingIfNeeded: worker.id))) }
        }
    }

    // MARK: What activation decided

    /// Does what activation wants done outside of it.
    func takeEvents() {
        while true {
            let events = service.takeEvents()
            if events.isEmpty { return }
            for event in events { handle(event) }
        }
    }

    private func handle(_ event: ActivationEvent) {
        switch event {
        case .publish(let id, generation: _, let endpoints):
            // The last word about workers of an application that has an address of its own by now.
            if applications[id.rawValue]?.isManaged == false { break }
            let workers = endpoints.compactMap { ready -> ReadyWorker? in
                guard let endpoint = ready.endpoint.systemEndpoint else { return nil }
                return ReadyWorker(
                    id: UInt64(ready.worker?.rawValue ?? 0), endpoint: endpoint, pairingToken: ready.token?.text ?? "")
            }
            applications[id.rawValue]?.workers = workers
            // It would end the page; who is there now is told when that is over.
            if applications[id.rawValue]?.offlinePage != nil { break }
            server.post { Forwarder.workersMessage(application: id.rawValue, workers) }
        case .failed(let id, let failure):
            DaemonLog.error(failure.report)
            server.note(.workerStartFailed, subject: failure.application, failure.reason)
            server.post {
                Forwarder.startFailedMessage(
                    application: id.rawValue,
                    reason: "\(failure.reason)\n\(failure.lastLines.suffix(5).joined(separator: "\n"))")
            }
        case .poolState(let id, let state): poolChanged(id, state)
        case .drain(let worker, _):
            draining.insert(worker.rawValue)
            endDrain(worker.rawValue)
        case .sendShutdownMessage(let worker, let id, let ready):
            let path = applications[id.rawValue]?.rules?.place.virtualPath ?? "/"
            let sent = ShutdownMessage.send(
                to: ready, path: path, worker: worker.rawValue, timeLimit: limit(of: id), pool: server.blockingPool,
                mailbox: server.loop.mailbox)
            if !sent { service.shutdownMessageAnswered(worker, accepted: false) }
        case .workerStarted(let worker):
            if let prefix = applications[worker.application.rawValue]?.logFile, let pid = worker.pid {
                logFiles.open(prefix: prefix, pid: pid, startedWall: worker.startedWall)
            }
            DaemonLog.info("\(name(worker)): started pid \(worker.pid ?? 0): \(worker.command.joined(separator: " "))")
        case .workerReady(let worker):
            releases[worker.id.rawValue] = 0
            DaemonLog.info(
                "\(name(worker)): pid \(worker.pid ?? 0) is ready at \(worker.endpoint.map { "\($0)" } ?? "?")")
            server.note(
                .workerStarted, subject: name(worker), pid: worker.pid,
                "ready at \(worker.endpoint.map { "\($0)" } ?? "?")")
        case .workerStopped(let worker, let reason, let exit, let killed):
            forgetUse(of: worker.id.rawValue)
            if let pid = worker.pid { logFiles.close(pid: pid) }
            DaemonLog.info(
                "\(name(worker)): pid \(worker.pid ?? 0) stopped (\(reason)) with \(exit)"
                    + (killed ? "; it did not end within its shutdown time limit and was killed" : ""))
            server.note(.workerStopped, subject: name(worker), pid: worker.pid, "\(reason), with \(exit)")
        case .workerCrashed(let worker, let exit, let lastLines):
            forgetUse(of: worker.id.rawValue)
            if let pid = worker.pid { logFiles.close(pid: pid) }
            let lines = lastLines.isEmpty ? "" : "\n" + lastLines.map { "  " + $0 }.joined(separator: "\n")
            DaemonLog.warning(
                "\(name(worker)): pid \(worker.pid ?? 0) ended unasked with \(exit); the next request starts another\(lines)"
            )
            server.note(.workerCrashed, subject: name(worker), pid: worker.pid, "the worker ended with \(exit)")
            let id = worker.id.rawValue
            let number = worker.application.rawValue
            server.post { Forwarder.workerGoneMessage(application: number, worker: UInt64(id)) }
        case .recycleFailed(let id, let reason, let failure):
            DaemonLog.error(
                "\(applications[id.rawValue]?.name ?? "?"): recycling (\(reason)) failed, the old workers serve on: \(failure.reason)"
            )
        case .output(let id, let line):
            logFiles.write(line)
            DaemonLog.info("\(applications[id.rawValue]?.name ?? "?")[\(line.pid)]: \(line.text)")
        case .removed: break
        case .allStopped: hasStopped = true
        }
    }

    private func poolChanged(_ id: PoolID, _ state: PoolState) {
        guard let name = pools.first(where: { $0.value == id })?.key, let queue = server.registry.queue(named: name)
        else { return }
        switch state {
        case .started: queue.state = .started
        case .stopping(let cause), .stopped(let cause):
            queue.state = cause == .rapidFail ? .appOffline : .disabled
            for (number, known) in applications where known.pool == name && known.isManaged {
                server.post { Forwarder.poolStoppedMessage(application: number) }
            }
            if case .stopped(.rapidFail) = state {
                DaemonLog.error(
                    "pool \(name): too many crashes, rapid-fail protection has stopped it; its requests are answered 503 until "
                        + "it is started: berthctl start --pool \(name)")
                server.note(.poolStopped, subject: name, "rapid-fail protection")
            }
        }
    }

    private func name(_ worker: WorkerSummary) -> String { applications[worker.application.rawValue]?.name ?? "?" }

    private func limit(of id: ApplicationID) -> UInt64 { applications[id.rawValue]?.rules?.shutdownTimeLimit ?? 10 }

    // MARK: What an administrator asks

    /// Pools with workers, by name.
    func id(ofPool name: String) -> PoolID? { pools[name] }

    /// Numbers and names of the applications of a site.
    func applications(of site: String) -> [(number: UInt32, name: String)] {
        applications.filter { $0.value.site == site }.map { ($0.key, $0.value.name) }.sorted { $0.1 < $1.1 }
    }

    func name(of application: ApplicationID) -> String { applications[application.rawValue]?.name ?? "" }
}
