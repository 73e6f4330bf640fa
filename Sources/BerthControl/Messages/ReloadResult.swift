/// What `POST /v1/reload` did.
///
/// Errors in files are a result, not a failure: the sites without errors are in use.
public struct ReloadResult: Codable, Sendable, Equatable {
    /// `false` (status 202): the reload goes on, and only `generation` has a meaning: the one in use now. `true`
    /// (status 200): every loop serves with the new configuration.
    public var isComplete: Bool
    public var generation: UInt64
    /// Names of sites.
    public var added: [String]
    public var changed: [String]
    public var removed: [String]
    /// Have errors, and keep serving as before.
    public var stale: [String]
    /// Have errors, and do not serve.
    public var rejected: [String]
    public var diagnostics: [DiagnosticRecord]

    public init(
        isComplete: Bool, generation: UInt64, added: [String] = [], changed: [String] = [], removed: [String] = [],
        stale: [String] = [], rejected: [String] = [], diagnostics: [DiagnosticRecord] = []
    ) {
        (self.isComplete, self.generation) = (isComplete, generation)
        (self.added, self.changed, self.removed) = (added, changed, removed)
        (self.stale, self.rejected, self.diagnostics) = (stale, rejected, diagnostics)
    }
}
