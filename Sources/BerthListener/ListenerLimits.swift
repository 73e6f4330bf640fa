public import BerthHTTP

/// Every bound that the listener puts on a peer, with HTTP.sys' defaults where it has one.
public struct ListenerLimits: Sendable {
    /// What a request head may be.
    public var parser = ParserLimits()
    /// What the path of a request target may be.
    public var cooking = CookingLimits()
    /// Connections of one loop, 1 through 262144. Default: what the descriptor limit allows, see `Server`.
    public var connectionsMax = 16_384
    /// Connections of the daemon over all loops; one more is answered 503 and closed (HTTP.sys `MaxConnections`).
    public var daemonConnectionsMax: UInt64 = 16_384
    /// Requests one connection may carry; the last one is answered with `Connection: close`. 0: no limit, as HTTP.sys.
    public var requestsPerConnectionMax: UInt32 = 0
    /// How long it waits for a peer, and how slow one may be; changed while it runs with `Listener.replaceTimers`.
    public var timers = ListenerTimers()
    /// Octets of unwanted content that are read for the sake of the connection; more, and it is closed.
    /// Ours: about what arrives in the time a new connection takes.
    public var drainEntityOctetsMax: UInt64 = 1 << 20
    /// Seconds a response may lag behind the floor of the send rate before that is judged. Ours: Kestrel's grace period.
    public var minSendGraceSeconds: UInt64 = 5
    /// Octets, at most, that a client which took them quickly may stand still for at the floor rate. Ours: what Linux keeps
    /// for one client at most (the largest of `tcp_rmem`), because those may still be on their way to whoever reads them.
    public var minSendCreditMax: UInt64 = 4 << 20
    /// Octets of a response that wait in the daemon for one client. Ours: what one read from a worker takes.
    public var responseWindow: UInt64 = 262_144
    /// Connections of one loop that may fill the kernel's send buffer (`tcp_wmem`, up to 4 MiB each) when their clients do not
    /// keep up; with more of them each gets `unsentOctetsMax` there. Ours: what a machine has to spare, 256 MiB.
    public var largeSendBuffersMax = 64
    /// Octets that the kernel keeps unsent for one connection beyond `largeSendBuffersMax`. Ours: half of `responseWindow`.
    public var unsentOctetsMax: Int32 = 131_072
    /// The same as `responseWindow` while more than `largeSendBuffersMax` clients do not keep up, for each that has not shown that
    /// it does. Ours: what two blocks hold; nginx' `proxy_buffers` are 32 KiB, HAProxy's `tune.bufsize` 16 KiB.
    public var slowResponseWindow: UInt64 = 32_736
    /// Octets of responses that wait in one loop for all clients, in blocks of 16 KiB. Ours.
    public var outputBlocksMax = 16_384
    /// Blocks of one loop for what clients have sent (`Listener.inputBlockSize`); with all of them in use a connection that
    /// sends is closed. Default: one for each connection.
    public var inputBlocksMax = Int.max
    /// Blocks of one loop, 32 KiB each, for what modules keep with a request; a module gets none when all are in use. Default:
    /// one for each connection.
    public var arenaBlocksMax = Int.max
    /// Octets of one loop for uploads that workers do not take, and for heads of theirs that are not complete; a request that
    /// needs more fails. Default: as much as the connections to workers can hold.
    public var workerOctetsMax = Int.max
    /// Longest request content that is taken unless a module says otherwise. 0: no limit here (request-filtering sets IIS's 30 000 000).
    public var entityOctetsMax: UInt64 = 0
    /// Whether answers that the listener makes itself name the server. HTTP.sys `DisableServerHeader` 1: no.
    public var serverFieldOnOwnAnswers = true
    /// Connections taken with one wake-up of the acceptor before other work has its turn.
    public var acceptBatchMax = 64

    public init() {}
}
