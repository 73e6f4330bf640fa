/// What `start`, `stop` and `recycle` did to a site or a pool.
///
/// Asking for what is already so is no failure: then `state` and `previousState` are the same.
public struct ActionResult: Codable, Sendable, Equatable {
    public enum Subject: String, WireChoice {
        case site
        case pool
        case unknown
    }

    public var subject: Subject
    public var name: String
    public var previousState: RunState
    /// Right after the action: `stopping` while requests are being finished.
    public var state: RunState
    /// The number of the event that the action was recorded under.
    public var event: UInt64?

    public init(subject: Subject, name: String, previousState: RunState, state: RunState, event: UInt64? = nil) {
        (self.subject, self.name, self.previousState) = (subject, name, previousState)
        (self.state, self.event) = (state, event)
    }
}
