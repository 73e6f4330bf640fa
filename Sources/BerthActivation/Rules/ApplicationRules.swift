/// How one application is activated: what is started, how often, and within which limits.
public struct ApplicationRules: Equatable, Sendable {
    /// Whose failure a crash of its worker is.
    public enum CrashScope: Equatable, Sendable {
        /// The application's (`rapidFailsPerMinute`, 502.5, heals itself), and its pool's as well, once it has served. A worker
        /// that speaks HTTP.
        case application
        /// The pool's alone: rapid-fail protection, 503 until somebody starts the pool. A pool worker.
        case pool
    }

    public var id: ApplicationID
    /// `shop/api`, for messages.
    public var name: String
    public var pool: PoolID
    /// Nil only with `EndpointChoice.external`.
    public var program: WorkerProgram?
    public var endpoint: EndpointChoice
    /// What Berth tells the worker about its place.
    public var place: WorkerPlace
    /// Worker processes, 1 through 100. Source: ANCM `processesPerApplication`, default 1.
    public var processes = 1
    /// Longest time until a new worker listens, in seconds, 0 through 3600, for each of the two attempts.
    /// Source: ANCM `startupTimeLimit`, default 120.
    public var startupTimeLimit: UInt64 = 120
    /// Longest time a worker may take to end, in seconds, 0 through 600. Source: ANCM `shutdownTimeLimit`, default 10.
    public var shutdownTimeLimit: UInt64 = 10
    /// Source: ANCM, default 10, 0 through 100.
    public var rapidFailsPerMinute = 10
    public var crashScope = CrashScope.application
    /// Whether the worker understands `POST .../iisintegration`.
    public var understandsShutdownMessage = true

    public init(
        id: ApplicationID, name: String, pool: PoolID, program: WorkerProgram?, endpoint: EndpointChoice,
        place: WorkerPlace = WorkerPlace()
    ) {
        (self.id, self.name, self.pool, self.program) = (id, name, pool, program)
        (self.endpoint, self.place) = (endpoint, place)
        if case .port = endpoint {} else { understandsShutdownMessage = false }
    }

    /// Whether Berth starts it at all.
    var isExternal: Bool { if case .external = endpoint { true } else { false } }

    /// Whether a worker that was started under `other` need not be replaced.
    func startsTheSame(as other: ApplicationRules) -> Bool {
        program == other.program && endpoint == other.endpoint && place == other.place && pool == other.pool
    }
}
