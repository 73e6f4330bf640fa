public import CBerthSystem

/// An element of a slab knows its generation; 0 means that the slot is free.
public protocol SlabElement: BitwiseCopyable {
    var generation: UInt32 { get set }
}

/// Slots of one kind at addresses that never change, taken lowest first and named by index and generation.
///
/// The address range is reserved at once and costs memory only where it was touched; `trim` gives the pages behind the last
/// used slot back. A generation is used once in four thousand million allocations, so a stale name is recognised.
/// Loop thread only.
public struct Slab<Element: SlabElement>: BitwiseCopyable {
    @usableFromInline var indices: IndexAllocator
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline var lastGeneration: UInt32 = 0
    /// Octets from one slot to the next.
    public let stride: Int

    /// - Parameters:
    ///   - capacity: slots, 1 through `IndexAllocator.capacityMax`.
    ///   - extensionSize: octets behind each element that belong to somebody else (see `extensionOffset`).
    @inlinable
    public init?(capacity: Int, extensionSize: Int = 0) {
        guard let indices = IndexAllocator(capacity: capacity) else { return nil }
        stride = (Self.extensionOffset + extensionSize + 15) & ~15
        guard let memory = cberth_reserve(indices.capacity * stride) else { return nil }
        self.indices = indices
        base = memory
    }

    /// Where the extension of a slot begins, in octets from the element.
    @inlinable @inline(__always)
    public static var extensionOffset: Int { (MemoryLayout<Element>.size + 15) & ~15 }

    @inlinable public var count: Int { indices.count }
    @inlinable public var capacity: Int { indices.capacity }
    @inlinable public var highWater: Int { indices.highWater }

    @inlinable @inline(__always)
    public func pointer(at index: Int) -> UnsafeMutablePointer<Element> {
        (base + index &* stride).assumingMemoryBound(to: Element.self)
    }

    /// A slot with a fresh generation and otherwise what its last user left there (zero at first), or nil: all are in use.
    @inlinable @inline(__always)
    public mutating func allocate() -> (index: UInt32, element: UnsafeMutablePointer<Element>)? {
        guard let index = indices.allocate() else { return nil }
        lastGeneration &+= 1
        if lastGeneration == 0 { lastGeneration = 1 }
        let element = pointer(at: index)
        element.pointee.generation = lastGeneration
        return (UInt32(truncatingIfNeeded: index), element)
    }

    /// The element that `index` and `generation` name, or nil when it is gone.
    @inlinable @inline(__always)
    public func resolve(_ index: UInt32, _ generation: UInt32) -> UnsafeMutablePointer<Element>? {
        guard Int(index) < indices.capacity, generation != 0 else { return nil }
        let element = pointer(at: Int(index))
        return element.pointee.generation == generation ? element : nil
    }

    @inlinable @inline(__always)
    public mutating func free(_ index: UInt32) {
        pointer(at: Int(index)).pointee.generation = 0
        indices.free(Int(index))
    }

    /// Gives the pages behind the highest used slot back to the kernel, when that is worth a call.
    ///
    /// - Parameter slackOctets: what may stay.
    @inlinable
    public mutating func trim(keeping slackOctets: Int = 65_536) {
        let touched = indices.highWater &* stride
        if touched <= slackOctets { return }
        _ = indices.trim()
        let from = (max(indices.highWater &* stride, slackOctets) + 4095) & ~4095
        if from < touched { cberth_release_pages(base + from, touched - from) }
    }
}
