import CBerthSystem

/// Hands out the lowest free index below a limit, in constant time: three levels of bitmaps, 64 ways each.
///
/// Lowest first, so that what is in use stays at the front and the pages behind it can be given back. The lowest word with a
/// free index is kept aside, so that the bitmaps are looked at when it is used up, and when an index outside of it comes back.
/// Cost: about 10 instructions for an index of that word, else 60. Loop thread only.
public struct IndexAllocator: BitwiseCopyable {
    /// 64 * 64 * 64.
    public static let capacityMax = 262_144

    /// Exclusive upper bound of the indices handed out.
    public let capacity: Int
    /// Indices in use.
    @inlinable @inline(__always) public var count: Int { used }
    @usableFromInline var used = 0
    /// One above the highest index that was used since the last `trim`.
    @inlinable @inline(__always) public var highWater: Int { high }
    @usableFromInline var high = 0
    /// The word that is kept aside; its bits in `leaves` are out of date. No word before it has a free index.
    @usableFromInline var word = 0
    /// A set bit: that index of the word is free.
    @usableFromInline var free: UInt64

    /// A set bit: in use.
    @usableFromInline let leaves: UnsafeMutablePointer<UInt64>
    /// A set bit: that word of the level below is full.
    private let branches: UnsafeMutablePointer<UInt64>
    private var root: UInt64 = 0

    /// - Parameter capacity: 1 through `capacityMax`; more is cut.
    public init?(capacity: Int) {
        self.capacity = min(max(capacity, 1), Self.capacityMax)
        guard let memory = cberth_reserve((4096 + 64) * 8) else { return nil }
        leaves = memory.bindMemory(to: UInt64.self, capacity: 4096 + 64)
        branches = leaves + 4096
        free = 0
        free = indices(of: 0)
    }

    /// The bits of a word that stand for an index below the limit.
    private func indices(of word: Int) -> UInt64 {
        let left = capacity &- word &* 64
        return left >= 64 ? .max : (1 &<< UInt64(left)) &- 1
    }

    /// The lowest free index, or nil when all are in use.
    @inlinable @inline(__always)
    public mutating func allocate() -> Int? {
        if free == 0 && !takeNextWord() { return nil }
        let index = word &* 64 &+ free.trailingZeroBitCount
        free &= free &- 1
        used &+= 1
        if index >= high { high = index &+ 1 }
        return index
    }

    /// Puts the word that is used up back, and the lowest one with a free index aside.
    @usableFromInline @inline(never)
    mutating func takeNextWord() -> Bool {
        putBack()
        if root == .max { return false }
        let branch = (~root).trailingZeroBitCount
        word = branch &* 64 &+ (~branches[branch]).trailingZeroBitCount
        if word &* 64 >= capacity {
            word &-= 1
            free = 0
            return false
        }
        free = ~leaves[word] & indices(of: word)
        return free != 0
    }

    /// Brings the bitmaps up to date.
    private mutating func putBack() {
        leaves[word] = indices(of: word) & ~free
        branches[word &>> 6] &= ~(1 &<< UInt64(word & 63))
        root &= ~(1 &<< UInt64(word &>> 6))
        if leaves[word] == .max {
            branches[word &>> 6] |= 1 &<< UInt64(word & 63)
            if branches[word &>> 6] == .max { root |= 1 &<< UInt64(word &>> 6) }
        }
    }

    @inlinable @inline(__always)
    public mutating func free(_ index: Int) {
        precondition(isUsed(index), "an index is given back once")
        used &-= 1
        if index &>> 6 == word { free |= 1 &<< UInt64(truncatingIfNeeded: index & 63) } else { freeInBitmaps(index) }
    }

    @usableFromInline @inline(never)
    mutating func freeInBitmaps(_ index: Int) {
        let other = index &>> 6
        leaves[other] &= ~(1 &<< UInt64(index & 63))
        branches[other &>> 6] &= ~(1 &<< UInt64(other & 63))
        root &= ~(1 &<< UInt64(other &>> 6))
        if other < word {
            putBack()
            word = other
            free = ~leaves[other] & indices(of: other)
        }
    }

    /// Whether `index` is in use.
    @inlinable @inline(__always)
    public func isUsed(_ index: Int) -> Bool {
        if index < 0 || index >= capacity { return false }
        let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: index & 63)
        return index &>> 6 == word ? free & bit == 0 : leaves[index &>> 6] & bit != 0
    }

    /// Lowers `highWater` to one above the highest index in use and answers what it was.
    public mutating func trim() -> Int {
        putBack()
        let before = high
        var last = (before &+ 63) / 64
        while last > 0 && leaves[last &- 1] == 0 { last &-= 1 }
        high = last == 0 ? 0 : (last &- 1) &* 64 &+ (64 &- leaves[last &- 1].leadingZeroBitCount)
        return before
    }
}
