/// Whom a worker runs as.
public struct WorkerIdentity: Hashable, Sendable {
    public var user: UInt32
    /// Nil: the user's own.
    public var group: UInt32?
    /// Given to the worker as `USER` and `LOGNAME`.
    public var name: String?
    /// Given to the worker as `HOME`.
    public var home: String?

    public init(user: UInt32, group: UInt32? = nil, name: String? = nil, home: String? = nil) {
        (self.user, self.group, self.name, self.home) = (user, group, name, home)
    }
}
