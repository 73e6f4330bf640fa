/// The daemon as a whole: `GET /v1/info`.
public struct DaemonInfo: Codable, Sendable, Equatable {
    /// Connections of clients, over all loops; those of the control socket are not counted.
    public struct Connections: Codable, Sendable, Equatable {
        public var open: UInt64
        /// The limit at which a new one is refused; `nil` for none.
        public var openMax: UInt64?
        /// Accepted since the daemon started.
        public var accepted: UInt64

        public init(open: UInt64, openMax: UInt64? = nil, accepted: UInt64) {
            (self.open, self.openMax, self.accepted) = (open, openMax, accepted)
        }
    }

    /// Requests of clients, over all loops.
    public struct Requests: Codable, Sendable, Equatable {
        /// Being answered now.
        public var running: UInt64
        /// Waiting in the queue of a pool now.
        public var queued: UInt64
        /// Answered since the daemon started, errors included.
        public var served: UInt64
        /// Of these, answered by the listener before any module saw them (400, 404, 503).
        public var refused: UInt64

        public init(running: UInt64, queued: UInt64, served: UInt64, refused: UInt64) {
            (self.running, self.queued, self.served, self.refused) = (running, queued, served, refused)
        }
    }

    /// The release of `berthd`, such as `1.0.0`.
    public var version: String
    public var pid: Int32
    public var startedAt: Timestamp
    public var uptimeSeconds: UInt64
    /// Event loops that serve clients, one a CPU unless the configuration says otherwise.
    public var loops: Int
    /// Counts up by one with every configuration taken into use; 1 is the one the daemon started with.
    public var generation: UInt64
    /// When that generation was taken into use.
    public var configuredAt: Timestamp?
    public var endpoints: [EndpointRecord]
    public var connections: Connections
    public var requests: Requests
    /// Resident memory of the daemon itself, without its workers.
    public var memoryBytes: UInt64?
    /// Faults that concern no single site: those of `berth.toml`, of an endpoint that could not be opened.
    public var diagnostics: [DiagnosticRecord]
    /// The daemon is draining and takes no new connection.
    public var isStopping: Bool

    public init(
        version: String, pid: Int32, startedAt: Timestamp, uptimeSeconds: UInt64, loops: Int, generation: UInt64,
        configuredAt: Timestamp? = nil, endpoints: [EndpointRecord], connections: Connections, requests: Requests,
        memoryBytes: UInt64? = nil, diagnostics: [DiagnosticRecord] = [], isStopping: Bool = false
    ) {
        (self.version, self.pid, self.startedAt, self.uptimeSeconds) = (version, pid, startedAt, uptimeSeconds)
        (self.loops, self.generation, self.configuredAt) = (loops, generation, configuredAt)
        (self.endpoints, self.connections, self.requests) = (endpoints, connections, requests)
        (self.memoryBytes, self.diagnostics, self.isStopping) = (memoryBytes, diagnostics, isStopping)
    }
}
