/// One path of a site with what answers it: `GET /v1/applications`.
public struct ApplicationRecord: Codable, Sendable, Equatable {
    /// Who produces the answers.
    public enum Hosting: String, WireChoice {
        /// A handler module that the host has loaded.
        case inProcess = "in-process"
        /// A process that speaks HTTP.
        case outOfProcess = "out-of-process"
        /// Files below a folder.
        case staticFiles = "static"
        case unknown
    }

    /// What a request to the application meets.
    public enum Availability: String, WireChoice {
        /// It is answered, if need be after a worker was started.
        case available
        /// `app_offline.htm` is answered.
        case offline
        /// An error is answered: 500.3x, 502.5 or 503, and `failure` says why.
        case failing
        case unknown
    }

    public var site: String
    /// The path below which the application answers, beginning with a slash.
    public var path: String
    public var hosting: Hosting
    /// `nil` where the application has no pool: static files.
    public var pool: String?
    /// `none` or `pool`, for in-process applications.
    public var isolation: String?
    /// The folder of the application.
    public var root: String?
    /// What runs: the file of the module, the command with its arguments, or the address somebody else serves.
    public var target: String?
    public var availability: Availability
    public var failure: FailureRecord?

    public init(
        site: String, path: String, hosting: Hosting, pool: String? = nil, isolation: String? = nil,
        root: String? = nil, target: String? = nil, availability: Availability = .available,
        failure: FailureRecord? = nil
    ) {
        (self.site, self.path, self.hosting, self.pool) = (site, path, hosting, pool)
        (self.isolation, self.root, self.target) = (isolation, root, target)
        (self.availability, self.failure) = (availability, failure)
    }
}
