/// An application pool: the unit of isolation, and its queue (iis-sites-and-pools §3).
///
/// A value out of range is a warning and leaves the default, as WAS does it (event 5041).
public struct ApplicationPoolSettings: Sendable, Hashable {
    public enum StartMode: String, Sendable, CaseIterable {
        /// With the first request.
        case onDemand = "on-demand"
        /// At once, and again after every exit.
        case alwaysRunning = "always-running"
    }

    /// What a client sees while a pool cannot take its request.
    public enum LoadBalancerCapabilities: String, Sendable, CaseIterable {
        /// The connection is closed.
        case tcpLevel = "tcp-level"
        /// 503.
        case httpLevel = "http-level"
    }

    /// What a 503 of the queue tells a client. Source: HTTP.sys 503 response verbosity.
    public enum UnavailableVerbosity: String, Sendable, CaseIterable {
        /// Nothing; the connection is closed.
        case basic
        /// 503 and its standard phrase.
        case limited
        /// 503 and a phrase that says why.
        case full
    }

    public var name: String
    /// Whether the pool starts with the daemon; false: 503 until somebody starts it.
    public var autoStart: Bool = true
    public var startMode: StartMode = .onDemand
    /// Requests that may wait, 10 through 65535; over it 503 `QueueFull`.
    public var queueLength: Int = 1000
    public var loadBalancerCapabilities: LoadBalancerCapabilities = .httpLevel
    /// Nil: as `loadBalancerCapabilities` says, which means limited or basic.
    public var unavailableVerbosity: UnavailableVerbosity?
    /// Time without requests after which a worker is stopped, 1 min through 30 days, or off.
    public var idleTimeout: TimeLimit = .after(.seconds(20 * 60))
    /// 1 s through 1 h; nil: as each application says.
    public var startupTimeLimit: Duration?
    /// 1 s through 1 h; nil: as each application says.
    public var shutdownTimeLimit: Duration?
    /// Worker processes of a pool, 1 through 100; nil: as each application says. Source: IIS `maxProcesses`.
    public var processesMax: Int?
    public var ping = PingSettings()
    public var rapidFail = RapidFailSettings()
    public var recycling = RecyclingSettings()
    /// Whom its workers run as. Nil: the daemon's user.
    public var user: String?
    public var group: String?
    /// Of every worker of the pool; an application's own variables come on top.
    public var environment: [EnvironmentVariable] = []
    public var location = SourceLocation.none

    public init(name: String) { self.name = name }
}
