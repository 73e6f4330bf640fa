import CBerthModule

// The enumerations of the C header arrive as types of their own; these read them as the ABI's integers.

extension RawRepresentable where RawValue: FixedWidthInteger {
    /// As a result of a stage or host function.
    @inline(__always) var result: Int32 { Int32(truncatingIfNeeded: rawValue) }
    @inline(__always) var event: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}

extension FixedWidthInteger {
    @inline(__always) var result: Int32 { Int32(truncatingIfNeeded: self) }
    @inline(__always) var event: UInt32 { UInt32(truncatingIfNeeded: self) }
    @inline(__always) var rawValue: UInt32 { UInt32(truncatingIfNeeded: self) }
}
