/// The W3C log of a site (pipeline-and-modules §12), written by the module `request-logging`.
public struct SiteLogSettings: Sendable, Hashable {
    public enum Destination: Sendable, Hashable {
        case off
        /// Files named by period (`u_ex261121.log`) in this folder, which ends in `W3SVC<id>` as in IIS.
        case directory(String)
        /// One file, never rolled over by us.
        case file(String)
    }

    /// Off until a file says `request-logging` or `[site.log]`.
    public var destination: Destination = .off
    /// In the order of the file; W3C order where the file says nothing.
    public var fields: [LogField] = LogField.standard
    /// Source: IIS `logFile.period`, default daily.
    public var rollover: LogRollover = .daily
    /// Size at which a file is full where `rollover` is `size`, in octets, 1048576 through 4294967295.
    /// Source: IIS `logFile.truncateSize`.
    public var truncateSize: Int = 20_971_520
    /// Longest time a line may wait in the buffer, 0 through 3600 s. Ours: a reader sees a line within a second.
    public var flushInterval: Duration = .seconds(1)

    public init() {}
}
