/// What the configuration says about forwarding to one application. Plain values; the control thread hands them to each loop.
public struct ForwardingSettings: Sendable, Hashable {
    /// Milliseconds that one operation with the worker (connecting, taking octets, answering, the next piece of an answer)
    /// may take. Not a limit of the whole exchange; an open tunnel has none. Source: ANCM `requestTimeout`, 120 s.
    public var requestTimeoutMilliseconds: UInt64 = 120_000
    /// Milliseconds a request may wait for a worker before it is answered 503 (AppPoolTimer).
    /// Source: HTTP.sys RequestQueue timer, 120 s.
    public var queueTimeLimitMilliseconds: UInt64 = 120_000
    /// Connections to one worker process from one loop; a request above it waits in the queue. 0: as many as there are
    /// requests, as WinHTTP does it.
    public var connectionsMax: UInt32 = 0
    /// Connections to one worker process that one loop keeps open without a request. Ours: about what a burst leaves.
    public var idleConnectionsMax: UInt32 = 256
    /// Milliseconds an unused connection is kept. Ours: below the 120 s after which Kestrel closes it.
    public var idleConnectionMilliseconds: UInt64 = 100_000
    /// Milliseconds a request waits for the end of a worker that let it down without a word. Ours: between closing a process's
    /// sockets and reporting its end the kernel needs well below a millisecond; the rest is for a machine that is busy.
    public var doubtMilliseconds: UInt64 = 1000
    /// The same for a worker that refused the connection. Ours: one that was ready and listens no more hardly lives, so this
    /// is long enough for a machine that is far too busy.
    public var refusedMilliseconds: UInt64 = 5000
    /// Whether a failed start is answered with a bare 502.3. Source: ANCM `disableStartUpErrorPage`.
    public var disableStartUpErrorPage = false
    /// Whether activation starts the worker; false for an `address` that somebody else serves.
    public var isManaged = true
    /// Whether WebSocket upgrades are passed on. Source: IIS' WebSocket module.
    public var forwardsUpgrades = true

    public init() {}
}
