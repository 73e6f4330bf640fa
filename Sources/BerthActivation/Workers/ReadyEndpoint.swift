/// What a loop needs to forward a request: where, with which token, and whose answer it is.
public struct ReadyEndpoint: Hashable, Sendable {
    public let endpoint: WorkerEndpoint
    /// Nil: the worker was told none (an application that somebody else runs).
    public let token: PairingToken?
    /// Nil for an application that somebody else runs.
    public let worker: WorkerID?

    public init(endpoint: WorkerEndpoint, token: PairingToken?, worker: WorkerID?) {
        (self.endpoint, self.token, self.worker) = (endpoint, token, worker)
    }
}
