/// Timers of the listener (http-sys §6). Each is 1 ms through 65534 s, or off.
public struct TimeoutSettings: Sendable, Hashable {
    /// A connection without a request. HTTPERR `Timer_ConnectionIdle`.
    public var idleConnection: TimeLimit = .after(.seconds(120))
    /// From the first octet of a request to the end of its head. `Timer_HeaderWait`.
    public var headerWait: TimeLimit = .after(.seconds(120))
    /// Between two pieces of request content. `Timer_EntityBody`.
    public var entityBody: TimeLimit = .after(.seconds(120))
    /// Reading, after the response, the content nobody asked for.
    public var drainEntityBody: TimeLimit = .after(.seconds(120))
    /// A request in a pool's queue. 503 `AppPoolTimer`.
    public var requestQueue: TimeLimit = .after(.seconds(120))
    /// Lowest rate at which a response is taken, in octets a second. `Timer_MinBytesPerSecond`.
    /// Source: IIS `webLimits.minBytesPerSecond`.
    public var minSendRate: SendRateLimit = .octetsPerSecond(240)
    /// How long a stopping daemon lets requests finish, 0 through 3600 s. Source: ASP.NET Core `ShutdownTimeout`, 30 s.
    public var shutdownDrain: Duration = .seconds(30)

    public init() {}
}
