import BerthConfiguration
import BerthControl
import BerthEventLoop
import BerthListener
import Glibc

/// The daemon as the control socket shows it: records made from what the server holds, when they are asked for.
///
/// Counters of loops are read while these go on counting: an indication, not a reckoning. Control thread only.
struct ControlRecords {
    unowned let server: Server

    // MARK: The daemon

    var info: DaemonInfo {
        let counters = server.loops.map(\.listener.counters)
        let now = server.system.pointee.wall_nanoseconds(server.system)
        return DaemonInfo(
            version: BerthRelease.version, pid: getpid(),
            startedAt: Timestamp(millisecondsSinceEpoch: server.startedAt * 1000),
            uptimeSeconds: UInt64(max(0, now / 1_000_000_000 - server.startedAt)), loops: server.loopCount,
            generation: server.generationNumber, configuredAt: Timestamp(nanoseconds: server.configuredAt),
            endpoints: endpoints,
            connections: .init(
                open: server.daemonCounters.connections,
                openMax: server.loops.first?.listener.limits.daemonConnectionsMax,
                accepted: counters.reduce(0) { $0 &+ $1.connectionsAccepted }),
            requests: .init(
                running: server.loops.reduce(0) { $0 &+ UInt64(max(0, $1.listener.requestCount)) },
                queued: server.configuration.pools.reduce(0) {
                    $0 &+ (server.registry.queue(named: $1.name)?.waiting ?? 0)
                },
                served: counters.reduce(0) { $0 &+ $1.requests }, refused: counters.reduce(0) { $0 &+ $1.rejections }),
            memoryBytes: memory(of: getpid()), diagnostics: daemonDiagnostics, isStopping: server.isStopping)
    }

    func memory(of pid: Int32) -> UInt64? {
        var octets: UInt64 = 0
        return server.system.pointee.process_memory(server.system, pid, &octets) >= 0 ? octets : nil
    }

    private var endpoints: [EndpointRecord] {
        server.endpoints.endpoints.compactMap { $0 }.map { endpoint in
            EndpointRecord(
                address: endpoint.name, origin: endpoint.descriptorName == nil ? .berth : .systemd,
                descriptorName: endpoint.descriptorName)
        }
            + server.endpointFailures.map {
                EndpointRecord(address: $0.name, origin: .berth, failure: $0.error.reason)
            }
    }

    /// Those that belong to no site.
    private var daemonDiagnostics: [DiagnosticRecord] {
        var ofSites = Set(server.configuration.rejected.flatMap(\.diagnostics))
        let files = Set(server.configuration.sites.flatMap(\.files))
        for diagnostic in server.configuration.diagnostics where files.contains(diagnostic.location.file) {
            ofSites.insert(diagnostic)
        }
        return server.configuration.diagnostics.filter { !ofSites.contains($0) }.map { DiagnosticRecord($0) }
            + server.endpointFailures.map { failure in
                DiagnosticRecord(
                    severity: .error, message: "cannot listen on \(failure.name): \(failure.error.reason)",
                    hint: Self.hint(failure.error.code))
            }
    }

    private static func hint(_ code: Int32) -> String? {
        let advice = Server.advice(code)
        return advice.isEmpty ? nil : String(advice.drop { $0 == " " || $0 == "(" }.dropLast())
    }

    // MARK: Sites

    var sites: [SiteRecord] {
        let served = server.sites.map(record)
        let names = Set(server.sites.map(\.name))
        let rejected = server.configuration.rejected.filter { !names.contains($0.name) }.map { site in
            SiteRecord(
                name: site.name, state: .stopped, condition: .rejected, file: site.file, bindings: [],
                diagnostics: site.diagnostics.map { DiagnosticRecord($0) },
                reason: "its files have errors, and there is no earlier configuration of it to fall back on")
        }
        return (served + rejected).sorted { $0.name < $1.name }
    }

    private func record(_ site: Site) -> SiteRecord {
        let isStarted = server.registry.counters(of: site).isStarted
        let isStale = server.staleSites.contains(site.name)
        let diagnostics =
            isStale
            ? server.configuration.rejected.first { $0.name == site.name }?.diagnostics ?? []
            : server.configuration.diagnostics.filter { site.files.contains($0.location.file) }
        let applications = site.applications.map { record($0, of: site) }
        let isStopping = !isStarted && server.stoppingSites[site.name] != nil
        let tally = server.registry.tally(of: site.name, loops: server.loopCount)
        return SiteRecord(
            name: site.name, id: site.id, state: isStarted ? .started : isStopping ? .stopping : .stopped,
            condition: isStale ? .stale : .ok,
            file: site.location.file, generation: server.siteGenerations[site.name],
            bindings: site.bindings.map(\.text),
            applications: applications, diagnostics: diagnostics.map { DiagnosticRecord($0) },
            requestsServed: tally.requestsServed, requestsFailed: tally.requestsFailed,
            requestsRunning: site.applications.reduce(0) { $0 &+ running($1, of: site) },
            reason: isStarted
                ? unreachable(site)
                : isStopping
                    ? "an administrator stopped it; its last requests are being finished"
                    : "an administrator stopped it, or its file says auto_start = false")
    }

    /// Why nobody reaches a site that is started; nil: somebody can.
    private func unreachable(_ site: Site) -> String? {
        let failures = site.bindings.map { binding in
            server.endpointFailures.first { $0.portKey == server.portKey(of: binding) }
        }
        guard let first = failures.first ?? nil, !failures.contains(where: { $0 == nil }) else { return nil }
        return "cannot listen on \(first.name): \(first.error.reason)\(Server.advice(first.error.code))"
    }

    /// Requests of an application that are with a worker or wait for one.
    func running(_ application: Application, of site: Site) -> UInt64 {
        guard application.hostingModel == .outOfProcess else { return 0 }
        let number = server.registry.number(ofApplication: application.path, site: site.name)
        return server.loops.reduce(0) { $0 &+ $1.forwarder.counters(of: number).running }
    }

    // MARK: Bindings

    var bindings: [BindingRecord] {
        let registered = registeredBindings
        let taken = Set(registered.map { $0.prefix.lowercased() })
        let reserved = server.reservations.filter { !taken.contains($0.binding.key) }.map { reservation in
            BindingRecord(
                prefix: reservation.binding.urlPrefix, tier: Self.tier(of: reservation.binding), site: "",
                application: "", isServing: false, reservedFor: reservation.sites)
        }
        return registered + reserved
    }

    private var registeredBindings: [BindingRecord] {
        server.sites.flatMap { site in
            let isStarted = server.registry.counters(of: site).isStarted
            return site.bindings.map { binding in
                let key = server.portKey(of: binding)
                let endpoint = server.endpoints.endpoints.compactMap { $0 }.first { $0.portKey == key }
                return BindingRecord(
                    prefix: binding.urlPrefix, tier: Self.tier(of: binding), site: site.name,
                    application: GenerationBuilder.application(of: site, at: binding.path)?.path ?? "/",
                    endpoint: endpoint?.name, isServing: isStarted && endpoint != nil)
            }
        }
    }

    private static func tier(of binding: Binding) -> BindingRecord.Tier {
        switch binding.host {
        case .strongWildcard: .strongWildcard
        case .name, .subdomains: .explicit
        case .address: .ipBound
        case .weakWildcard: .weakWildcard
        }
    }

    // MARK: Events

    /// Those with a number above `after`, as far as they are kept.
    func events(after: UInt64) -> [EventRecord] {
        server.events.drop { $0.number <= after }.map { EventRecord($0) }
    }
}
