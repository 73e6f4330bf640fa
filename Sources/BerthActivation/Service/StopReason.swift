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
