/// What one loop has counted for one application since the start. Each number is right by itself; two of them need not be
/// of one moment.
public struct ForwardingCounters: Sendable, BitwiseCopyable {
    /// Requests handed to a worker.
    public var forwarded: UInt64 = 0
    /// Connections made to workers.
    public var connections: UInt64 = 0
    /// Requests sent once more because a kept connection was dead.
    public var repeated: UInt64 = 0
    /// Requests that had to wait for a worker.
    public var waited: UInt64 = 0
    /// 502 and 503 answers made here, and responses that were broken off.
    public var failures: UInt64 = 0
    public var tunnels: UInt64 = 0

    /// Requests that wait for a worker or are with one, now.
    public var running: UInt64 = 0

    public init() {}

    /// Its words in memory, in their order.
    enum Word: Int {
        case forwarded, connections, repeated, waited, failures, tunnels, running
    }
}
