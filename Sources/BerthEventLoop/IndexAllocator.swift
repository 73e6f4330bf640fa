import CBerthSystem

/// Hands out the lowest free index below a limit, in constant time: three levels of bitmaps, 64 ways each.
///
/// Lowest first, so that what is in use stays at the front and the pages behind it can be given back.
/// Cost: about 15 instructions. Loop thread only.
public struct IndexAllocator: BitwiseCopyable {
    /// 64 * 64 * 64.
    public static let capacityMax = 262_144

    /// Exclusive upper bound of the indices handed out.
    public let capacity: Int
    /// Indices in use.
    public private(set) var count = 0
    /// One above the highest index that was used since the last `trim`.
    public private(set) var highWater = 0

    /// A set bit: in use.
    private let leaves: UnsafeMutablePointer<UInt64>
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
    public mutating func allocate() -> Int? {
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
        count &+= 1
        if index >= highWater { highWater = index &+ 1 }
        return index
    }

    public mutating func free(_ index: Int) {
        let word = index &>> 6
        let bit: UInt64 = 1 &<< UInt64(index & 63)
        precondition(index >= 0 && index < capacity && leaves[word] & bit != 0, "an index is given back once")
        leaves[word] &= ~bit
        branches[word &>> 6] &= ~(1 &<< UInt64(word & 63))
        root &= ~(1 &<< UInt64(word &>> 6))
        count &-= 1
    }

    /// Whether `index` is in use.
    public func isUsed(_ index: Int) -> Bool {
        index >= 0 && index < capacity && leaves[index &>> 6] & (1 &<< UInt64(index & 63)) != 0
    }

    /// Lowers `highWater` to one above the highest index in use and answers what it was.
    public mutating func trim() -> Int {
        let before = highWater
        var word = (before &+ 63) / 64
        while word > 0 && leaves[word &- 1] == 0 { word &-= 1 }
        highWater = word == 0 ? 0 : (word &- 1) &* 64 &+ (64 &- leaves[word &- 1].leadingZeroBitCount)
        return before
    }
}
