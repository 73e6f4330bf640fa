/// What a site allows its clients. Nil: as the daemon's own setting says.
public struct SiteLimits: Sendable, Hashable {
    /// Connections at a time, 1 or more; over it 503 `ConnLimit`. Nil: no limit. Source: IIS `limits.maxConnections`.
    public var connectionsMax: Int?
    /// Idle, content and queue timers of this site. Source: IIS `limits.connectionTimeout` (120 s there).
    public var connectionTimeout: TimeLimit?
    /// Segments in a path, 0 through 16383; over it 404.20. Source: IIS `limits.maxUrlSegments`, default 32.
    public var urlSegmentsMax: Int = 32
    /// Lowest rate of sending, in octets a second.
    public var minSendRate: SendRateLimit?

    public init() {}
}
