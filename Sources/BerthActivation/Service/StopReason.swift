/// Why a worker was stopped.
public enum StopReason: Sendable, Equatable {
    /// No requests for the pool's idle timeout.
    case idle
    /// Replaced by another.
    case recycled(Recycling.Reason)
    /// `app_offline.htm`.
    case offline
    /// Its pool was stopped, or its application.
    case stopped
    /// Its application is no longer configured.
    case removed
    /// The daemon ends.
    case daemonStopping
    /// It did not answer when it was asked whether it lives.
    case unresponsive
}

/// In the words of the journal.
extension StopReason: CustomStringConvertible {
    public var description: String {
        switch self {
        case .idle: "idle"
        case .recycled(let reason): "recycled: \(reason)"
        case .offline: "offline"
        case .stopped: "its pool was stopped"
        case .removed: "no longer configured"
        case .daemonStopping: "the daemon stops"
        case .unresponsive: "unresponsive"
        }
    }
}
