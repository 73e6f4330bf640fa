/// Something the daemon did or saw, for `berthctl events`.
struct ServerEvent {
    enum Kind: String {
        case started, reloaded, stopping
        /// Files have errors.
        case configurationRejected
        case siteStarted, siteStopped
        case poolStarted, poolStopped, poolRecycled
        case workerStarted, workerStopped, workerCrashed, workerStartFailed
        case moduleFailed, endpointFailed
    }

    /// Counts from 1, without gaps.
    let number: UInt64
    /// Nanoseconds since 1970 UTC.
    let wallNanoseconds: Int64
    let kind: Kind
    /// The site, pool or application it is about; empty: the daemon.
    let subject: String
    /// The process it is about.
    var pid: Int32?
    /// What happened, and why.
    let text: String
}
