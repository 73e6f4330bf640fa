import CBerthSystem

/// Hands out the lowest free index below a limit, in constant time: three levels of bitmaps, 64 ways each.
///
/// Lowest first, so that what is in use stays at the front and the pages behind it can be given back. An index that comes
/// back while all below it are in use is kept aside, and is the next one handed out without a look at the bitmaps.
/// Cost: about 10 instructions for such an index, else 40. Loop thread only.
public struct IndexAllocator: BitwiseCopyable {
    /// 64 * 64 * 64.
    public static let capacityMax = 262_144

    /// Exclusive upper bound of the indices handed out.
    public let capacity: Int
    /// Indices in use.
    @inlinable @inline(__always) public var count: Int { used }
    @usableFromInline var used = 0
    /// One above the highest index that was used since the last `trim`.
    public private(set) var highWater = 0
    /// A free index whose bits say "in use", or -1. Always the lowest free one.
    @usableFromInline var spare = -1
    /// Every index below this is in use, or the spare one.
    @usableFromInline var floor = 0

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
    }

    /// The lowest free index, or nil when all are in use.
    @inlinable @inline(__always)
    public mutating func allocate() -> Int? {
        let index = spare
        if index < 0 { return allocateFromBitmaps() }
        spare = -1
        used &+= 1
        return index
    }

    @usableFromInline @inline(never)
    mutating func allocateFromBitmaps() -> Int? {
        if root == .max { return nil }
        let r = (~root).trailingZeroBitCount
        let b = (~branches[r]).trailingZeroBitCount
        let word = r &* 64 &+ b
        let leaf = (~leaves[word]).trailingZeroBitCount
        let index = word &* 64 &+ leaf
        if index >= capacity { return nil }
        leaves[word] |= 1 &<< UInt64(leaf)
        if leaves[word] == .max {
            branches[r] |= 1 &<< UInt64(b)
            if branches[r] == .max { root |= 1 &<< UInt64(r) }
        }
        used &+= 1
        floor = index &+ 1
        if index >= highWater { highWater = index &+ 1 }
        return index
    }

    @inlinable @inline(__always)
    public mutating func free(_ index: Int) {
        precondition(isUsed(index), "an index is given back once")
        used &-= 1
        if spare < 0 && index < floor { spare = index } else { freeInBitmaps(index) }
    }

    @usableFromInline @inline(never)
    mutating func freeInBitmaps(_ index: Int) {
        var cleared = index
        if index < spare { (spare, cleared) = (index, spare) }
        if cleared < floor { floor = cleared }
        clear(cleared)
    }

    private mutating func clear(_ index: Int) {
        let word = index &>> 6
        leaves[word] &= ~(1 &<< UInt64(index & 63))
        branches[word &>> 6] &= ~(1 &<< UInt64(word & 63))
        root &= ~(1 &<< UInt64(word &>> 6))
    }

    /// Whether `index` is in use.
    @inlinable @inline(__always)
    public func isUsed(_ index: Int) -> Bool {
        index >= 0 && index < capacity && leaves[index &>> 6] & (1 &<< UInt64(truncatingIfNeeded: index & 63)) != 0
            && index != spare
    }

    /// Lowers `highWater` to one above the highest index in use and answers what it was.
    public mutating func trim() -> Int {
        if spare >= 0 {
            clear(spare)
            floor = spare
            spare = -1
        }
        let before = highWater
        var word = (before &+ 63) / 64
        while word > 0 && leaves[word &- 1] == 0 { word &-= 1 }
        highWater = word == 0 ? 0 : (word &- 1) &* 64 &+ (64 &- leaves[word &- 1].leadingZeroBitCount)
        return before
    }
}
