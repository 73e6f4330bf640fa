extension EventRecord {
    /// The events of this release, by their stable names.
    public enum Kind: String, Sendable, CaseIterable {
        case daemonStarted = "daemon-started"
        case daemonStopping = "daemon-stopping"
        case configurationApplied = "configuration-applied"
        /// At least one file has errors; the sites they describe are stale or rejected.
        case configurationRejected = "configuration-rejected"
        case siteAdded = "site-added"
        case siteChanged = "site-changed"
        case siteRemoved = "site-removed"
        case siteStarted = "site-started"
        case siteStopped = "site-stopped"
        case poolStarted = "pool-started"
        case poolStopped = "pool-stopped"
        case poolRecycled = "pool-recycled"
        /// Rapid-fail protection stopped the pool.
        case poolDisabled = "pool-disabled"
        case workerStarted = "worker-started"
        case workerReady = "worker-ready"
        case workerStopped = "worker-stopped"
        case workerCrashed = "worker-crashed"
        case workerStartFailed = "worker-start-failed"
        /// It did not end within the time it was given, and was killed.
        case workerStopTimedOut = "worker-stop-timed-out"
        /// It had nothing to do for long enough.
        case workerIdle = "worker-idle"
        case moduleLoaded = "module-loaded"
        case moduleFailed = "module-failed"
        case endpointOpened = "endpoint-opened"
        case endpointFailed = "endpoint-failed"

        /// The event of the original that says the same; `nil` where it has none that is documented.
        public var windowsEvent: UInt32? {
            switch self {
            case .poolDisabled: 5002
            case .workerCrashed: 5009
            case .workerStartFailed: 5012
            case .workerStopTimedOut: 5013
            case .poolRecycled: 5079
            case .workerIdle: 5186
            default: nil
            }
        }
    }
}
