/// One site: `GET /v1/sites`, `GET /v1/sites/NAME`.
public struct SiteRecord: Codable, Sendable, Equatable {
    /// The name of its file without `.toml`.
    public var name: String
    /// The number that logs carry (`W3SVC1`); `nil` for a site that was rejected before it got one.
    public var id: UInt32?
    public var state: RunState
    public var condition: SiteCondition
    /// Its file in the topmost layer that has one.
    public var file: String?
    /// The generation of the configuration that its settings come from: older than the daemon's when the site is stale.
    public var generation: UInt64?
    /// UrlPrefix strings, as the file has them.
    public var bindings: [String]
    public var applications: [ApplicationRecord]
    /// What is wrong with its files; empty in the condition `ok` but for warnings.
    public var diagnostics: [DiagnosticRecord]
    /// Answered since the daemon started.
    public var requestsServed: UInt64
    /// Of these, answered with a status of 500 or above.
    public var requestsFailed: UInt64
    public var requestsRunning: UInt64
    /// Why the site does not serve, in one sentence, where it should but does not.
    public var reason: String?

    public init(
        name: String, id: UInt32? = nil, state: RunState, condition: SiteCondition, file: String? = nil,
        generation: UInt64? = nil, bindings: [String], applications: [ApplicationRecord] = [],
        diagnostics: [DiagnosticRecord] = [], requestsServed: UInt64 = 0, requestsFailed: UInt64 = 0,
        requestsRunning: UInt64 = 0, reason: String? = nil
    ) {
        (self.name, self.id, self.state, self.condition) = (name, id, state, condition)
        (self.file, self.generation, self.bindings, self.applications) = (file, generation, bindings, applications)
        (self.diagnostics, self.requestsServed, self.requestsFailed) = (diagnostics, requestsServed, requestsFailed)
        (self.requestsRunning, self.reason) = (requestsRunning, reason)
    }
}
