/// What cooking found besides the path itself; request filtering asks for it.
public struct CookedFlags: OptionSet, Sendable, BitwiseCopyable {
    public var rawValue: UInt8
    @inlinable @inline(__always)
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The cooked path still holds `%XX` that a second decoding would change (`%2525`).
    @inlinable @inline(__always) public static var hadDoubleEscape: CookedFlags { CookedFlags(rawValue: 1) }
    /// The path holds octets above 0x7f, escaped or raw.
    @inlinable @inline(__always) public static var hadHighBit: CookedFlags { CookedFlags(rawValue: 2) }
}

/// What became of a raw path.
public enum CookOutcome: Equatable, Sendable, BitwiseCopyable {
    /// The raw path is the cooked one; nothing was written.
    case inPlace
    /// The cooked path is the first `length` octets of the scratch memory.
    case cooked(length: Int, flags: CookedFlags)
    case rejected(RequestRejection)
}
