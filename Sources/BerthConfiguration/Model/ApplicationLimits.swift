/// Limits of one application, in IIS the attributes of `<aspNetCore>` (ancm §1.1).
public struct ApplicationLimits: Sendable, Hashable {
    /// Longest time until a new worker accepts connections, and a module is initialized, 0 through 3600 s.
    public var startupTimeLimit: Duration = .seconds(120)
    /// Longest time a worker may take to end after it was told to, 0 through 600 s.
    public var shutdownTimeLimit: Duration = .seconds(10)
    /// Longest time until a worker answers a request, and between two pieces of the answer, 0 through 360 h.
    public var requestTimeout: Duration = .seconds(120)
    /// Crashes in a minute after which the application is not started again in that minute, 0 through 100.
    public var rapidFailsPerMinute: Int = 10
    /// Worker processes, 1 through 100.
    public var processes: Int = 1

    public init() {}
}
