/// What is started for an application, and as whom.
public struct WorkerProgram: Hashable, Sendable {
    /// Absolute, or with a slash and then relative to the working directory, or a bare name: a file of that name in the working
    /// directory is tried first, then `PATH` of the worker's environment.
    public var executable: String
    /// Without the program itself. `%NAME%` of a variable that Berth sets, or of the environment, is replaced.
    public var arguments: [String]
    /// The application's own variables, in order; a later one wins. Names compare without regard to case.
    public var environment: [EnvironmentEntry]
    /// Absolute.
    public var workingDirectory: String
    /// Nil: the daemon's.
    public var identity: WorkerIdentity?

    public init(
        executable: String, arguments: [String] = [], environment: [EnvironmentEntry] = [], workingDirectory: String,
        identity: WorkerIdentity? = nil
    ) {
        (self.executable, self.arguments, self.environment) = (executable, arguments, environment)
        (self.workingDirectory, self.identity) = (workingDirectory, identity)
    }

    /// For messages: the command as one would type it.
    public var commandLine: String { ([executable] + arguments).joined(separator: " ") }
}
