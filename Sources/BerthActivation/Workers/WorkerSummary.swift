/// One worker, as an administrator sees it.
public struct WorkerSummary: Sendable, Equatable {
    public var id: WorkerID
    public var application: ApplicationID
    public var pool: PoolID
    /// Nil before its process was made.
    public var pid: Int32?
    public var state: WorkerState
    /// In nanoseconds since 1970 UTC.
    public var startedWall: Int64
    /// Where it listens, once it does.
    public var endpoint: WorkerEndpoint?
    public var command: [String]
    /// The number of its user; nil: the daemon's.
    public var user: UInt32?
    public var requestsServed: UInt64
}
