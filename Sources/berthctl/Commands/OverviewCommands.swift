import BerthControl

/// `status` and `version`: the daemon as a whole.
enum OverviewCommands {
    /// What `status --json` prints: the three answers that the page is made of.
    struct Overview: Codable {
        var info: DaemonInfo
        var sites: [SiteRecord]
        var pools: [PoolRecord]
    }

    static func status(_ session: Session) throws(CommandFailure) -> ExitStatus {
        let info = try session.fetch(.info, as: DaemonInfo.self)
        let sites = try session.fetch(.sites, as: ResourceList<SiteRecord>.self).items
        let pools = try session.fetch(.pools, as: ResourceList<PoolRecord>.self).items
        if session.wantsJSON {
            session.print(json: Overview(info: info, sites: sites, pools: pools))
        } else {
            session.print { page in
                render(info, &page)
                page.addBlank()
                ListCommands.render(sites, &page)
                renderTroubles(sites, pools, &page)
            }
        }
        return .ok
    }

    static func version(_ session: Session) throws(CommandFailure) -> ExitStatus {
        var daemon: String?
        var failure: ControlFailure?
        do throws(ControlFailure) { daemon = try session.client.fetch(.info, as: DaemonInfo.self).version } catch {
            failure = error
        }
        if session.wantsJSON {
            session.print(json: ["berthctl": BerthRelease.version, "berthd": daemon])
        } else {
            session.print { page in
                page.add("berthctl \(BerthRelease.version)")
                page.add("berthd \(daemon ?? "not known: " + (failure?.message ?? ""))", daemon == nil ? .faint : nil)
            }
        }
        return .ok
    }

    static func metrics(_ session: Session) throws(CommandFailure) -> ExitStatus {
        do throws(ControlFailure) {
            session.terminal.write(String(decoding: try session.client.exchange(.metrics), as: UTF8.self))
        } catch { throw CommandFailure(error) }
        return .ok
    }

    static func render(_ info: DaemonInfo, _ page: inout Page) {
        let uptime = Quantity.time(seconds: info.uptimeSeconds)
        page.add([
            ("berthd \(info.version)", .heading),
            (info.isStopping ? " is stopping" : " is running", info.isStopping ? .warning : .good),
            (", pid \(info.pid), for \(uptime), \(Quantity.count(info.loops, "loop"))", nil),
        ])
        let since = info.configuredAt.map { ", in use since \($0)" } ?? ""
        page.add(label: "configuration", "generation \(info.generation)\(since)")
        for (index, endpoint) in info.endpoints.enumerated() {
            let name = endpoint.descriptorName.map { " \($0)" } ?? ""
            let origin = endpoint.origin == .systemd ? " (systemd\(name))" : ""
            let failure = endpoint.failure.map { ": \($0)" } ?? ""
            page.add(
                label: index == 0 ? "listening" : "", endpoint.address + origin + failure,
                endpoint.failure == nil ? nil : .bad)
        }
        if info.endpoints.isEmpty { page.add(label: "listening", "nowhere: no site has a binding", .warning) }
        let connections = info.connections
        let limit = connections.openMax.map { " of \($0)" } ?? ""
        page.add(label: "connections", "\(connections.open) open\(limit), \(connections.accepted) accepted")
        let requests = info.requests
        page.add(
            label: "requests",
            "\(requests.running) running, \(requests.queued) queued, \(requests.served) served, \(requests.refused) refused"
        )
        if let memory = info.memoryBytes { page.add(label: "memory", Quantity.size(octets: memory)) }
        for diagnostic in info.diagnostics { page.add(diagnostic) }
    }

    /// What an administrator should look at, one line each, below everything else.
    static func renderTroubles(_ sites: [SiteRecord], _ pools: [PoolRecord], _ page: inout Page) {
        page.addBlank()
        for site in sites {
            let look = "see: berthctl why \(site.name)"
            switch site.condition {
            case .rejected: page.add("\(site.name) is rejected: its configuration has errors; \(look)", .bad)
            case .stale:
                page.add(
                    "\(site.name) is stale: its files have errors, the last good ones are in use; \(look)", .warning)
            case .ok, .unknown:
                if let reason = site.reason { page.add("\(site.name) does not serve: \(reason); \(look)", .bad) }
            }
            for application in site.applications where application.availability == .failing {
                let message = application.failure.map { ": \($0.message)" } ?? ""
                page.add("\(site.name)\(application.path) is failing\(message); \(look)", .bad)
            }
        }
        for pool in pools where pool.stopCause == .rapidFail {
            page.add(
                "the pool \(pool.name) was stopped after too many crashes; start it with: berthctl start --pool \(pool.name)",
                .bad)
        }
    }
}
