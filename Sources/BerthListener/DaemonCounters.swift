import CBerthSystem

/// Connections of the daemon over all loops, exact. Any thread.
public struct DaemonCounters: @unchecked Sendable, BitwiseCopyable {
    private let words: UnsafeMutablePointer<UInt64>

    public init() {
        words = .allocate(capacity: 8)
        words.initialize(repeating: 0, count: 8)
    }

    public var connections: UInt64 { cberth_atomic_load(words) }

    func opened(limit: UInt64) -> Bool {
        if cberth_atomic_add(words, 1) <= limit { return true }
        _ = cberth_atomic_subtract(words, 1)
        return false
    }

    func closed() { _ = cberth_atomic_subtract(words, 1) }
}
