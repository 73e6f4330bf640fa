import BerthConfiguration
import BerthControl
import BerthListener

/// What the control socket can do to the daemon. Control thread only.
struct ControlActions {
    enum PoolAction { case start, stop, recycle }

    unowned let server: Server

    // MARK: The configuration

    /// Reads the configuration again and hands it to the loops, which take it one after the other.
    func reload() throws(ProblemDocument) -> ReloadResult {
        guard case .files = server.options.source else {
            throw ProblemDocument(
                .stateConflict,
                detail: "this daemon was started with berthd serve and has no configuration to read again",
                nextStep: "End it, and start it again.")
        }
        let before = Dictionary(server.sites.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        server.reload()
        let after = Dictionary(server.sites.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return ReloadResult(
            isComplete: true, generation: server.generationNumber,
            added: after.keys.filter { before[$0] == nil }.sorted(),
            changed: after.values.filter { before[$0.name].map { old in old != after[old.name] } ?? false }.map(\.name)
                .sorted(),
            removed: before.keys.filter { after[$0] == nil }.sorted(), stale: server.staleSites.sorted(),
            rejected: server.configuration.rejected.map(\.name).filter { after[$0] == nil }.sorted(),
            diagnostics: server.configuration.diagnostics.map { DiagnosticRecord($0) })
    }

    /// Where the files of a check pretend to be.
    private static let checkFolder = "/etc/berth/sites.d"

    /// Looks for errors: in the daemon's own folders, or in the files that were sent.
    func check(_ content: [UInt8]) throws(ProblemDocument) -> CheckResult {
        guard case .files(var loader) = server.options.source else {
            throw ProblemDocument(
                .stateConflict, detail: "this daemon was started with berthd serve and has no configuration to check")
        }
        guard !content.isEmpty else {
            let snapshot = server.load(loader)
            let files = snapshot.files.count { FileAccess.system.kind($0) != .absent }
            return Self.result(of: snapshot, files: files)
        }
        let request: CheckRequest
        do { request = try ControlJSON.decode(CheckRequest.self, from: content) } catch {
            throw ProblemDocument(
                .badRequest, detail: "the content is not what a check takes",
                nextStep: "Send {\"files\": [{\"path\": \"shop.toml\", \"content\": \"...\"}]}.")
        }
        var texts: [String: String] = [:]
        var paths: [String: String] = [:]
        for file in request.files {
            let name = file.path.split(separator: "/").last.map { String($0) } ?? ""
            guard name.hasSuffix(".toml"), name != ".toml", !file.path.hasSuffix("/") else {
                throw ProblemDocument(
                    .badRequest, detail: "\(file.path) is no site file",
                    nextStep: "A site file is named after its site, SITE.toml.")
            }
            let place = "\(Self.checkFolder)/\(name)"
            guard texts.updateValue(file.content, forKey: place) == nil else {
                throw ProblemDocument(.badRequest, detail: "two files describe the site \(name.dropLast(5))")
            }
            paths[place] = file.path
        }
        loader.siteDirectories = [Self.checkFolder]
        // The defaults of berth.toml count; nothing else is read for a caller who might not read it himself.
        loader.files = .over(Self.only(loader.daemonFile), texts: texts)
        var result = Self.result(of: loader.load(), files: request.files.count)
        for index in result.diagnostics.indices {
            guard let path = result.diagnostics[index].file.flatMap({ paths[$0] }) else { continue }
            result.diagnostics[index].file = path
        }
        return result
    }

    private static func only(_ daemonFile: String) -> FileAccess {
        let system = FileAccess.system
        let overrides = daemonFile + ".d"
        @Sendable func isKnown(_ path: String) -> Bool {
            path == daemonFile || path == overrides || path.hasPrefix(overrides + "/")
        }
        let folder = String(daemonFile.prefix(upTo: daemonFile.lastIndex(of: "/") ?? daemonFile.startIndex))
        return FileAccess(
            read: { (path, limit) throws(FileAccess.Failure) in
                guard isKnown(path) else { throw .notFound }
                return try system.read(path, limit)
            },
            list: { (path, limit) throws(FileAccess.Failure) in
                guard isKnown(path) || path == folder else { throw .notFound }
                return try system.list(path, limit)
            }, kind: { isKnown($0) ? system.kind($0) : .absent })
    }

    private static func result(of snapshot: ConfigurationSnapshot, files: Int) -> CheckResult {
        CheckResult(
            filesChecked: files, sitesChecked: snapshot.sites.count + snapshot.rejected.count,
            diagnostics: snapshot.diagnostics.map { DiagnosticRecord($0) })
    }

    // MARK: Sites and pools

    func setSite(_ name: String, isStarted: Bool) throws(ProblemDocument) -> ActionResult {
        guard let site = server.sites.first(where: { $0.name == name }) else {
            guard let rejected = server.configuration.rejected.first(where: { $0.name == name }) else {
                throw .noSite(name)
            }
            throw ProblemDocument(
                .stateConflict, detail: "the site \(name) has errors in its files and does not serve",
                nextStep: "Correct them, then berthctl reload.",
                diagnostics: rejected.diagnostics.map { DiagnosticRecord($0) })
        }
        let counters = server.registry.counters(of: site)
        let previous: RunState = counters.isStarted ? .started : .stopped
        counters.isStarted = isStarted
        server.state.setStopped(!isStarted, site: name)
        server.saveState()
        server.note(isStarted ? .siteStarted : .siteStopped, subject: name, "an administrator asked for it")
        DaemonLog.notice("site \(name): \(isStarted ? "started" : "stopped") by an administrator")
        return ActionResult(
            subject: .site, name: name, previousState: previous, state: isStarted ? .started : .stopped,
            event: server.events.last?.number)
    }

    func change(pool name: String, _ action: PoolAction) throws(ProblemDocument) -> ActionResult {
        guard let pool = server.configuration.pools.first(where: { $0.name == name }) else { throw .noPool(name) }
        let records = ControlRecords(server: server)
        let previous = records.state(ofPool: name).state
        let queue = server.registry.queue(of: pool)
        let id = server.activation?.id(ofPool: name)
        switch action {
        case .start:
            remember(name, isStopped: false)
            if let id { server.activation?.service.start(pool: id) }
            queue.state = .started
        case .stop:
            remember(name, isStopped: true)
            if let id { server.activation?.service.stop(pool: id) }
            queue.state = .disabled
        case .recycle:
            guard let id else {
                throw ProblemDocument(
                    .stateConflict, detail: "the pool \(name) has no worker processes of its own to replace")
            }
            guard previous == .started else {
                throw ProblemDocument(
                    .stateConflict, detail: "the pool \(name) is not started", nextStep: "berthctl start \(name)")
            }
            server.activation?.service.recycle(pool: id)
        }
        server.activation?.takeEvents()
        let (kind, done): (ServerEvent.Kind, String) =
            switch action {
            case .start: (.poolStarted, "started")
            case .stop: (.poolStopped, "stopped")
            case .recycle: (.poolRecycled, "recycled")
            }
        server.note(kind, subject: name, "an administrator asked for it")
        DaemonLog.notice("pool \(name): \(done) by an administrator")
        return ActionResult(
            subject: .pool, name: name, previousState: previous, state: records.state(ofPool: name).state,
            event: server.events.last?.number)
    }

    private func remember(_ pool: String, isStopped: Bool) {
        if isStopped { server.stoppedPools.insert(pool) } else { server.stoppedPools.remove(pool) }
        server.state.setStopped(isStopped, pool: pool)
        server.saveState()
    }
}
