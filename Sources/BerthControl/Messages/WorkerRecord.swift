/// One worker process: `GET /v1/workers`.
public struct WorkerRecord: Codable, Sendable, Equatable {
    /// The states of the original's run-time interface (Starting 0, Running 1, Stopping 2, Unknown 3).
    public enum State: String, WireChoice {
        /// Waiting for it to accept its first connection.
        case starting
        case running
        /// Takes no new request; finishes those it has.
        case stopping
        case unknown
    }

    /// `nil` for a worker that somebody else runs and that Berth only forwards to.
    public var pid: Int32?
    public var pool: String
    /// What it serves, as `SITE/PATH`.
    public var applications: [String]
    public var state: State
    public var startedAt: Timestamp
    /// Where it listens: `127.0.0.1:40311`, `unix:/run/berth/shop.sock`.
    public var endpoint: String?
    public var command: [String]
    /// The user it runs as.
    public var user: String?
    public var requestsRunning: UInt64
    public var requestsServed: UInt64
    /// Resident memory of the process itself.
    public var memoryBytes: UInt64?

    public init(
        pid: Int32?, pool: String, applications: [String], state: State, startedAt: Timestamp, endpoint: String? = nil,
        command: [String] = [], user: String? = nil, requestsRunning: UInt64 = 0, requestsServed: UInt64 = 0,
        memoryBytes: UInt64? = nil
    ) {
        (self.pid, self.pool, self.applications, self.state) = (pid, pool, applications, state)
        (self.startedAt, self.endpoint, self.command, self.user) = (startedAt, endpoint, command, user)
        (self.requestsRunning, self.requestsServed) = (requestsRunning, requestsServed)
        self.memoryBytes = memoryBytes
    }
}
