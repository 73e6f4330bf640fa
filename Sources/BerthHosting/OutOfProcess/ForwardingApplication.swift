import BerthEventLoop
import BerthListener

/// An out-of-process application as one loop knows it: its workers, and the requests that wait for one.
///
/// Lives outside configuration snapshots under a number that stays, so a reload that does not change it touches nothing
/// here. Memory that was never configured is all zero. Loop thread only.
struct ForwardingApplication {
    var forwarder: Forwarder?
    var number: UInt32
    var isConfigured: Bool
    /// Activation was asked for a worker and has not answered.
    var startRequested: Bool
    /// A reason page of the application itself is shown instead (`app_offline.htm`).
    var isOffline: Bool
    var retryArmed: Bool
    var requestTimeout: UInt64
    var queueTimeLimit: UInt64
    var idleTime: UInt64
    var connectionsMax: UInt32
    var idleConnectionsMax: UInt32
    var isManaged: Bool
    var disablesStartUpErrorPage: Bool
    var forwardsUpgrades: Bool
    var workers: UnsafeMutablePointer<WorkerEndpoint>?
    var workerCount: Int
    var workerCapacity: Int
    /// Index + 1 of the exchange that waits longest, and of the latest.
    var waitingFirst: UInt32
    var waitingLast: UInt32
    /// Index + 1 of the latest exchange whose worker may be dying.
    var doubtFirst: UInt32
    /// Why the latest start failed, for administrators; on the heap.
    var failure: OctetRun
    var offlinePage: OctetRun
    var counters: ForwardingCounters
}
