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
        if isStopping {
            DaemonLog.notice("the configuration is not read again: the daemon is stopping")
            return
        }
        forgetChanges()
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
        applyLimits()
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
        updateWatch()
        notifyReady()
        DaemonLog.notice("configuration \(generationNumber) is in force: \(statusLine)")
    }

    /// What holds without a restart of the daemon's limits: its timers and the connections of a source.
    private func applyLimits() {
        let change = TimerChange(ListenerTimers(configuration.daemon.timeouts))
        post { Message.make(kind: LoopMessage.timers, a: Message.word(retaining: change)) }
        sources?.limit = configuration.daemon.listener.connectionsPerSourceMax.map { UInt32(clamping: $0) }
        updateErrorLog()
    }

    /// A module was made: what waits for it goes on, at once where it was the last. While others follow, a generation is built
    /// for many of them: one for each would cost the square of their number.
    func moduleMade() {
        maker.update()
        if loops.isEmpty || !modulesTimer.isNone { return }
        if maker.isIdle { return modulesChanged() }
        modulesTimer = loop.schedule(
            at: loop.now.adding(nanoseconds: max(Self.modulesPauseMin, 10 * lastBuildNanoseconds)),
            EventToken(kind: TokenKind.modulesMade, index: 0, generation: 1))
        if modulesTimer.isNone { modulesChanged() }
    }

    /// Modules were made, or one has run out of time: what waits for them goes on.
    func modulesChanged() {
        loop.cancel(modulesTimer)
        modulesTimer = .none
        maker.update()
        if !loops.isEmpty { install() }
    }

    /// Wakes the control thread when the next module that is being made runs out of time.
    private func watchModules() {
        loop.cancel(moduleTimer)
        moduleTimer = .none
        guard let deadline = maker.nextDeadline else { return }
        moduleTimer = loop.schedule(
            at: deadline, EventToken(kind: TokenKind.moduleDeadline, index: 0, generation: 1))
    }

    /// Builds a generation of `sites` and hands it to every loop.
    func install() {
        let generation = build()
        generations.append(generation)
        watchModules()
        for (thread, part) in zip(loops, generation.parts) {
            thread.loop.mailbox.post(Message.make(kind: LoopMessage.install, a: Message.word(retaining: part)))
        }
        addEndpoints()
    }

    /// - Parameter discarding: the result is not put in force; used to begin making modules.
    @discardableResult
    func build(discarding: Bool = false) -> Generation {
        let begun = system.pointee.monotonic_nanoseconds(system)
        defer { lastBuildNanoseconds = system.pointee.monotonic_nanoseconds(system) &- begun }
        if !discarding { generationNumber += 1 }
        modules.beginBuild()
        var builder = GenerationBuilder(
            number: generationNumber, loops: loopCount, registry: registry, modules: modules,
            forwarding: { [self] in forwardingEntry($0, $1, loop: $2, module: $3) })
        let pools = configuration.poolsByName
        for site in sites {
            builder.add(
                site, pools: { pools[$0] ?? ApplicationPoolSettings(name: $0) },
                portKey: { [self] in portKey(of: $0) })
        }
        modules.endBuild()
        builder.reserve(reservations.map(\.binding)) { [self] in portKey(of: $0) }
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

    /// What berth.toml reserves, and the host names of sites whose files have errors: a broken file of a shop must not let
    /// another site answer for it. Wildcards of a broken file would cost others, and are not kept.
    var reservations: [Reservation] {
        configuration.daemon.reservations
            + configuration.rejected.flatMap { site in
                site.bindings.filter { binding in
                    switch binding.host {
                    case .name, .subdomains: true
                    case .strongWildcard, .address, .weakWildcard: false
                    }
                }.map { Reservation(binding: $0, sites: [site.name]) }
            }
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
        for (number, descriptor) in change.removed {
            post { Message.make(kind: LoopMessage.removeEndpoint, a: UInt64(number)) }
            closingDescriptors.append((generationNumber + 1, descriptor))
        }
        endpointsToAdd += change.added
    }

    /// Lets the loops watch what was opened. After they were told what is served there.
    private func addEndpoints() {
        let added = endpointsToAdd
        endpointsToAdd = []
        for number in added {
            guard let endpoint = endpoints.endpoints[number] else { continue }
            let addition = EndpointAddition(number: number, endpoint: endpoint)
            post { Message.make(kind: LoopMessage.addEndpoint, a: Message.word(retaining: addition)) }
        }
    }

    /// Closes what every loop has stopped watching: they take the generation behind the word that it is gone. Waiting for
    /// requests of earlier ones would leave a port that takes connections and serves none.
    func closeEndpoints() {
        let before = closingDescriptors.count
        closingDescriptors.removeAll { closing in
            if closing.generation > installedGeneration { return false }
            _ = system.pointee.close(system, closing.descriptor)
            return true
        }
        // An address beside one that has gone can be had only now: 0.0.0.0 after 127.0.0.1.
        if closingDescriptors.count < before && !endpointFailures.isEmpty && !isStopping {
            openEndpoints()
            install()
        }
    }

    static func advice(_ code: Int32) -> String {
        switch code {
        case EADDRINUSE: " (another program has it: see `ss -ltnp`)"
        case EACCES: " (ports below 1024 need the socket unit, CAP_NET_BIND_SERVICE, or root)"
        case ENOSPC: " (a daemon can have \(ListenerSnapshot.endpointsMax) of them in its life; restart it)"
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

    // MARK: Whom the daemon runs as

    /// Becomes the user that berth.toml names, once everything that needs more is opened. Nothing happens without one, or
    /// when it is that user already.
    func changeIdentity() throws(SystemError) {
        guard let user = configuration.daemon.user else { return }
        let identity: (user: UInt32, group: UInt32)
        do throws(IdentityError) {
            guard let found = try WorkerIdentities.identity(user: user, group: configuration.daemon.group) else {
                return
            }
            identity = (found.user, found.group ?? found.user)
        } catch {
            DaemonLog.error(error.text)
            throw SystemError("setresuid", EINVAL)
        }
        if geteuid() == identity.user { return }
        for directory in [
            stateFile?.directory ?? configuration.daemon.stateDirectory, configuration.daemon.runtimeDirectory,
            configuration.daemon.logDirectory, ErrorLogFile.directory(configuration.daemon),
        ] {
            makeDirectories(directory)
            _ = system.pointee.change_owner(system, directory, identity.user, identity.group)
        }
        control?.give(to: identity.user, identity.group)
        try checked("setresuid", cberth_become(identity.user, identity.group))
        DaemonLog.notice("running as \(user)")
    }

    func makeDirectories(_ path: String) {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/" + part
            // That it exists is no error; what else is wrong shows when something is opened there.
            _ = system.pointee.make_directory(system, made, 0o750)
        }
    }

    func forwardingEntry(_ application: Application, _ site: Site, loop: Int, module: UInt32) -> ChainEntry {
        ForwardingHandler.entry(
            loops[loop].forwarder, application: registry.number(ofApplication: application.path, site: site.name),
            module: module)
    }
}
