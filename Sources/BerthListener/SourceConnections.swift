import CBerthSystem
import Glibc

/// Connections by source address over all loops, exact, so that one client cannot have them all.
///
/// An IPv4 address is a source, of IPv6 the first 64 bits are (what one customer gets); Unix sockets are not counted. One open
/// hash table of 16 octets an entry, with room for twice as many sources as the daemon has connections, touched as it fills.
/// A lock is held for some tens of nanoseconds when a connection opens or closes, never for a request, and only while a
/// limit is set. Any thread.
public final class SourceConnections: @unchecked Sendable {
    private struct Entry: BitwiseCopyable {
        /// The address, in the order of the network.
        var source: UInt64
        /// 4 or 6; 0: free.
        var family: UInt32
        var count: UInt32
    }

    /// 0: off. Atomic.
    private let limitWord: UnsafeMutablePointer<UInt64>
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    // Guarded by `lock`.
    private let entries: UnsafeMutablePointer<Entry>
    private var used = 0
    private let mask: Int
    /// So that nobody can choose addresses that all fall together.
    private let seed: UInt64

    /// - Parameter connectionsMax: connections of the daemon, and so the sources there can be.
    /// Nil: there is no memory for it.
    public init?(connectionsMax: Int) {
        var slots = 16
        while slots < connectionsMax * 2 { slots *= 2 }
        // Fresh pages are zero, which is a free entry.
        guard let memory = cberth_reserve(slots * MemoryLayout<Entry>.stride) else { return nil }
        entries = memory.assumingMemoryBound(to: Entry.self)
        mask = slots - 1
        var random: UInt64 = 0
        _ = cberth_random(&random, MemoryLayout<UInt64>.size)
        seed = random
        limitWord = .allocate(capacity: 1)
        limitWord.initialize(to: 0)
        lock = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
    }

    deinit {
        munmap(entries, (mask + 1) * MemoryLayout<Entry>.stride)
        pthread_mutex_destroy(lock)
        lock.deallocate()
        limitWord.deallocate()
    }

    /// Connections a source may have; nil: as many as it likes. Connections that opened while there was no limit do not count.
    public var limit: UInt32? {
        get {
            let limit = cberth_atomic_load(limitWord)
            return limit == 0 ? nil : UInt32(truncatingIfNeeded: limit)
        }
        set { cberth_atomic_store(limitWord, UInt64(newValue ?? 0)) }
    }

    @inline(__always)
    var isOn: Bool { cberth_atomic_load_relaxed(limitWord) != 0 }

    /// Sources that have connections now.
    public var sourceCount: Int {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return used
    }

    /// Counts a connection; false when its source has as many as it may. Nil: it has no address to count.
    func opened(_ peer: cberth_address) -> Bool? {
        guard let (source, family) = Self.source(of: peer) else { return nil }
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        let slot = slot(of: source, family)
        let limit = cberth_atomic_load_relaxed(limitWord)
        if entries[slot].family == 0 {
            // Every connection is one source at most, so that half of the slots are always free.
            if used >= mask { return false }
            entries[slot] = Entry(source: source, family: family, count: 1)
            used += 1
            return true
        }
        if limit != 0 && UInt64(entries[slot].count) >= limit { return false }
        entries[slot].count &+= 1
        return true
    }

    /// A connection that `opened` counted is closed.
    func closed(_ peer: cberth_address) {
        guard let (source, family) = Self.source(of: peer) else { return }
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        let slot = slot(of: source, family)
        assert(entries[slot].family != 0, "a connection is closed that was not counted")
        if entries[slot].family == 0 { return }
        entries[slot].count &-= 1
        if entries[slot].count == 0 { remove(slot) }
    }

    /// The entry of a source, or the free one where it belongs.
    private func slot(of source: UInt64, _ family: UInt32) -> Int {
        var slot = home(of: source, family)
        while entries[slot].family != 0 && (entries[slot].source != source || entries[slot].family != family) {
            slot = (slot + 1) & mask
        }
        return slot
    }

    /// Frees an entry and moves those behind it up, so that no look-up meets a gap before it is there.
    private func remove(_ slot: Int) {
        used -= 1
        var gap = slot
        var next = (slot + 1) & mask
        while entries[next].family != 0 {
            let home = home(of: entries[next].source, entries[next].family)
            if (next - home) & mask >= (next - gap) & mask {
                entries[gap] = entries[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        entries[gap] = Entry(source: 0, family: 0, count: 0)
    }

    private func home(of source: UInt64, _ family: UInt32) -> Int {
        var h = (source ^ seed) &* 0x9e37_79b9_7f4a_7c15
        h = (h ^ (h &>> 32) ^ UInt64(family)) &* 0xbf58_476d_1ce4_e5b9
        return Int(truncatingIfNeeded: h ^ (h &>> 29)) & mask
    }

    private static func source(of peer: cberth_address) -> (UInt64, UInt32)? {
        withUnsafeBytes(of: peer.bytes) { octets in
            switch peer.family {
            case 4: return (UInt64(octets.loadUnaligned(as: UInt32.self)), 4)
            case 6:
                let high = octets.loadUnaligned(as: UInt64.self)
                // ::ffff:192.0.2.1 is 192.0.2.1 on a socket for both.
                let middle = UInt32(bigEndian: octets.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
                if high == 0 && middle == 0xffff {
                    return (UInt64(octets.loadUnaligned(fromByteOffset: 12, as: UInt32.self)), 4)
                }
                return (high, 6)
            default: return nil
            }
        }
    }
}
