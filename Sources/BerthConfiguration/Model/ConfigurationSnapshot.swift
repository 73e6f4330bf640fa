/// The whole configuration as one value: what is served, and everything that is wrong with what is not.
///
/// Built off the loops and never changed afterwards. A broken file costs only its own site, which is then in
/// `rejected` and not in `sites`; a broken `berth.toml` leaves each setting it got wrong at its default.
public struct ConfigurationSnapshot: Sendable, Hashable {
    public var daemon: DaemonSettings
    /// The sites that can be served, by name.
    public var sites: [Site]
    /// The sites that cannot, by name, each with its errors.
    public var rejected: [RejectedSite]
    /// Every pool that an application of `sites` runs in, and every pool described in `berth.toml`, by name.
    public var pools: [ApplicationPoolSettings]
    /// Every error and warning, by place; those of rejected sites among them.
    public var diagnostics: [ConfigurationDiagnostic]
    /// Every file that was read or looked for inside the layers, `web.config` files among them.
    public var files: [String]

    public init(
        daemon: DaemonSettings = DaemonSettings(), sites: [Site] = [], rejected: [RejectedSite] = [],
        pools: [ApplicationPoolSettings] = [], diagnostics: [ConfigurationDiagnostic] = [], files: [String] = []
    ) {
        self.daemon = daemon
        self.sites = sites
        self.rejected = rejected
        self.pools = pools
        self.diagnostics = diagnostics
        self.files = files
    }

    /// Whether there is any error, in `berth.toml` or in a site.
    public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

    /// For whoever asks for many of them.
    public var poolsByName: [String: ApplicationPoolSettings] {
        Dictionary(pools.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The pool of that name. O(n) in the pools.
    public func pool(named name: String) -> ApplicationPoolSettings? { pools.first { $0.name == name } }
}
