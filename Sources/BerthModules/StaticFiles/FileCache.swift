internal import CBerthModule
internal import Glibc

/// The files one application has at hand on one loop, found by the path of the request. Bounded in entries, octets and
/// descriptors, by itself and together with all other caches (`FileBudget`).
///
/// Open addressing over pointers, in a table that grows with its entries; what was not asked for since the hand last passed
/// makes room first (CLOCK). An entry that is thrown out lives on while a request still sends it.
struct FileCache {
    /// Files. Ours.
    static let entriesMax = 1024
    /// Octets of content of all small files. Ours.
    static let contentMax = 8 << 20
    /// Descriptors of larger files. Ours.
    static let descriptorsMax = 128
    /// Slots of an empty table: powers of two, at most a quarter of them taken.
    private static let smallestTable = 16

    private typealias Table = UnsafeMutablePointer<UnsafeMutablePointer<FileEntry>?>
    private let budget: Unmanaged<FileBudget>
    private var table: Table
    private var tableSize = smallestTable
    private(set) var count = 0
    private(set) var contentOctets = 0
    private(set) var descriptorCount = 0
    private var hand = 0

    /// `budget` must outlive the cache.
    init(_ budget: FileBudget) {
        self.budget = .passUnretained(budget)
        table = Self.makeTable(Self.smallestTable)
    }

    private static func makeTable(_ size: Int) -> Table {
        let table = Table.allocate(capacity: size)
        table.initialize(repeating: nil, count: size)
        return table
    }

    /// Lets go of everything. Entries that requests still send stay until those end.
    mutating func removeAll() { keep { _ in false } }

    /// Lets go of what was not asked for since the last time.
    mutating func removeUnused() {
        keep { entry in
            defer { entry.pointee.wasUsed = false }
            return entry.pointee.wasUsed
        }
    }

    func deallocate() { table.deallocate() }

    /// Lets go of the entries of which `isKept` is false, and moves the others into a table of their size.
    private mutating func keep(_ isKept: (UnsafeMutablePointer<FileEntry>) -> Bool) {
        for index in 0..<tableSize {
            guard let entry = table[index], !isKept(entry) else { continue }
            table[index] = nil
            letGo(entry)
        }
        var size = Self.smallestTable
        while size < 4 * count { size *= 2 }
        resize(to: size)
    }

    private mutating func resize(to size: Int) {
        let (old, oldSize) = (table, tableSize)
        (table, tableSize, hand) = (Self.makeTable(size), size, 0)
        for index in 0..<oldSize {
            if let entry = old[index] { place(entry) }
        }
        old.deallocate()
    }

    private func place(_ entry: UnsafeMutablePointer<FileEntry>) {
        var index = Int(truncatingIfNeeded: entry.pointee.hash) & (tableSize - 1)
        while table[index] != nil { index = (index + 1) & (tableSize - 1) }
        table[index] = entry
    }

    /// After its slot was emptied.
    private mutating func letGo(_ entry: UnsafeMutablePointer<FileEntry>) {
        count -= 1
        if entry.pointee.fd < 0 { contentOctets -= entry.pointee.size } else { descriptorCount -= 1 }
        budget._withUnsafeGuaranteedRef { $0.giveRoomBack(of: entry) }
        entry.pointee.isCached = false
        entry.freeIfUnused()
    }

    /// A hash of a path. Whoever makes paths collide makes look-ups longer, not longer than the entries there can be;
    /// `seed` is random and keeps him from knowing which do.
    @inline(__always)
    static func hash(_ path: berth_octets, seed: UInt64) -> UInt64 {
        guard let start = path.start else { return seed }
        let octets = UnsafeRawPointer(start)
        let length = path.length
        var hash = seed ^ UInt64(length)
        var index = 0
        while index &+ 8 <= length {
            hash = mix(hash, octets.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            index &+= 8
        }
        if index < length {
            if length >= 8 {
                hash = mix(hash, octets.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self))
            } else {
                var word: UInt64 = 0
                while index < length {
                    word = word &<< 8 | UInt64(start[index])
                    index &+= 1
                }
                hash = mix(hash, word)
            }
        }
        return hash ^ hash &>> 32
    }

    @inline(__always)
    private static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return product.high ^ product.low
    }

    @inline(__always)
    func find(_ path: berth_octets, _ hash: UInt64) -> UnsafeMutablePointer<FileEntry>? {
        var index = Int(truncatingIfNeeded: hash) & (tableSize &- 1)
        while let entry = table[index] {
            if entry.pointee.hash == hash, entry.pointee.key.equals(path) { return entry }
            index = (index &+ 1) & (tableSize &- 1)
        }
        return nil
    }

    /// Takes an entry, in place of the one with its key if there is one. False: all caches together are full, and this one
    /// has nothing to give up for it; the entry is as it was.
    mutating func insert(_ entry: UnsafeMutablePointer<FileEntry>) -> Bool {
        if let old = find(entry.pointee.key, entry.pointee.hash) { remove(old) }
        let isSmall = entry.pointee.fd < 0
        while count >= Self.entriesMax || isSmall && contentOctets + entry.pointee.size > Self.contentMax
            || !isSmall && descriptorCount >= Self.descriptorsMax
        {
            removeOne(withDescriptor: count >= Self.entriesMax ? nil : !isSmall)
        }
        while !budget._withUnsafeGuaranteedRef({ $0.takeRoom(for: entry) }) {
            guard isSmall ? contentOctets > 0 : descriptorCount > 0 else { return false }
            removeOne(withDescriptor: !isSmall)
        }
        if 4 * (count + 1) > tableSize { resize(to: 2 * tableSize) }
        place(entry)
        entry.pointee.isCached = true
        count += 1
        if isSmall { contentOctets += entry.pointee.size } else { descriptorCount += 1 }
        return true
    }

    /// Throws an entry out. It must be in the cache.
    mutating func remove(_ entry: UnsafeMutablePointer<FileEntry>) {
        var index = Int(truncatingIfNeeded: entry.pointee.hash) & (tableSize - 1)
        while let other = table[index], other != entry { index = (index + 1) & (tableSize - 1) }
        guard table[index] == entry else { return }
        removeSlot(index)
    }

    /// The hand goes round until it finds one of that kind that wasn't asked for; twice round at most.
    private mutating func removeOne(withDescriptor: Bool?) {
        for _ in 0..<2 * tableSize {
            let index = hand
            hand = (hand + 1) & (tableSize - 1)
            guard let entry = table[index] else { continue }
            if let withDescriptor, withDescriptor != (entry.pointee.fd >= 0) { continue }
            if entry.pointee.wasUsed {
                entry.pointee.wasUsed = false
            } else {
                return removeSlot(index)
            }
        }
    }

    private mutating func removeSlot(_ slot: Int) {
        guard let entry = table[slot] else { return }
        table[slot] = nil
        // Close the gap: entries behind it that would no longer be found move up (Knuth 6.4, algorithm R).
        var gap = slot
        var index = (slot + 1) & (tableSize - 1)
        while let other = table[index] {
            let home = Int(truncatingIfNeeded: other.pointee.hash) & (tableSize - 1)
            if (index - home) & (tableSize - 1) >= (index - gap) & (tableSize - 1) {
                table[gap] = other
                table[index] = nil
                gap = index
            }
            index = (index + 1) & (tableSize - 1)
        }
        letGo(entry)
    }
}
