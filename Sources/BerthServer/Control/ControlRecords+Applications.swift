import BerthActivation
import BerthConfiguration
import BerthControl
import BerthListener
import BerthPipeline
import CBerthModule
import Glibc

/// Applications, pools, workers, modules and logs.
extension ControlRecords {
    var applications: [ApplicationRecord] {
        server.sites.flatMap { site in site.applications.map { record($0, of: site) } }
    }

    /// `shop/`, `shop/api`: an application as it is named everywhere.
    static func name(_ application: Application, of site: Site) -> String { site.name + application.path }

    func record(_ application: Application, of site: Site) -> ApplicationRecord {
        var record = ApplicationRecord(
            site: site.name, path: application.path, hosting: .staticFiles, root: application.root)
        switch application.hosting {
        case .staticFiles: break
        case .inProcess(let settings):
            (record.hosting, record.pool, record.target) = (.inProcess, application.pool, settings.module)
            record.isolation = settings.isolation.rawValue
        case .outOfProcess(let settings):
            (record.hosting, record.pool) = (.outOfProcess, application.pool)
            switch settings.worker {
            case .command(let command):
                record.target = ([command.executable] + command.arguments).joined(separator: " ")
            case .external(let address): record.target = "\(address)"
            }
        }
        record.failure = failure(of: application, site)
        if server.activation?.isOffline(id(application, site)) == true { record.availability = .offline }
        if record.failure != nil { record.availability = .failing }
        return record
    }

    /// What its requests are answered with, where that is no answer of its own.
    private func failure(of application: Application, _ site: Site) -> FailureRecord? {
        if let failed = server.moduleFailures.first(where: {
            $0.site == site.name && $0.location == application.location
        }) {
            return FailureRecord(status: "500.\(failed.failure.kind.rawValue)", message: failed.failure.text)
        }
        if let queue = server.registry.queue(named: application.pool), !queue.isStarted {
            return FailureRecord(
                status: "503", message: "its pool \(application.pool) is stopped",
                hint: "berthctl start \(application.pool)")
        }
        guard application.hostingModel == .outOfProcess else { return nil }
        return server.activation?.service.lastFailure(of: id(application, site)).map { failure in
            FailureRecord(
                status: "502.5", message: failure.reason, hint: "berthctl logs \(site.name) shows its last words")
        }
    }

    private func id(_ application: Application, _ site: Site) -> ApplicationID {
        ApplicationID(rawValue: server.registry.number(ofApplication: application.path, site: site.name))
    }

    // MARK: Pools

    /// The pools that applications run in, and those that are described and not used.
    var pools: [PoolRecord] {
        var members: [String: [(Site, Application)]] = [:]
        for site in server.sites {
            for application in site.applications { members[application.pool, default: []].append((site, application)) }
        }
        return server.configuration.pools.compactMap { pool in
            let members = members[pool.name] ?? []
            // Static files have no pool to speak of, but for one that was stopped.
            let isUsed = members.isEmpty || members.contains { $0.1.hostingModel != .staticFiles }
            guard isUsed || state(ofPool: pool.name).state != .started else { return nil }
            return record(pool, members)
        }
    }

    func state(ofPool name: String) -> (state: RunState, cause: PoolRecord.StopCause?) {
        if let id = server.activation?.id(ofPool: name), let state = server.activation?.service.state(of: id) {
            switch state {
            case .started: break
            case .stopping(let cause):
                return (.stopping, Self.cause(cause, isRemembered: server.stoppedPools.contains(name)))
            case .stopped(let cause):
                return (.stopped, Self.cause(cause, isRemembered: server.stoppedPools.contains(name)))
            }
        }
        switch server.registry.queue(named: name)?.state {
        case .started, nil: return (.started, nil)
        case .appOffline: return (.stopped, .rapidFail)
        case .disabled, .appShutdown, .unavailable:
            return (.stopped, server.stoppedPools.contains(name) ? .administrator : .configuration)
        }
    }

    /// A pool that was stopped before a restart begins stopped, for the reason it had.
    private static func cause(_ cause: PoolStopCause, isRemembered: Bool) -> PoolRecord.StopCause {
        switch cause {
        case .administrator: .administrator
        case .rapidFail: .rapidFail
        case .configuration: isRemembered ? .administrator : .configuration
        }
    }

    private func record(_ pool: ApplicationPoolSettings, _ members: [(Site, Application)]) -> PoolRecord {
        let queue = server.registry.queue(named: pool.name)
        let (state, cause) = state(ofPool: pool.name)
        let service = server.activation?.service
        let ids = members.filter { $0.1.hostingModel == .outOfProcess }.map { id($0.1, $0.0) }
        let poolID = server.activation?.id(ofPool: pool.name)
        var record = PoolRecord(
            name: pool.name, state: state, stopCause: cause,
            applications: members.map { Self.name($0.1, of: $0.0) }.sorted(),
            workers: service?.workers.filter { $0.pool == poolID }.compactMap(\.pid) ?? [],
            workersMax: pool.processesMax ?? members.map(\.1.limits.processes).max() ?? 1,
            requestsQueued: queue?.waiting ?? 0, requestsQueuedMax: queue?.lengthMax ?? UInt64(pool.queueLength))
        for id in ids {
            guard let counters = service?.counters(of: id) else { continue }
            record.crashes += counters.crashes
            record.recycles += counters.recycles
        }
        if pool.rapidFail.enabled, let poolID {
            record.rapidFail = .init(
                crashes: service?.crashCount(of: poolID) ?? 0, crashesMax: pool.rapidFail.crashes,
                windowSeconds: pool.rapidFail.window.wholeMilliseconds / 1000)
        }
        if let failure = ids.lazy.compactMap({ service?.lastFailure(of: $0) }).first {
            record.failure = FailureRecord(status: "502.5", message: failure.reason)
        }
        return record
    }

