import CBerthBytes

/// Comparison of a name of known length with a lower-case literal, by whole words that may overlap.
enum Lowercase {
    /// Whether the first octets of `name`, bit 5 set, equal `literal`. Reads exactly as many octets as the literal has.
    @inline(__always)
    static func matches(_ name: UnsafePointer<UInt8>, _ literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        let other = literal.utf8Start
        if length >= 8 {
            if !matches8(name, other) || !matches8(name + (length &- 8), other + (length &- 8)) { return false }
            if length > 16, !matches8(name + 8, other + 8) { return false }
            if length > 24, !matches8(name + 16, other + 16) { return false }
            return true
        }
        if length >= 4 {
            return cberth_load32(name) | 0x2020_2020 == cberth_load32(other)
                && cberth_load32(name + (length &- 4)) | 0x2020_2020 == cberth_load32(other + (length &- 4))
        }
        if length >= 2 {
            return cberth_load16(name) | 0x2020 == cberth_load16(other)
                && cberth_load16(name + (length &- 2)) | 0x2020 == cberth_load16(other + (length &- 2))
        }
        return name[0] | 0x20 == other[0]
    }

    @inline(__always)
    private static func matches8(_ name: UnsafePointer<UInt8>, _ other: UnsafePointer<UInt8>) -> Bool {
        cberth_load64(name) | 0x2020_2020_2020_2020 == cberth_load64(other)
    }
}
