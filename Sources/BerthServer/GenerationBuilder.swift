import BerthConfiguration
import BerthHosting
import BerthListener
import BerthPipeline
import CBerthSystem

/// Translates the sites of a configuration into prefixes, chains and handlers for every loop.
///
/// Each binding gets an entry for every path at which something changes, an application or the set of modules, so that one
/// look-up finds both, and the chain that runs is a flat array without conditions. Control thread only.
struct GenerationBuilder {
    let number: UInt64
    let loops: Int
    let registry: Registry
    let modules: ModuleStore
    /// Makes the entry of an out-of-process application on one loop.
    let forwarding: (_ application: Application, _ site: Site, _ loop: Int, _ module: UInt32) -> ChainEntry

    private var prefixes: [(prefix: URLPrefix, target: Int)] = []
    private var targets: [[RouteTarget]]
    private var chains: [[UnsafeMutablePointer<ModuleChain>]]
    private var ticks: [[ModuleTick]]
    private var instances: [ObjectIdentifier: ModuleInstance] = [:]
    /// Modules that cannot serve, with where they are configured.
    private(set) var failures: [(site: String, location: SourceLocation, failure: ModuleFailure)] = []

    init(
        number: UInt64, loops: Int, registry: Registry, modules: ModuleStore,
        forwarding: @escaping (Application, Site, Int, UInt32) -> ChainEntry
    ) {
        (self.number, self.loops, self.registry, self.modules, self.forwarding) = (
            number, loops, registry, modules, forwarding
        )
        targets = Array(repeating: [], count: loops)
        chains = Array(repeating: [], count: loops)
        ticks = Array(repeating: [], count: loops)
    }

    /// - Parameter portKey: what the routing table knows a binding's endpoint by.
    mutating func add(_ site: Site, pools: (String) -> ApplicationPoolSettings, portKey: (Binding) -> UInt32) {
        let counters = registry.counters(of: site)
        var targetByPath: [String: Int] = [:]
        let paths = Set(site.applications.map(\.path) + site.modules.flatMap(\.paths)).map(Self.withSlash)
        for binding in site.bindings {
            let base = binding.path.lowercased()
            let below = paths.filter { $0.lowercased().hasPrefix(base) && $0.lowercased() != base }
            for path in [binding.path] + below {
                let key = path.lowercased()
                let target: Int
                if let known = targetByPath[key] {
                    target = known
                } else {
                    target = addTarget(site, path: path, counters: counters, pools: pools)
                    targetByPath[key] = target
                }
                prefixes.append((Self.prefix(binding, path: path, portKey: portKey(binding)), target))
            }
        }
    }

    /// Keeps prefixes from whoever would answer there otherwise. After every site: of two equal prefixes the first holds.
    mutating func reserve(_ bindings: [Binding], portKey: (Binding) -> UInt32) {
        if bindings.isEmpty { return }
        let index = targets[0].count
        let target = RouteTarget(
            site: registry.reserved.site, queue: registry.reserved.queue, chain: nil, siteID: 0,
            applicationPathLength: 0)
        for loop in 0..<loops { targets[loop].append(target) }
        for binding in bindings {
            prefixes.append((Self.prefix(binding, path: binding.path, portKey: portKey(binding)), index))
        }
    }

    /// - Parameter portKeys: by endpoint number.
    func finish(portKeys: [UInt32?]) -> Generation {
        let table = RoutingTable(prefixes)
        let ports = portKeys.map { key in key.flatMap { table.indexOfPort($0) }.map { Int32($0) } ?? -1 }
        let parts = (0..<loops).map { loop in
            LoopGeneration(
                number: number,
                snapshot: ListenerSnapshot.make(generation: number, table: table, targets: targets[loop], ports: ports),
                chains: chains[loop], ticks: ticks[loop])
        }
        return Generation(number: number, parts: parts, instances: Array(instances.values))
    }

    // MARK: One target

    private mutating func addTarget(
        _ site: Site, path: String, counters: SiteCounters, pools: (String) -> ApplicationPoolSettings
    ) -> Int {
        let index = targets[0].count
        let application = Self.application(of: site, at: path)
        let queue = registry.queue(of: pools(application?.pool ?? site.name))
        for loop in 0..<loops {
            let names = Self.entries(of: site, at: path).prefix(ModuleChain.modulesMax - 1).map(\.name)
            let chain = ModuleChain.make(
                stages(site, application, path: path, loop: loop), siteName: site.name,
                moduleNames: names + [application.map(Self.handlerName) ?? ""])
            chains[loop].append(chain)
            let applicationPath = application?.path ?? "/"
            targets[loop].append(
                RouteTarget(
                    site: counters, queue: queue, chain: chain, siteID: site.id,
                    applicationPathLength: applicationPath == "/" ? 0 : UInt32(applicationPath.utf8.count)))
        }
        return index
    }

