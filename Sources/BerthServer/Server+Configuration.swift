import BerthConfiguration
import BerthHosting
import BerthEventLoop
import BerthListener
import BerthPipeline
import CBerthSystem
import Glibc

/// Reading the configuration again, and putting it in force without disturbing what has not changed.
extension Server {
    /// Reads the files again. A broken file costs only its own site, and where an earlier generation of that was served, it
    /// keeps being served and is called stale.
    func reload() {
        guard case .files(let loader) = options.source else { return }
        _ = cberth_notify("RELOADING=1\nMONOTONIC_USEC=\(loop.now.nanoseconds / 1000)")
        var next = load(loader)
        let served = Dictionary(sites.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let good = Set(next.sites.map(\.name))
        staleSites = []
        var all = next.sites
        var taken = Set(next.sites.flatMap(\.bindings).map(\.key))
        for rejected in next.rejected where !good.contains(rejected.name) {
            guard let old = served[rejected.name], !old.bindings.contains(where: { taken.contains($0.key) }) else {
                continue
            }
            all.append(old)
            taken.formUnion(old.bindings.map(\.key))
            staleSites.insert(old.name)
            // It runs on as it did, and so do its pools.
            for name in Set(old.applications.map(\.pool)) where next.pool(named: name) == nil {
                if let pool = configuration.pool(named: name) { next.pools.append(pool) }
            }
        }
        next.pools.sort { $0.name < $1.name }
        configuration = next
        configuredAt = system.pointee.wall_nanoseconds(system)
        sites = all
        // A pool that is new has its queue before activation says how the pool is.
        for pool in next.pools { _ = registry.queue(of: pool) }
        reportDiagnostics(next)
        modules.forgetFailures()
        activation?.apply(sites, next)
        openEndpoints()
        note(.reloaded, statusLine)
        for rejected in next.rejected {
            let first = rejected.diagnostics.first { $0.severity == .error }.map { "\($0.location): \($0.message)" }
            note(
                .configurationRejected, subject: rejected.name,
                "\(staleSites.contains(rejected.name) ? "an earlier configuration serves" : "not served"); \(first ?? "")"
            )
        }
        install()
        saveState()
        notifyReady()
        DaemonLog.notice("configuration \(generationNumber) is in force: \(statusLine)")
    }

    /// A module was made, or has run out of time: what waits for it goes on.
    func modulesChanged() {
        maker.update()
        if !loops.isEmpty { install() }
        if let deadline = maker.nextDeadline {
            _ = loop.schedule(at: deadline, EventToken(kind: TokenKind.moduleDeadline, index: 0, generation: 1))
        }
    }

    /// Builds a generation of `sites` and hands it to every loop.
    func install() {
        let generation = build()
        generations.append(generation)
        for (thread, part) in zip(loops, generation.parts) {
            thread.loop.mailbox.post(Message.make(kind: LoopMessage.install, a: Message.word(retaining: part)))
        }
    }

    /// - Parameter discarding: the result is not put in force; used to begin making modules.
    @discardableResult
    func build(discarding: Bool = false) -> Generation {
        if !discarding { generationNumber += 1 }
        modules.beginBuild()
        var builder = GenerationBuilder(
            number: generationNumber, loops: loopCount, registry: registry, modules: modules,
            forwarding: { [self] in forwardingEntry($0, $1, loop: $2, module: $3) })
        for site in sites {
            builder.add(
                site, pools: { [configuration] in configuration.pool(named: $0) ?? ApplicationPoolSettings(name: $0) },
                portKey: { [self] in portKey(of: $0) })
        }
        modules.endBuild()
        if !discarding {
            for (site, location, failure) in builder.failures
            where !moduleFailures.contains(where: { $0.site == site && $0.failure == failure }) {
                DaemonLog.error("\(location): \(failure.text); its requests are answered 500.\(failure.kind.rawValue)")
                note(.moduleFailed, subject: site, failure.text)
            }
            moduleFailures = builder.failures
            let fresh = sites.filter { !staleSites.contains($0.name) || siteGenerations[$0.name] == nil }
            let kept = siteGenerations.filter { staleSites.contains($0.key) }
            siteGenerations = kept.merging(fresh.map { ($0.name, generationNumber) }) { old, _ in old }
        }
        return builder.finish(portKeys: endpoints.endpoints.map { $0?.portKey })
    }

    func portKey(of binding: Binding) -> UInt32 {
        switch binding.endpoint {
        case .port(let port): UInt32(port)
        case .unixSocket(let path): endpoints.key(ofUnixSocket: path)
        }
    }

    /// Opens what the sites need and closes what none needs any more.
    func openEndpoints() {
        let wanted = endpoints.needs(of: sites, listenAddresses: configuration.daemon.listener.listenAddresses)
        let change = endpoints.apply(wanted)
        endpointFailures = change.failures
        for failure in change.failures {
            let names = sites.filter { site in site.bindings.contains { portKey(of: $0) == failure.portKey } }.map(
                \.name)
            DaemonLog.error(
                "cannot listen on \(failure.name): \(failure.error.reason)\(Self.advice(failure.error.code)); needed by "
                    + names.joined(separator: ", "))
            note(.endpointFailed, "\(failure.name): \(failure.error.reason)")
        }
        for number in change.added {
            guard let endpoint = endpoints.endpoints[number] else { continue }
            let addition = EndpointAddition(number: number, endpoint: endpoint)
            post { Message.make(kind: LoopMessage.addEndpoint, a: Message.word(retaining: addition)) }
        }
        for (number, descriptor) in change.removed {
            post { Message.make(kind: LoopMessage.removeEndpoint, a: UInt64(number)) }
            closingDescriptors.append((generationNumber + 1, descriptor))
        }
    }

    static func advice(_ code: Int32) -> String {
        switch code {
        case EADDRINUSE: " (another program has it: see `ss -ltnp`)"
        case EACCES: " (ports below 1024 need the socket unit, CAP_NET_BIND_SERVICE, or root)"
        case EADDRNOTAVAIL: " (no interface of this machine has that address)"
        default: ""
        }
    }

    func reportDiagnostics(_ snapshot: ConfigurationSnapshot) {
        for diagnostic in snapshot.diagnostics {
            switch diagnostic.severity {
            case .error: DaemonLog.error(diagnostic.rendered())
            case .warning: DaemonLog.warning(diagnostic.rendered())
            }
        }
        for site in snapshot.rejected {
            let fate = staleSites.contains(site.name) ? "its last good configuration keeps serving" : "it is not served"
            DaemonLog.error("site \(site.name) has errors, \(fate); the other sites are not affected")
        }
    }

    // MARK: The error log

    /// Opens the HTTPERR log, or goes on without it.
    func openErrorLog() {
        let settings = configuration.daemon.errorLog
        guard settings.enabled else { return }
        let directory = settings.directory ?? configuration.daemon.logDirectory + "/HTTPERR"
        makeDirectories(directory)
        let path = directory + "/httperr1.log"
        let fd = system.pointee.open_append(system, path, 0o640)
        if fd < 0 {
            DaemonLog.warning(
                "the error log \(path) cannot be opened: \(SystemError("open", -fd).reason); going on without it")
            return
        }
        errorLogDescriptor = fd
        var status = cberth_file_status()
        if system.pointee.file_status(system, fd, &status) == 0, status.size == 0 {
            var header = ErrorLog.header
            _ = header.withUTF8 {
                system.pointee.write_some(system, fd, $0.baseAddress ?? UnsafePointer(bitPattern: 1)!, $0.count)
            }
        }
    }

    func makeDirectories(_ path: String) {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/" + part
            _ = system.pointee.make_directory(system, made, 0o750)  // that it exists is no error, and what else is wrong shows at open
        }
    }

    func forwardingEntry(_ application: Application, _ site: Site, loop: Int, module: UInt32) -> ChainEntry {
        ForwardingHandler.entry(
            loops[loop].forwarder, application: registry.number(ofApplication: application.path, site: site.name),
            module: module)
    }
}
