import CBerthSystem

/// Blocks of one size, taken when octets arrive and given back when they are consumed: an idle connection holds none.
///
/// Named by a number above 0, so that an owner spends 4 octets on it. Loop thread only.
public struct BufferPool: BitwiseCopyable {
    /// Octets in a block.
    public let blockSize: Int
    @usableFromInline var indices: IndexAllocator
    @usableFromInline let base: UnsafeMutableRawPointer

    /// - Parameter capacity: blocks; the pool never holds more.
    public init?(blockSize: Int, capacity: Int) {
        guard let indices = IndexAllocator(capacity: capacity),
            let memory = cberth_reserve(indices.capacity * blockSize)
        else {
            return nil
        }
        self.blockSize = blockSize
        self.indices = indices
        base = memory
    }

    /// Blocks in use.
    public var count: Int { indices.count }

    /// A block, or 0 when the pool is exhausted.
    @inlinable @inline(__always)
    public mutating func take() -> UInt32 {
        guard let index = indices.allocate() else { return 0 }
        return UInt32(truncatingIfNeeded: index &+ 1)
    }

    @inlinable @inline(__always)
    public mutating func giveBack(_ block: UInt32) {
        assert(block != 0)
        indices.free(Int(block) &- 1)
    }

    /// The memory of a block that was taken.
    @inlinable @inline(__always)
    public func memory(of block: UInt32) -> UnsafeMutablePointer<UInt8> {
        (base + (Int(block) &- 1) &* blockSize).assumingMemoryBound(to: UInt8.self)
    }

    /// Gives the pages of blocks behind the last used one back to the kernel.
    public mutating func trim(keeping slackOctets: Int) {
        let touched = indices.highWater &* blockSize
        if touched <= slackOctets { return }
        _ = indices.trim()
        let from = (max(indices.highWater &* blockSize, slackOctets) + 4095) & ~4095
        if from < touched { cberth_release_pages(base + from, touched - from) }
    }
}