    private mutating func stages(
        _ site: Site, _ application: Application?, path: String, loop: Int
    ) -> [PipelineStage: [ChainEntry]] {
        var stages: [PipelineStage: [ChainEntry]] = [:]
        var count: UInt32 = 0
        for entry in Self.entries(of: site, at: path) {
            if Int(count) == ModuleChain.modulesMax - 1 {
                // The last place is the handler's. Without the rest of its modules the path must not be served.
                let failure = ModuleFailure(
                    .initialisationFailed,
                    "more than \(ModuleChain.modulesMax - 1) modules run at \(path); take some away, or give them paths"
                )
                note(failure, site, entry.location, loop)
                stages[.beginRequest, default: []].append(failing(failure, count))
                break
            }
            let configuration = configuration(of: entry, site, application)
            switch modules.module(entry.source, configuration, limit: Self.chainModuleLimit) {
            case .ready(let instance):
                keep(instance)
                for stage in PipelineStage.allCases {
                    if let entry = instance.entry(at: stage, loop: loop, module: count) {
                        stages[stage, default: []].append(entry)
                    }
                }
                addTick(instance, loop)
            case .pending:
                // Whatever the module would have refused must not pass because it is not there yet.
                stages[.beginRequest, default: []].append(FixedHandler.parking(module: count))
            case .failed(let failure):
                note(failure, site, entry.location, loop)
                stages[.beginRequest, default: []].append(failing(failure, count))
            }
            count += 1
        }
        stages[.authenticateRequest, default: []].append(FixedHandler.requiringUser(module: count))
        if let application {
            let handler = handler(site, application, loop: loop, module: count)
            stages[.executeRequestHandler, default: []].append(handler.execute)
            if let end = handler.end { stages[.endRequest, default: []].append(end) }
        }
        // The last one: what it counts is over.
        stages[.endRequest, default: []].append(
            registry.tally(of: site.name, loops: loops).entry(loop: loop, module: count))
        return stages
    }

    /// What the handler of an application is called, as the module that has its requests.
    private static func handlerName(_ application: Application) -> String {
        switch application.hosting {
        case .outOfProcess: "out-of-process"
        case .staticFiles: "static-files"
        case .inProcess(let settings): settings.module.split(separator: "/").last.map { String($0) } ?? settings.module
        }
    }

    /// The entries of an application's handler. In its end stage it lets go what it held for the request.
    private mutating func handler(
        _ site: Site, _ application: Application, loop: Int, module: UInt32
    ) -> (execute: ChainEntry, end: ChainEntry?) {
        let state: ModuleStore.State
        switch application.hosting {
        case .outOfProcess: return (forwarding(application, site, loop, module), nil)
        case .inProcess(let settings):
            state = modules.module(
                .library(settings.module),
                ModuleConfiguration(
                    site: site.name, siteID: site.id, applicationPath: application.path, root: application.root ?? "",
                    settings: [
                        .init(name: "configuration", value: settings.configuration, location: "\(application.location)")
                    ]),
                limit: application.limits.startupTimeLimit.wholeMilliseconds / 1000)
        case .staticFiles(let settings): state = modules.staticFiles(configuration(of: settings, site, application))
        }
        switch state {
        case .ready(let instance):
            keep(instance)
            addTick(instance, loop)
            if let execute = instance.entry(at: .executeRequestHandler, loop: loop, module: module) {
                return (execute, instance.entry(at: .endRequest, loop: loop, module: module))
            }
            let failure = ModuleFailure(
                .wrongABI, "\(instance.name) is no handler module: it has no function for the execute stage")
            note(failure, site, application.location, loop)
            return (failing(failure, module), nil)
        case .pending: return (FixedHandler.parking(module: module), nil)
        case .failed(let failure):
            note(failure, site, application.location, loop)
            return (failing(failure, module), nil)
        }
    }

    private func failing(_ failure: ModuleFailure, _ module: UInt32) -> ChainEntry {
        FixedHandler.failing(status: 500, substatus: failure.kind.rawValue, reason: failure.text, module: module)
    }

    private mutating func keep(_ instance: ModuleInstance) { instances[ObjectIdentifier(instance)] = instance }

    private mutating func addTick(_ instance: ModuleInstance, _ loop: Int) {
        let tick = ObjectIdentifier(instance)
        if ticked.insert(TickKey(instance: tick, loop: loop)).inserted, let tick = instance.tick(loop: loop) {
            ticks[loop].append(tick)
        }
    }

