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
    /// Which fields a line has; their order is fixed. Source: `ErrorLoggingFields`, default 0x7c884c7.
    public var fields: [ErrorLogField] = ErrorLogField.standard
    /// Whether hours, days, weeks and months of file names are those of local time. Lines are UTC always.
    /// Source: `ErrorLoggingLocaltimeRollover`, default off.
    public var localTimeRollover: Bool = false

    public init() {}
}
