import CBerthSystem

/// What must be exact about one site over all loops: its connections. And its switch and its timers. Any thread.
///
/// A connection is charged to the site of its first request, and moves when a later request belongs to another
/// (HTTP.sys charges a connection when a request is routed).
public struct SiteCounters: @unchecked Sendable, BitwiseCopyable, Equatable {
    private struct Words {
        var connections: UInt64 = 0
        var connectionsMax: UInt64 = .max
        var started: UInt64 = 1
        // As `ListenerTimers` has them; 0: as the daemon's.
        var idleConnection: UInt64 = 0
        var headerWait: UInt64 = 0
        var entityBody: UInt64 = 0
        var drainEntityBody: UInt64 = 0
        var minSendRate: UInt64 = 0
    }

    private let words: UnsafeMutablePointer<Words>

    /// Counters that live as long as the process.
    public init(connectionsMax: UInt64 = .max) {
        words = .allocate(capacity: 1)
        words.initialize(to: Words(connectionsMax: connectionsMax))
    }

    public var connections: UInt64 { cberth_atomic_load(&words.pointee.connections) }

    /// IIS `limits.maxConnections`.
    public var connectionsMax: UInt64 {
        get { cberth_atomic_load(&words.pointee.connectionsMax) }
        nonmutating set { cberth_atomic_store(&words.pointee.connectionsMax, newValue) }
    }

    /// False: stopped by an administrator; every request is answered 503.
    @inline(__always)
    public var isStarted: Bool {
        get { cberth_atomic_load_relaxed(&words.pointee.started) != 0 }
        nonmutating set { cberth_atomic_store(&words.pointee.started, newValue ? 1 : 0) }
    }

    /// The site's own timers, in force for what waits from now on.
    public var timers: ListenerTimers {
        get {
            ListenerTimers(
                idleConnection: cberth_atomic_load_relaxed(&words.pointee.idleConnection),
                headerWait: cberth_atomic_load_relaxed(&words.pointee.headerWait),
                entityBody: cberth_atomic_load_relaxed(&words.pointee.entityBody),
                drainEntityBody: cberth_atomic_load_relaxed(&words.pointee.drainEntityBody),
                minSendRate: cberth_atomic_load_relaxed(&words.pointee.minSendRate))
        }
        nonmutating set {
            cberth_atomic_store_relaxed(&words.pointee.idleConnection, newValue.idleConnection)
            cberth_atomic_store_relaxed(&words.pointee.headerWait, newValue.headerWait)
            cberth_atomic_store_relaxed(&words.pointee.entityBody, newValue.entityBody)
            cberth_atomic_store_relaxed(&words.pointee.drainEntityBody, newValue.drainEntityBody)
            cberth_atomic_store_relaxed(&words.pointee.minSendRate, newValue.minSendRate)
        }
    }

    /// 0: the site has none of its own. The one that is asked for with every request.
    @inline(__always)
    var idleConnection: UInt64 { cberth_atomic_load_relaxed(&words.pointee.idleConnection) }

    /// Charges one connection; false when the site is at its limit (503 ConnLimit).
    func charge() -> Bool {
        if cberth_atomic_add(&words.pointee.connections, 1) <= connectionsMax { return true }
        _ = cberth_atomic_subtract(&words.pointee.connections, 1)
        return false
    }

    func discharge() { _ = cberth_atomic_subtract(&words.pointee.connections, 1) }
}
