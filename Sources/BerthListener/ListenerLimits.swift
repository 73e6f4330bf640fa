public import BerthHTTP

/// Every bound that the listener puts on a peer, with HTTP.sys' defaults where it has one.
public struct ListenerLimits: Sendable {
    /// What a request head may be.
    public var parser = ParserLimits()
    /// What the path of a request target may be.
    public var cooking = CookingLimits()
    /// Connections of one loop, 1 through 262144. Default: what the descriptor limit allows, see `Server`.
    public var connectionsMax = 16_384
    /// Connections of the daemon over all loops; one more is closed at accept (HTTP.sys `MaxConnections`).
    public var daemonConnectionsMax: UInt64 = 16_384
    /// Requests one connection may carry; the last one is answered with `Connection: close`. 0: no limit, as HTTP.sys.
    public var requestsPerConnectionMax: UInt32 = 0
    /// Seconds a connection may stand without a request. HTTP.sys IdleConnection, 120.
    public var idleConnectionSeconds: UInt64 = 120
    /// Seconds from the first octet of a request to its complete head. HTTP.sys HeaderWait, 120.
    public var headerWaitSeconds: UInt64 = 120
    /// Seconds between two pieces of request content. HTTP.sys EntityBody, 120.
    public var entityBodySeconds: UInt64 = 120
    /// Seconds for reading and dropping content nobody wanted. HTTP.sys DrainEntityBody, 120.
    public var drainEntityBodySeconds: UInt64 = 120
    /// Octets of unwanted content that are read for the sake of the connection; more, and it is closed.
    /// Ours: about what arrives in the time a new connection takes.
    public var drainEntityOctetsMax: UInt64 = 1 << 20
    /// Octets a second below which a response is given up. IIS `webLimits.minBytesPerSecond`, 240. 0: off.
    public var minSendRate: UInt64 = 240
    /// Seconds a response may lag behind `minSendRate` before that is judged. Ours: Kestrel's grace period.
    public var minSendGraceSeconds: UInt64 = 5
    /// Octets of a response that wait in the daemon for one client. Ours: what one read from a worker takes.
    public var responseWindow: UInt64 = 262_144
    /// Octets of responses that wait in one loop for all clients, in blocks of 16 KiB. Ours.
    public var outputBlocksMax = 16_384
    /// Longest request content that is taken unless a module says otherwise. 0: no limit here (request-filtering sets IIS's 30 000 000).
    public var entityOctetsMax: UInt64 = 0
    /// Connections taken with one wake-up of the acceptor before other work has its turn.
    public var acceptBatchMax = 64

    public init() {}
}
