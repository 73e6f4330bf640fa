/// What asking for request content answers.
public enum ContentOutcome: BitwiseCopyable {
    /// Why there will be no more.
    public enum Failure: UInt8, Sendable, BitwiseCopyable {
        /// The client has left.
        case gone
        /// Longer than the limit: 413.
        case tooLarge
        /// Not framed as announced: 400.
        case malformed
        /// The entity-body limit has passed.
        case timedOut
    }

    /// Octets that may be read until `consumeContent` says how many were taken.
    case octets(UnsafePointer<UInt8>, Int)
    /// Nothing now; `Request.Events.readable` follows.
    case wait
    /// All was delivered.
    case end
    case failed(Failure)
}
