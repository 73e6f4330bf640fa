import CBerthSystem

/// What must be exact about one site over all loops: its connections. And its switch. Any thread.
///
/// A connection is charged to the site of its first request, and moves when a later request belongs to another
/// (HTTP.sys charges a connection when a request is routed).
public struct SiteCounters: @unchecked Sendable, BitwiseCopyable, Equatable {
    private struct Words {
        var connections: UInt64 = 0
        var connectionsMax: UInt64 = .max
        var started: UInt64 = 1
        var reserved: (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
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

    /// Charges one connection; false when the site is at its limit (503 ConnLimit).
    func charge() -> Bool {
        if cberth_atomic_add(&words.pointee.connections, 1) <= connectionsMax { return true }
        _ = cberth_atomic_subtract(&words.pointee.connections, 1)
        return false
    }

    func discharge() { _ = cberth_atomic_subtract(&words.pointee.connections, 1) }
}
