/// What the machines decided and their owner has to do: actions for the driver, events for the owner of activation.
struct ActivationEffects {
    enum Action: Equatable {
        /// Everything a worker asks for but reports, which its application has dealt with.
        case worker(WorkerID, ApplicationID, WorkerProcess.Action)
        /// The machine has forgotten the worker.
        case forget(WorkerID)
    }

    var actions: [Action] = []
    var events: [ActivationEvent] = []
    /// Pools that lost a worker that counts for them.
    var poolCrashes: [PoolID] = []
    /// The latest number given to a worker.
    private var lastWorker: UInt32 = 0

    mutating func nextWorkerID() -> WorkerID {
        lastWorker &+= 1
        if lastWorker == 0 { lastWorker = 1 }
        return WorkerID(rawValue: lastWorker)
    }
}
