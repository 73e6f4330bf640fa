import BerthEventLoop
import BerthListener
import CBerthSystem

/// An out-of-process application as one loop knows it: its workers, and the requests that wait for one.
///
/// Lives outside configuration snapshots under a number that stays, so a reload that does not change it touches nothing
/// here. Memory that was never configured is all zero. Loop thread only, but for the counters.
struct ForwardingApplication {
    var forwarder: Forwarder?
    /// Second, so that their address is known: the loop counts with `count`, other threads read with `counted`.
    private var counters: ForwardingCounters
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
    var doubtTime: UInt64
    var refusedTime: UInt64
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
}

extension UnsafeMutablePointer<ForwardingApplication> {
    @inline(__always)
    private var words: UnsafeMutablePointer<UInt64> {
        (UnsafeMutableRawPointer(self) + MemoryLayout<Forwarder?>.stride).assumingMemoryBound(to: UInt64.self)
    }

    /// Loop thread only.
    @inline(__always)
    func count(_ word: ForwardingCounters.Word, _ more: Int64 = 1) {
        cberth_count(words + word.rawValue, UInt64(bitPattern: more))
    }

    /// Any thread.
    var counted: ForwardingCounters {
        func value(_ word: ForwardingCounters.Word) -> UInt64 { cberth_atomic_load_relaxed(words + word.rawValue) }
        var counters = ForwardingCounters()
        counters.forwarded = value(.forwarded)
        counters.connections = value(.connections)
        counters.repeated = value(.repeated)
        counters.waited = value(.waited)
        counters.failures = value(.failures)
        counters.tunnels = value(.tunnels)
        counters.running = value(.running)
        return counters
    }
}
