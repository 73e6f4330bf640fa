import BerthControl

extension EventRecord {
    init(_ event: ServerEvent) {
        let kind: Kind
        var severity = Severity.information
        var isPool = false
        switch event.kind {
        case .started: kind = .daemonStarted
        case .reloaded: kind = .configurationApplied
        case .configurationRejected: (kind, severity) = (.configurationRejected, .error)
        case .stopping: kind = .daemonStopping
        case .siteStarted: kind = .siteStarted
        case .siteStopped: kind = .siteStopped
        case .poolStarted: (kind, isPool) = (.poolStarted, true)
        case .poolStopped: (kind, isPool) = (.poolStopped, true)
        case .poolRecycled: (kind, isPool) = (.poolRecycled, true)
        case .workerStarted: kind = .workerReady
        case .workerStopped: kind = .workerStopped
        case .workerCrashed: (kind, severity) = (.workerCrashed, .error)
        case .workerStartFailed: (kind, severity) = (.workerStartFailed, .error)
        case .moduleFailed: (kind, severity) = (.moduleFailed, .error)
        case .endpointFailed: (kind, severity) = (.endpointFailed, .error)
        }
        // Workers are named after their application: the site, and a path.
        let site = event.subject.prefix { $0 != "/" }
        self.init(
            number: event.number, time: Timestamp(nanoseconds: event.wallNanoseconds), severity: severity, kind: kind,
            site: isPool || site.isEmpty ? nil : String(site), pool: isPool ? event.subject : nil, pid: event.pid,
            message: event.text)
    }
}

extension Timestamp {
    /// - Parameter nanoseconds: since 1970 UTC.
    init(nanoseconds: Int64) { self.init(millisecondsSinceEpoch: nanoseconds / 1_000_000) }
}
