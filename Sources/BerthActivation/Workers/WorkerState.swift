/// What a worker is doing, for an administrator. Source: the run-time states of IIS (Starting, Running, Stopping).
public enum WorkerState: Sendable, Equatable {
    /// Waiting until it listens.
    case starting
    case running
    /// Takes no new request, and is on its way out.
    case stopping
    /// Gone.
    case ended
}
