package import BerthControl

/// Why a site answers, or does not: found in what the daemon says about it, most decisive first.
package struct Explanation: Codable, Sendable, Equatable {
    package enum Verdict: String, Codable, Sendable { case answers, answersInPart, doesNotAnswer }

    package enum Level: String, Codable, Sendable {
        case well
        /// Works, and somebody should know.
        case notable
        /// Some requests, or all of them, are answered with an error.
        case broken
    }

    package struct Finding: Codable, Sendable, Equatable {
        package var level: Level
        package var message: String
        package var hint: String?
    }

    package var site: String
    package var verdict: Verdict
    package var findings: [Finding] = []
    package var diagnostics: [DiagnosticRecord]
    /// The latest of the site's events, oldest first.
    package var events: [EventRecord]

    /// Events that are shown: enough for a start, a crash, and what came of it.
    package static let eventsMax = 6

    package init(
        site: SiteRecord, info: DaemonInfo, bindings: [BindingRecord], pools: [PoolRecord], events: [EventRecord]
    ) {
        self.site = site.name
        verdict = .answers
        diagnostics = site.diagnostics
        let poolNames = Set(site.applications.compactMap(\.pool))
        self.events = Array(
            events.filter { $0.site == site.name || $0.pool.map { poolNames.contains($0) } ?? false }
                .suffix(Self.eventsMax))
        if info.isStopping { add(.broken, "the daemon is stopping and takes no new connection", nil, ends: true) }
        explainCondition(site)
        explainState(site)
        let own = bindings.filter { $0.site == site.name }
        explainBindings(site, own, info)
        let used = pools.filter { poolNames.contains($0.name) }
        var broken = 0
        for application in site.applications {
            if explain(application, used.first { $0.name == application.pool }) { broken += 1 }
        }
        if broken > 0, broken == site.applications.count { verdict = .doesNotAnswer }
    }

    /// - Parameter ends: No request to the site can be answered well because of it.
    private mutating func add(_ level: Level, _ message: String, _ hint: String? = nil, ends: Bool = false) {
        findings.append(Finding(level: level, message: message, hint: hint))
        if ends {
            verdict = .doesNotAnswer
        } else if level != .well, verdict == .answers {
            verdict = .answersInPart
        }
    }

    private mutating func explainCondition(_ site: SiteRecord) {
        let file = site.file ?? "its file"
        switch site.condition {
        case .ok: add(.well, "its configuration is good\(site.file.map { ": \($0)" } ?? "")")
        case .stale:
            let generation = site.generation.map { " (generation \($0))" } ?? ""
            add(
                .notable, "\(file) has errors; the last good configuration\(generation) stays in use",
                "mend what is shown below, then: berthctl reload")
        case .rejected:
            add(
                .broken, "\(file) has errors, and there is no earlier good configuration to fall back on",
                "mend what is shown below, then: berthctl reload", ends: true)
        case .unknown: add(.notable, "its configuration is in a condition that this berthctl does not know")
        }
    }

    private mutating func explainState(_ site: SiteRecord) {
        if let reason = site.reason { add(.broken, reason, ends: site.state != .started) }
        guard site.condition != .rejected else { return }
        switch site.state {
        case .started: add(.well, "it is started")
        case .starting: add(.notable, "it is starting")
        case .stopping: add(.broken, "it is stopping: running requests end, new ones are answered 503", ends: true)
        case .stopped: add(.broken, "it is stopped", "start it: berthctl start --site \(site.name)", ends: true)
        case .unknown: add(.notable, "it is in a state that this berthctl does not know")
        }
    }

    private mutating func explainBindings(_ site: SiteRecord, _ bindings: [BindingRecord], _ info: DaemonInfo) {
        guard site.condition != .rejected else { return }
        if site.bindings.isEmpty {
            add(
                .broken, "it has no binding: no request is routed to it", "write bindings in its [site] table",
                ends: true)
        }
        // One site that is down explains all of its bindings; a fault of an endpoint concerns its own.
        for binding in bindings where !binding.isServing && site.state == .started {
            let failure = info.endpoints.first { $0.address == binding.endpoint }?.failure
            add(.broken, "\(binding.prefix) is not served" + (failure.map { ": \($0)" } ?? ""))
        }
        let served = bindings.filter(\.isServing).map(\.prefix)
        if served.isEmpty {
            if !bindings.isEmpty, site.state == .started { verdict = .doesNotAnswer }
        } else {
            add(
                .well,
                "it answers on \(served.prefix(4).joined(separator: ", "))" + (served.count > 4 ? " and more" : ""))
        }
    }

    /// Returns whether all requests to the application are answered with an error.
    private mutating func explain(_ application: ApplicationRecord, _ pool: PoolRecord?) -> Bool {
        let name = application.site + application.path
        if let pool, pool.state == .stopped || pool.state == .stopping {
            let (why, hint): (String, String?) =
                switch pool.stopCause {
                case .rapidFail:
                    (
                        "was stopped after \(pool.rapidFail.map { "\($0.crashes) crashes" } ?? "too many crashes") in a short time",
                        "read berthctl logs \(application.site), mend the cause, then: berthctl start --pool \(pool.name)"
                    )
                case .administrator: ("was stopped by an administrator", "start it: berthctl start --pool \(pool.name)")
                case .configuration:
                    ("is not started by its configuration", "start it: berthctl start --pool \(pool.name)")
                case .unknown, nil: ("is \(pool.state.rawValue)", "start it: berthctl start --pool \(pool.name)")
                }
            add(.broken, "\(name): its pool \(pool.name) \(why); requests are answered 503", hint)
            if let failure = pool.failure ?? application.failure {
                add(.broken, "\(name): \(failure.message)", failure.hint)
            }
            return true
        }
        switch application.availability {
        case .offline:
            add(.notable, "\(name) is taken offline by app_offline.htm", "remove that file to bring it back")
            return true
        case .failing:
            let status = application.failure?.status.map { " with \($0)" } ?? ""
            add(
                .broken, "\(name) fails\(status)" + (application.failure.map { ": \($0.message)" } ?? ""),
                application.failure?.hint ?? "see: berthctl logs \(application.site)")
            return true
        case .available, .unknown: break
        }
        guard let pool else {
            add(.well, "\(name) is served (\(application.hosting.rawValue))")
            return false
        }
        if pool.requestsQueuedMax > 0, pool.requestsQueued >= pool.requestsQueuedMax {
            add(
                .broken,
                "\(name): the queue of its pool \(pool.name) is full (\(pool.requestsQueued)); more requests are answered 503",
                "its workers are too slow or stuck; see: berthctl requests --pool \(pool.name)")
        } else if let rapidFail = pool.rapidFail, rapidFail.crashes > 0 {
            add(
                .notable,
                "\(name): \(Quantity.count(rapidFail.crashes, "crash", "crashes")) lately; at \(rapidFail.crashesMax) its pool \(pool.name) is stopped",
                "see: berthctl logs \(application.site)")
        } else if pool.workers.isEmpty, application.hosting == .outOfProcess {
            add(.well, "\(name) has no worker now; the next request starts one")
        } else {
            add(.well, "\(name) is served (\(application.hosting.rawValue), pool \(pool.name))")
        }
        return false
    }
}
