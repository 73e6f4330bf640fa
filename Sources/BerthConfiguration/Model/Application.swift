/// A path of a site with what answers there.
public struct Application: Sendable, Hashable {
    /// `/`, or `/x/y` without a slash at its end. Compared without regard to case.
    public var path: String
    /// The folder of the application, absolute. Nil where it needs none.
    public var root: String?
    public var hosting: Hosting
    /// The application pool it runs in.
    public var pool: String
    public var limits: ApplicationLimits
    public var requestLimits: RequestLimits
    public var location: SourceLocation

    /// What each hosting model needs.
    public enum Hosting: Sendable, Hashable {
        case inProcess(InProcessSettings)
        case outOfProcess(OutOfProcessSettings)
        case staticFiles(StaticFilesSettings)
    }

    public var hostingModel: HostingModel {
        switch hosting {
        case .inProcess: .inProcess
        case .outOfProcess: .outOfProcess
        case .staticFiles: .staticFiles
        }
    }

    public init(
        path: String = "/", root: String? = nil, hosting: Hosting, pool: String,
        limits: ApplicationLimits = ApplicationLimits(), requestLimits: RequestLimits = RequestLimits(),
        location: SourceLocation = .none
    ) {
        self.path = path
        self.root = root
        self.hosting = hosting
        self.pool = pool
        self.limits = limits
        self.requestLimits = requestLimits
        self.location = location
    }
}
