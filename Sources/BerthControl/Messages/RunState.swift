/// Whether a site or an application pool takes requests.
///
/// The states of the original's run-time interface (Starting 0, Started 1, Stopping 2, Stopped 3, Unknown 4).
public enum RunState: String, WireChoice {
    /// Waiting for its bindings (a site) or its first worker (a pool that is always running).
    case starting
    /// Takes requests. A pool that starts its workers on demand is started while it has none.
    case started
    /// Takes no new request; the running ones are being finished.
    case stopping
    /// Answers 503 until somebody starts it.
    case stopped
    case unknown
}
