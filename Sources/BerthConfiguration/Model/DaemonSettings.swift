/// What `berth.toml` says about the daemon itself.
public struct DaemonSettings: Sendable, Hashable {
    /// Event loops, 0 through 1024. 0, the default: one for each CPU the daemon may run on.
    public var loops: Int = 0
    /// The Unix socket that `berthctl` talks to.
    public var controlSocket: String = "/run/berth/control.sock"
    /// What outlives a restart: site numbers, sites stopped by an administrator.
    public var stateDirectory: String = "/var/lib/berth"
    /// What does not: sockets of workers.
    public var runtimeDirectory: String = "/run/berth"
    /// Below it one folder a site, and `HTTPERR`.
    public var logDirectory: String = "/var/log/berth"
    /// Whom the daemon, and workers without a user of their own, run as. Nil: whoever started it.
    public var user: String?
    public var group: String?
    /// Worker processes at a time; over it 503 `N/A`. Nil: no limit. Source: IIS `webLimits.demandStartThreshold`.
    public var workersMax: Int?
    /// Whether a change in the folders of the configuration is read without a word. Ours.
    public var watch: Bool = true
    public var listener = ListenerSettings()
    public var timeouts = TimeoutSettings()
    public var errorLog = ErrorLogSettings()
    /// 1024 at most; no two of one prefix.
    public var reservations: [Reservation] = []
    public var location = SourceLocation.none

    public init() {}
}
