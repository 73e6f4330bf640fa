/// Octets somewhere in memory that somebody else keeps. The layout of the module ABI's `berth_octets`.
public struct OctetRun: BitwiseCopyable, @unchecked Sendable {
    public var start: UnsafePointer<UInt8>?
    public var count: UInt64

    @inline(__always) @inlinable
    public init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        self.start = start
        self.count = UInt64(truncatingIfNeeded: count)
    }

    @inline(__always) @inlinable
    public init(_ text: StaticString) {
        start = text.utf8Start
        count = UInt64(truncatingIfNeeded: text.utf8CodeUnitCount)
    }

    public static let none = OctetRun(nil, 0)

    @inline(__always) @inlinable public var length: Int { Int(truncatingIfNeeded: count) }

    /// For messages and logs; not on the request path.
    public var text: String {
        guard let start else { return "" }
        return String(decoding: UnsafeBufferPointer(start: start, count: length), as: UTF8.self)
    }
}
