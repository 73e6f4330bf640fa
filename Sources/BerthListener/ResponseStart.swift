/// A field of a response in the handler's memory. The layout of the module ABI's `berth_response_field`.
public struct ResponseField: BitwiseCopyable {
    public var name: OctetRun
    public var value: OctetRun

    @inline(__always) @inlinable
    public init(name: OctetRun, value: OctetRun) {
        self.name = name
        self.value = value
    }
}

/// What a handler says before the content of its response.
public struct ResponseStart: BitwiseCopyable {
    public struct Flags: OptionSet, BitwiseCopyable, Sendable {
        public let rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// The connection ends with this response.
        @inlinable public static var close: Flags { Flags(rawValue: 1) }
        /// The handler sends a Server field of its own, or wants none.
        @inlinable public static var noServerField: Flags { Flags(rawValue: 2) }
        /// 101: after this head the connection carries octets without framing, in both directions.
        @inlinable public static var tunnel: Flags { Flags(rawValue: 4) }
    }

    /// 200 through 999, or 101 with `.tunnel`.
    public var status: UInt16
    /// Empty: the standard phrase.
    public var reason: OctetRun
    /// -1: not known, the listener frames it.
    public var contentLength: Int64
    public var flags: Flags
    /// Checked by whoever took them from outside: tokens and values without CR, LF or NUL, and no framing fields.
    public var fields: UnsafePointer<ResponseField>?
    public var fieldCount: Int

    @inlinable @inline(__always)
    public init(status: UInt16, contentLength: Int64) {
        self.status = status
        self.contentLength = contentLength
        reason = OctetRun(nil, 0)
        flags = Flags(rawValue: 0)
        fields = nil
        fieldCount = 0
    }
}