    // MARK: Workers

    var workers: [WorkerRecord] {
        var names: [UInt32: (site: Site, application: Application)] = [:]
        var external: [WorkerRecord] = []
        for site in server.sites {
            for application in site.applications {
                guard case .outOfProcess(let settings) = application.hosting else { continue }
                names[id(application, site).rawValue] = (site, application)
                guard case .external(let address) = settings.worker else { continue }
                let counters = server.loops.map { $0.forwarder.counters(of: id(application, site).rawValue) }
                external.append(
                    WorkerRecord(
                        pid: nil, pool: application.pool, applications: [Self.name(application, of: site)],
                        state: .running,
                        startedAt: Timestamp(nanoseconds: server.configuredAt), endpoint: "\(address)",
                        requestsRunning: counters.reduce(0) { $0 &+ $1.running },
                        requestsServed: counters.reduce(0) { $0 &+ $1.forwarded }))
            }
        }
        let summaries = server.activation?.service.workers ?? []
        return summaries.map { summary in
            let owner = names[summary.application.rawValue]
            // Loops count for an application, so only its one worker's share is known.
            let isOnly = summaries.count { $0.application == summary.application } == 1
            return WorkerRecord(
                pid: summary.pid, pool: owner?.application.pool ?? "",
                applications: owner.map { [Self.name($0.application, of: $0.site)] } ?? [],
                state: Self.state(summary.state),
                startedAt: Timestamp(nanoseconds: summary.startedWall), endpoint: summary.endpoint.map { "\($0)" },
                command: summary.command, user: Self.userName(summary.user ?? geteuid()),
                requestsRunning: isOnly ? owner.map { running($0.application, of: $0.site) } ?? 0 : 0,
                requestsServed: summary.requestsServed, memoryBytes: summary.pid.flatMap { memory(of: $0) })
        } + external
    }

    private static func state(_ state: WorkerState) -> WorkerRecord.State {
        switch state {
        case .starting: .starting
        case .running: .running
        case .stopping, .ended: .stopping
        }
    }

    private static func userName(_ user: uid_t) -> String {
        guard let entry = getpwuid(user), let name = entry.pointee.pw_name else { return String(user) }
        return String(cString: name)
    }

    // MARK: Modules

    var modules: [ModuleRecord] {
        var records: [ModuleRecord] = []
        var indices: [String: Int] = [:]
        let instances = server.generations.last?.instances ?? []
        func add(_ record: ModuleRecord, usedBy user: String) {
            let key = "\(record.kind.rawValue) \(record.file ?? record.name)"
            let index = indices[key] ?? records.count
            if index == records.count { records.append(record) }
            indices[key] = index
            if !records[index].usedBy.contains(user) { records[index].usedBy.append(user) }
            if records[index].failure == nil { records[index].failure = record.failure }
        }
        func failure(_ site: Site, _ location: SourceLocation) -> FailureRecord? {
            server.moduleFailures.first { $0.site == site.name && $0.location == location }.map {
                FailureRecord(status: "500.\($0.failure.kind.rawValue)", message: $0.failure.text)
            }
        }
        for site in server.sites {
            for entry in site.modules where entry.enabled {
                var record = ModuleRecord(name: entry.name, kind: .native, abiVersion: BERTH_ABI_VERSION)
                if case .library(let file) = entry.source {
                    record.file = file
                    record.isOutdated = server.modules.isOutdated(file)
                }
                record.failure = failure(site, entry.location)
                let stages = instances.first { $0.name == entry.name || $0.name == record.file }
                record.stages = PipelineStage.allCases.filter { stages?.takesPart(in: $0) ?? false }.map { "\($0)" }
                add(record, usedBy: site.name)
            }
            for application in site.applications {
                guard case .inProcess(let settings) = application.hosting else { continue }
                var record = ModuleRecord(
                    name: settings.module.split(separator: "/").last.map { String($0) } ?? settings.module,
                    kind: .handler,
                    file: settings.module, abiVersion: BERTH_ABI_VERSION, stages: ["executeRequestHandler"],
                    isOutdated: server.modules.isOutdated(settings.module))
                record.failure = failure(site, application.location)
                add(record, usedBy: Self.name(application, of: site))
            }
        }
        return records
    }

    // MARK: Logs

    /// What the workers of a site wrote, oldest first; nil: there is no such site.
    func output(of site: String) -> [OutputLine]? {
        guard let site = server.sites.first(where: { $0.name == site }) else { return nil }
        let lines = site.applications.flatMap { server.activation?.service.output(of: id($0, site)) ?? [] }
        return lines.sorted { $0.wallNanoseconds < $1.wallNanoseconds }
    }

    static func text(of lines: some Sequence<OutputLine>) -> [UInt8] {
        var octets: [UInt8] = []
        for line in lines {
            let stream: LogRecord.Stream =
                switch line.stream {
                case .standardOutput: .out
                case .standardError: .err
                }
            let record = LogRecord(
                time: Timestamp(nanoseconds: line.wallNanoseconds), pid: line.pid, stream: stream, text: line.text)
            octets += Array(record.line.utf8) + [UInt8(ascii: "\n")]
        }
        return octets
    }
}
