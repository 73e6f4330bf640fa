import BerthActivation
import BerthControl

/// Which resource is answered with what.
extension ControlService {
    func answer(_ exchange: ControlExchange) throws(ProblemDocument) -> ControlAnswer {
        let records = ControlRecords(server: server)
        let actions = ControlActions(server: server)
        switch exchange.route {
        case .info: return try .json(records.info)
        case .sites: return try list(records.sites)
        case .site(let name):
            guard let site = records.sites.first(where: { $0.name == name }) else { throw .noSite(name) }
            return try .json(site)
        case .applications: return try list(records.applications)
        case .pools: return try list(records.pools)
        case .pool(let name):
            guard let pool = records.pools.first(where: { $0.name == name }) else { throw .noPool(name) }
            return try .json(pool)
        case .workers: return try list(records.workers)
        case .bindings: return try list(records.bindings)
        case .modules: return try list(records.modules)
        case .requests(let filter):
            return .whenCollected(
                try collect(site: filter.site, elapsedMin: filter.elapsedMillisecondsMin ?? 0)
            ) { [server] collection throws(ProblemDocument) in
                let (records, isTruncated) = collection.records(filter)
                return try .json(
                    ResourceList(generation: server.generationNumber, items: records, truncated: isTruncated))
            }
        case .events(let follow, let after):
            exchange.lastEvent = after ?? 0
            if follow { return .followed(mediaType: "text/event-stream", more(exchange)) }
            return try list(records.events(after: after ?? 0))
        case .metrics:
            return .content(
                status: 200, mediaType: "text/plain; version=0.0.4; charset=utf-8",
                Array(ControlMetrics(server).text.utf8))
        case .logs(let site, let follow, let lines):
            guard let output = records.output(of: site) else { throw .noSite(site) }
            let latest = output.suffix(lines)
            exchange.lastLine = latest.last?.wallNanoseconds ?? 0
            let octets = ControlRecords.text(of: latest)
            return follow
                ? .followed(mediaType: "text/plain; charset=utf-8", octets)
                : .content(status: 200, mediaType: "text/plain; charset=utf-8", octets)
        case .check: return try .json(try actions.check(exchange.content))
        case .reload(let wait):
            let before = server.generationNumber
            let result = try actions.reload()
            if wait { return .whenInstalled(result.generation, result) }
            return try .json(ReloadResult(isComplete: false, generation: before), status: 202)
        case .startSite(let name): return try .json(try actions.setSite(name, isStarted: true))
        case .stopSite(let name):
            var result = try actions.setSite(name, isStarted: false)
            return .whenCollected(try collect(site: name, limit: 1)) { [server] collection throws(ProblemDocument) in
                let hasRequests = !collection.requests.isEmpty || collection.isTruncated
                server.note(site: name, hasRequests: hasRequests)
                if hasRequests { result.state = .stopping }
                return try .json(result)
            }
        case .startPool(let name): return try .json(try actions.change(pool: name, .start))
        case .stopPool(let name): return try .json(try actions.change(pool: name, .stop))
        case .recyclePool(let name): return try .json(try actions.change(pool: name, .recycle))
        }
    }

    private func collect(
        site: String?, elapsedMin: UInt64 = 0, limit: Int = RequestCollection.requestsMax
    ) throws(ProblemDocument) -> RequestCollection {
        guard let collection = server.collectRequests(site: site, elapsedMin: elapsedMin, limit: limit) else {
            throw ProblemDocument(
                .busy, detail: "\(Server.collectionsMax) lists of requests are being made already",
                nextStep: "Ask again in a moment.")
        }
        return collection
    }

    private func list<Item: Codable & Sendable>(_ items: [Item]) throws(ProblemDocument) -> ControlAnswer {
        try .json(ResourceList(generation: server.generationNumber, items: items))
    }

    /// What a followed answer has to say since it was asked last.
    func more(_ exchange: ControlExchange) -> [UInt8] {
        switch exchange.route {
        case .events:
            var octets: [UInt8] = []
            for record in ControlRecords(server: server).events(after: exchange.lastEvent) {
                exchange.lastEvent = record.number
                // An event of ours holds nothing that JSON cannot; one that did would be left out.
                if let event = try? ServerSentEvent(record) { octets += event.octets }
            }
            if octets.isEmpty, exchange.needsKeepAlive { octets = ServerSentEvent.keepAlive }
            exchange.needsKeepAlive = false
            return octets
        case .logs(let site, _, _):
            let output = ControlRecords(server: server).output(of: site) ?? []
            let new = output.drop { $0.wallNanoseconds <= exchange.lastLine }
            exchange.lastLine = new.last?.wallNanoseconds ?? exchange.lastLine
            return ControlRecords.text(of: new)
        default: return []
        }
    }
}

extension ProblemDocument {
    static func noSite(_ name: String) -> ProblemDocument {
        ProblemDocument(
            .siteNotFound, detail: "there is no site named \(name)", nextStep: "GET /v1/sites lists the sites")
    }

    static func noPool(_ name: String) -> ProblemDocument {
        ProblemDocument(
            .poolNotFound, detail: "there is no application pool named \(name)",
            nextStep: "GET /v1/pools lists the application pools")
    }
}
