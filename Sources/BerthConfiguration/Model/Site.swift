/// A site: its bindings, the applications below them, and the modules in front of those.
public struct Site: Sendable, Hashable {
    /// The name of its file without `.toml`.
    public var name: String
    /// The number that logs carry (`W3SVC1`), 1 through 4294967295, unique. Source: IIS site `id`.
    public var id: UInt32
    /// 1 or more; every one has passed the conflict rules.
    public var bindings: [Binding]
    /// 1 or more, the longest path first, one of them at `/`.
    public var applications: [Application]
    /// The whole chain: the default modules that no file took out, then those of the files in their order.
    public var modules: [ModuleEntry]
    public var limits: SiteLimits
    public var timeouts: SiteTimeouts
    public var log: SiteLogSettings
    /// Whether the site starts with the daemon. Source: IIS `serverAutoStart`, default true.
    public var autoStart: Bool
    /// The file that describes it; its overrides are in `files`.
    public var location: SourceLocation
    /// Everything it was read from: its file, its overrides, its `web.config` files.
    public var files: [String]

    public init(
        name: String, id: UInt32 = 1, bindings: [Binding], applications: [Application],
        modules: [ModuleEntry] = ModuleEntry.defaults,
        limits: SiteLimits = SiteLimits(), timeouts: SiteTimeouts = SiteTimeouts(),
        log: SiteLogSettings = SiteLogSettings(), autoStart: Bool = true,
        location: SourceLocation = .none, files: [String] = []
    ) {
        self.name = name
        self.id = id
        self.bindings = bindings
        self.applications = applications
        self.modules = modules
        self.limits = limits
        self.timeouts = timeouts
        self.log = log
        self.autoStart = autoStart
        self.location = location
        self.files = files
    }
}
