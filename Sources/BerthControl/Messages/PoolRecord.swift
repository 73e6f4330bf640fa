/// One application pool: `GET /v1/pools`.
public struct PoolRecord: Codable, Sendable, Equatable {
    /// Rapid-fail protection: how close the pool is to being stopped for its crashes.
    public struct RapidFail: Codable, Sendable, Equatable {
        /// Crashes within the window, up to now.
        public var crashes: Int
        /// The crash that stops the pool.
        public var crashesMax: Int
        public var windowSeconds: UInt64

        public init(crashes: Int, crashesMax: Int, windowSeconds: UInt64) {
            (self.crashes, self.crashesMax, self.windowSeconds) = (crashes, crashesMax, windowSeconds)
        }
    }

    /// Why a pool is stopped.
    public enum StopCause: String, WireChoice {
        case administrator
        /// Too many crashes in too short a time; only an administrator starts the pool again.
        case rapidFail = "rapid-fail"
        /// Its configuration says not to start it with the daemon.
        case configuration
        case unknown
    }

    public var name: String
    public var state: RunState
    public var stopCause: StopCause?
    /// What it serves, as `SITE/PATH`: `shop/`, `shop/api`.
    public var applications: [String]
    /// Process ids of its workers, the oldest first.
    public var workers: [Int32]
    public var workersMax: Int
    public var requestsQueued: UInt64
    /// The length of the queue at which a request is answered 503 `QueueFull`.
    public var requestsQueuedMax: UInt64
    public var rapidFail: RapidFail?
    /// Workers that ended without being asked to, since the daemon started.
    public var crashes: UInt64
    /// Workers replaced without losing a request, since the daemon started.
    public var recycles: UInt64
    public var failure: FailureRecord?

    public init(
        name: String, state: RunState, stopCause: StopCause? = nil, applications: [String], workers: [Int32] = [],
        workersMax: Int = 1, requestsQueued: UInt64 = 0, requestsQueuedMax: UInt64, rapidFail: RapidFail? = nil,
        crashes: UInt64 = 0, recycles: UInt64 = 0, failure: FailureRecord? = nil
    ) {
        (self.name, self.state, self.stopCause, self.applications) = (name, state, stopCause, applications)
        (self.workers, self.workersMax) = (workers, workersMax)
        (self.requestsQueued, self.requestsQueuedMax) = (requestsQueued, requestsQueuedMax)
        (self.rapidFail, self.crashes, self.recycles, self.failure) = (rapidFail, crashes, recycles, failure)
    }
}
