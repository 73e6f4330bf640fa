/// Timers of one site (http-sys §6), each 1 ms through 65534 s, or off. Nil: as `connection_timeout` of the site says for
/// idle, content and queue, else as the daemon's `[timeouts]` say.
///
/// Until the first request of a connection is routed nobody knows whose it is, so idle and head are the daemon's until then.
/// Source: HTTP.sys timeouts of a URL group.
public struct SiteTimeouts: Sendable, Hashable {
    public var idleConnection: TimeLimit?
    public var headerWait: TimeLimit?
    public var entityBody: TimeLimit?
    public var drainEntityBody: TimeLimit?
    public var requestQueue: TimeLimit?

    public init() {}
}
