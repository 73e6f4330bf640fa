/// Whether a pool takes requests. Source: the run-time states of IIS.
public enum PoolState: Sendable, Equatable {
    case started
    /// Its workers are on their way out.
    case stopping(PoolStopCause)
    /// Requests are answered 503 until somebody starts it.
    case stopped(PoolStopCause)
}

/// Why a pool does not take requests.
public enum PoolStopCause: Sendable, Equatable {
    case administrator
    /// Too many crashes in too short a time (event 5002); its requests get 503 `AppOffline`.
    case rapidFail
    /// `autoStart` is false.
    case configuration
}
