/// The lowest rate at which a client may take a response, or none.
public enum SendRateLimit: Sendable, Hashable {
    case octetsPerSecond(Int)
    /// `"off"`.
    case off
}
