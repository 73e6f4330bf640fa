/// How long the listener waits for what a peer owes it, in nanoseconds, and how slowly the peer may take what it is owed.
///
/// For the daemon every value is one; for a site 0 means "as the daemon's". `off` is no limit in both.
/// Source: HTTP.sys timeouts of server session and URL group, where 0 falls back to the next outer level as well.
public struct ListenerTimers: Sendable, BitwiseCopyable, Equatable {
    public static let off: UInt64 = .max

    /// A connection without a request. HTTP.sys IdleConnection, 120 s. Of a site: from the second request of a connection on.
    public var idleConnection: UInt64
    /// From the first octet of a request to its complete head. HTTP.sys HeaderWait, 120 s. Of a site: as above.
    public var headerWait: UInt64
    /// Between two pieces of request content. HTTP.sys EntityBody, 120 s.
    public var entityBody: UInt64
    /// Reading and dropping content nobody wanted. HTTP.sys DrainEntityBody, 120 s.
    public var drainEntityBody: UInt64
    /// Octets a second below which a response is given up. IIS `webLimits.minBytesPerSecond`, 240.
    public var minSendRate: UInt64

    public init(
        idleConnection: UInt64 = 120_000_000_000, headerWait: UInt64 = 120_000_000_000,
        entityBody: UInt64 = 120_000_000_000,
        drainEntityBody: UInt64 = 120_000_000_000, minSendRate: UInt64 = 240
    ) {
        (self.idleConnection, self.headerWait) = (idleConnection, headerWait)
        (self.entityBody, self.drainEntityBody) = (entityBody, drainEntityBody)
        self.minSendRate = minSendRate
    }

    /// A site's that says nothing.
    public static let asTheDaemon = ListenerTimers(
        idleConnection: 0, headerWait: 0, entityBody: 0, drainEntityBody: 0, minSendRate: 0)
}