    private struct TickKey: Hashable {
        var instance: ObjectIdentifier
        var loop: Int
    }
    private var ticked: Set<TickKey> = []

    private mutating func note(_ failure: ModuleFailure, _ site: Site, _ location: SourceLocation, _ loop: Int) {
        if loop == 0 && !failures.contains(where: { $0.failure == failure && $0.location == location }) {
            failures.append((site.name, location, failure))
        }
    }

    // MARK: What the configuration means

    /// Seconds a loaded module of a chain may take. Source: ANCM `startupTimeLimit`.
    private static let chainModuleLimit: UInt64 = 120

    /// The application that answers at a path: the longest whose path is a whole-segment prefix.
    static func application(of site: Site, at path: String) -> Application? {
        site.applications.filter { covers($0.path, path) }.max { $0.path.utf8.count < $1.path.utf8.count }
    }

    /// The modules that run at a path, in their order. The last entry that names a module decides whether it is there.
    /// Anonymous authentication that nobody asked for gives way to any other authentication.
    static func entries(of site: Site, at path: String) -> [ModuleEntry] {
        var result: [ModuleEntry] = []
        for entry in site.modules where entry.paths.contains(where: { covers($0, path) }) {
            result.removeAll { $0.source == entry.source && (!entry.enabled || entry.isBuiltIn) }
            if entry.enabled { result.append(entry) }
        }
        if result.contains(where: { $0.source == .builtIn(.basicAuthentication) || !$0.isBuiltIn }) {
            result.removeAll { $0.source == .builtIn(.anonymousAuthentication) && $0.isDefault }
        }
        // Whatever the file's order: filtering comes first, then who it is, then whether they may.
        return result.sorted { $0.rank < $1.rank }
    }

    private static func covers(_ prefix: String, _ path: String) -> Bool {
        let prefix = withSlash(prefix).lowercased()
        return prefix == "/" || withSlash(path).lowercased().hasPrefix(prefix)
    }

    private static func withSlash(_ path: String) -> String { path.hasSuffix("/") ? path : path + "/" }

    private static func prefix(_ binding: Binding, path: String, portKey: UInt32) -> URLPrefix {
        let address = binding.boundAddress.map { ListeningEndpoint.address($0) }
        let host: URLPrefix.Host =
            switch binding.host {
            case .strongWildcard: .strongWildcard
            case .name(let name): .name(name, on: address)
            case .subdomains(let name): .subdomains(of: name, on: address)
            case .address(let address): .address(ListeningEndpoint.address(address))
            case .weakWildcard: .weakWildcard
            }
        return URLPrefix(host: host, port: portKey, path: path)
    }

    private func configuration(of entry: ModuleEntry, _ site: Site, _ application: Application?) -> ModuleConfiguration
    {
        var settings = entry.settings.map {
            ModuleConfiguration.Setting(name: $0.name, value: $0.value, location: "\($0.location)")
        }
        if entry.source == .builtIn(.requestFiltering), let limits = application?.requestLimits {
            func override(_ name: String, _ value: Int?) {
                guard let value else { return }
                settings.removeAll { $0.name == name }
                settings.append(.init(name: name, value: String(value), location: "\(application?.location ?? .none)"))
            }
            override("max_content_length", limits.contentLengthMax)
            override("max_url", limits.urlMax)
            override("max_query_string", limits.queryStringMax)
        }
        // A chain module is one for the site, so that all its paths share a log file and a cache.
        return ModuleConfiguration(
            site: site.name, siteID: site.id, applicationPath: "/", root: "", settings: settings)
    }

    private func configuration(
        of files: StaticFilesSettings, _ site: Site, _ application: Application
    ) -> ModuleConfiguration {
        let settings = files.moduleSettings(at: application.location).map {
            ModuleConfiguration.Setting(name: $0.name, value: $0.value, location: "\($0.location)")
        }
        return ModuleConfiguration(
            site: site.name, siteID: site.id, applicationPath: application.path, root: application.root ?? "",
            settings: settings)
    }
}

extension ModuleEntry {
    var isBuiltIn: Bool {
        if case .builtIn = source { return true }
        return false
    }

    /// Where it stands in the chain, before its place in the file.
    fileprivate var rank: Int {
        switch source {
        case .builtIn(.requestFiltering): 0
        // Whoever shows credentials is asked for them before he counts as anonymous.
        case .builtIn(.basicAuthentication): 1
        case .library: 2
        case .builtIn(.anonymousAuthentication): 3
        case .builtIn(.urlAuthorization): 4
        case .builtIn(.requestLogging): 5
        }
    }
}
