/// Names the owner of a descriptor, timer or message: kind of owner, slab index, generation. Never a pointer.
///
/// The kernel hands it back with every event. An event that outlived its owner carries a generation that is nobody's any
/// more, is recognised by that, and dropped.
public struct EventToken: Equatable, Sendable, BitwiseCopyable {
    /// Bits 56...63 kind, 32...55 index, 0...31 generation.
    public let rawValue: UInt64

    @inline(__always) @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// - Parameters:
    ///   - kind: chosen by whoever dispatches the events of a loop.
    ///   - index: 0 through 2^24-1.
    @inline(__always) @inlinable
    public init(kind: UInt8, index: UInt32, generation: UInt32) {
        rawValue = UInt64(kind) &<< 56 | UInt64(index & 0xff_ffff) &<< 32 | UInt64(generation)
    }

    @inline(__always) @inlinable public var kind: UInt8 { UInt8(truncatingIfNeeded: rawValue &>> 56) }
    @inline(__always) @inlinable public var index: UInt32 { UInt32(truncatingIfNeeded: rawValue &>> 32) & 0xff_ffff }
    @inline(__always) @inlinable public var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}
