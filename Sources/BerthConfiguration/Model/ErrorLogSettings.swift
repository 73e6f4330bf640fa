/// The HTTPERR log: responses the listener makes itself, and connections it gives up (http-sys §9).
public struct ErrorLogSettings: Sendable, Hashable {
    /// Source: `EnableErrorLogging`, default on.
    public var enabled: Bool = true
    /// Where the files are. Nil: `HTTPERR` below the daemon's log directory. Source: `ErrorLoggingDir`.
    public var directory: String?
    /// Source: `ErrorLoggingRolloverType`, default by size.
    public var rollover: LogRollover = .size
    /// Size at which a file is full, in octets, 1 MiB through 4294967295. Source: `ErrorLogFileTruncateSize`.
    public var truncateSize: Int = 1_048_576

    public init() {}
}
