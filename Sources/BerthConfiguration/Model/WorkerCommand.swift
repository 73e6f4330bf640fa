/// How a worker process is started.
public struct WorkerCommand: Sendable, Hashable {
    /// How the worker learns where to listen.
    public enum Endpoint: Sendable, Hashable {
        /// A free loopback port in `ASPNETCORE_PORT`, `PORT` and the others of ancm §4. The default.
        case port
        /// This very port.
        case fixedPort(UInt16)
        /// A listening descriptor, `LISTEN_FDS`.
        case inherited
        /// A Unix socket whose path is in the environment.
        case unixSocket
    }

    /// An absolute path, or a bare name to look for in `PATH`.
    public var executable: String
    /// Without the program itself.
    public var arguments: [String]
    /// In order; a name occurs once.
    public var environment: [EnvironmentVariable]
    /// Absolute.
    public var workingDirectory: String
    /// Nil: the pool's, else the daemon's.
    public var user: String?
    public var group: String?
    public var endpoint: Endpoint
    /// The file that standard output and error go to as well; ANCM's `stdoutLogFile` without its suffix. Nil: none.
    public var stdoutLogFile: String?
    public var location: SourceLocation

    public init(
        executable: String, arguments: [String] = [], environment: [EnvironmentVariable] = [], workingDirectory: String,
        user: String? = nil, group: String? = nil, endpoint: Endpoint = .port, stdoutLogFile: String? = nil,
        location: SourceLocation = .none
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.group = group
        self.endpoint = endpoint
        self.stdoutLogFile = stdoutLogFile
        self.location = location
    }
}
