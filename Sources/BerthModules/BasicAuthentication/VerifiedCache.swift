/// Credentials that were verified a moment ago, on one loop, so that a browser's next request costs no crypt(3).
///
/// An entry is a keyed hash of 128 bits over user, password and the generation of the file, never the password.
struct VerifiedCache {
    /// Entries; a power of two. Ours.
    static let capacity = 1024
    /// Entries among which a hash may lie.
    private static let ways = 4
    struct Key: Equatable {
        let low: UInt64
        let high: UInt64
    }

    private struct Entry {
        var key: Key
        var expiresAt: UInt64
    }

    private let entries: UnsafeMutablePointer<Entry>
    /// Time an entry is believed, in nanoseconds; 0: nothing is remembered.
    private let timeToLive: UInt64

    init(timeToLive: UInt64) {
        self.timeToLive = timeToLive
        entries = .allocate(capacity: Self.capacity)
        entries.initialize(repeating: Entry(key: Key(low: 0, high: 0), expiresAt: 0), count: Self.capacity)
    }

    func deallocate() { entries.deallocate() }

    /// The key of credentials: `user`, a colon, the password, `count` octets in all.
    static func key(
        _ octets: UnsafePointer<UInt8>, _ count: Int, generation: UInt64, _ keys: (UInt64, UInt64, UInt64, UInt64)
    ) -> Key {
        var first = SipHash(keys.0, keys.1)
        var second = SipHash(keys.2, keys.3)
        first.add(generation)
        second.add(generation)
        first.add(octets, count)
        second.add(octets, count)
        return Key(low: first.finish(), high: second.finish())
    }

    func contains(_ key: Key, at now: UInt64) -> Bool {
        let start = Int(key.low & UInt64(Self.capacity - 1)) & ~(Self.ways - 1)
        for index in start..<start + Self.ways where entries[index].key == key { return entries[index].expiresAt > now }
        return false
    }

    /// Takes the place of the entry that ends first.
    func insert(_ key: Key, at now: UInt64) {
        let start = Int(key.low & UInt64(Self.capacity - 1)) & ~(Self.ways - 1)
        var victim = start
        for index in start..<start + Self.ways {
            if entries[index].key == key {
                victim = index
                break
            }
            if entries[index].expiresAt < entries[victim].expiresAt { victim = index }
        }
        entries[victim] = Entry(key: key, expiresAt: now &+ timeToLive)
    }
}
