/// Something that happened to the daemon, a site, a pool or a worker: `GET /v1/events`.
public struct EventRecord: Codable, Sendable, Equatable {
    public enum Severity: String, WireChoice {
        case information
        case warning
        case error
        case unknown
    }

    /// Counts up by one with every event; begins at 1 with the daemon.
    public var number: UInt64
    public var time: Timestamp
    public var severity: Severity
    /// A stable name that scripts may compare: `worker-crashed`. See `Kind` for those that are known.
    public var kind: String
    /// The number of the corresponding event of the original, where it has one: 5009.
    public var windowsEvent: UInt32?
    public var site: String?
    public var pool: String?
    public var pid: Int32?
    /// One sentence for people.
    public var message: String
    /// The number of the event that brought this one about.
    public var cause: UInt64?

    public init(
        number: UInt64, time: Timestamp, severity: Severity = .information, kind: Kind, site: String? = nil,
        pool: String? = nil, pid: Int32? = nil, message: String, cause: UInt64? = nil
    ) {
        (self.number, self.time, self.severity, self.kind) = (number, time, severity, kind.rawValue)
        (self.windowsEvent, self.site, self.pool, self.pid) = (kind.windowsEvent, site, pool, pid)
        (self.message, self.cause) = (message, cause)
    }
}
