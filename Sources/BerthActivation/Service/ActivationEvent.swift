/// What the owner of activation must pass on or write down, in the order in which it happened.
public enum ActivationEvent: Sendable, Equatable {
    /// The loops shall forward the application's requests to these from now on; none: it has no ready worker.
    /// A later generation replaces an earlier one.
    case publish(ApplicationID, generation: UInt64, endpoints: [ReadyEndpoint])
    /// The start that requests are waiting for failed: all that wait now get 502.5. The next request asks anew.
    case failed(ApplicationID, StartFailure)
    /// The loops shall answer the pool's requests 503, or queue them again.
    case poolState(PoolID, PoolState)
    /// Post it to the loops after the `publish` before it; report `workerDrained` when no loop has a request on the worker.
    case drain(WorkerID, ApplicationID)
    /// Send `POST .../iisintegration` there with its token, and report `shutdownMessageAnswered`.
    case sendShutdownMessage(WorkerID, ApplicationID, ReadyEndpoint)

    /// A process was made.
    case workerStarted(WorkerSummary)
    /// It listens.
    case workerReady(WorkerSummary)
    /// It ended as it was told; `killed`: only because it was killed when its time was over (events 1005, 5013).
    case workerStopped(WorkerSummary, StopReason, WorkerExit, killed: Bool)
    /// It ended unasked (events 1030, 5009). The next request starts another.
    case workerCrashed(WorkerSummary, WorkerExit, lastLines: [String])
    /// The start of a replacement failed, and the old workers serve on (event 5093).
    case recycleFailed(ApplicationID, Recycling.Reason, StartFailure)
    /// A worker wrote a line.
    case output(ApplicationID, OutputLine)
    /// The last worker of an application that was removed has ended.
    case removed(ApplicationID)
    /// After `stopAll`: no worker is left.
    case allStopped
}
