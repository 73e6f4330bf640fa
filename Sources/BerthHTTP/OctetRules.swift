public import CBerthBytes

/// The small grammars of RFC 9110 §5, for parsers and for what modules hand in.
public enum OctetRules {
    /// Whether these octets are a token: one or more tchar (RFC 9110 §5.6.2).
    @inlinable @inline(__always)
    public static func isToken(_ octets: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        guard count > 0 else { return false }
        // Letters and "-" alone, as nearly always.
        return cberth_scan_common_name_passes(octets, count) || isUncommonToken(octets, count)
    }

    @usableFromInline @inline(never)
    static func isUncommonToken(_ octets: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var index = 0
        while index < count {
            if !cberth_is_token(octets[index]) { return false }
            index &+= 1
        }
        return true
    }

    /// Whether these octets can be sent as a field value: no CTL but HTAB, no whitespace at either end (RFC 9110 §5.5).
    ///
    /// An empty value is one; octets above 0x7f (obs-text) pass.
    @inlinable @inline(__always)
    public static func isFieldValue(_ octets: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        guard count > 0 else { return true }
        if isWhitespace(octets[0]) || isWhitespace(octets[count &- 1]) { return false }
        return cberth_scan_field_value_passes(octets, count)
    }

    /// SP or HTAB, the whitespace of RFC 9110 §5.6.3.
    @inlinable @inline(__always)
    public static func isWhitespace(_ octet: UInt8) -> Bool { octet == 0x20 || octet == 0x09 }

    /// Whether the octets equal `lowercase` without regard to the case of ASCII letters.
    @inlinable @inline(__always)
    public static func equal(_ octets: UnsafePointer<UInt8>, _ count: Int, _ lowercase: StaticString) -> Bool {
        count == lowercase.utf8CodeUnitCount && cberth_equal_ignoring_case(octets, lowercase.utf8Start, count)
    }

    /// Whether the octets are well-formed UTF-8 (RFC 3629 §4: no overlong form, no surrogate, nothing above U+10FFFF).
    ///
    /// - Parameter allowingC1: whether U+0080 through U+009F pass too.
    public static func isUTF8(_ octets: UnsafePointer<UInt8>, _ count: Int, allowingC1: Bool = true) -> Bool {
        let end = octets + count
        var p = cberth_scan_high_bit(octets, end, octets)
        while p < end {
            let lead = p[0]
            let left = end - p
            if lead < 0x80 {
                p += 1
            } else if lead < 0xc2 {
                return false
            } else if lead < 0xe0 {
                guard left >= 2, p[1] & 0xc0 == 0x80 else { return false }
                if lead == 0xc2, p[1] < 0xa0, !allowingC1 { return false }
                p += 2
            } else if lead < 0xf0 {
                guard left >= 3, p[1] & 0xc0 == 0x80, p[2] & 0xc0 == 0x80 else { return false }
                if lead == 0xe0, p[1] < 0xa0 { return false }
                if lead == 0xed, p[1] >= 0xa0 { return false }
                p += 3
            } else {
                guard lead < 0xf5, left >= 4 else { return false }
                guard p[1] & 0xc0 == 0x80, p[2] & 0xc0 == 0x80, p[3] & 0xc0 == 0x80 else { return false }
                if lead == 0xf0, p[1] < 0x90 { return false }
                if lead == 0xf4, p[1] >= 0x90 { return false }
                p += 4
            }
        }
        return true
    }

    /// Writes `octets` with everything escaped that may not stand in the path of a target, and tells how long that is.
    ///
    /// Kept: unreserved, sub-delims, `/` `:` `@` (RFC 3986 §3.3). A `%` is escaped too.
    /// - Returns: the length, or nil when `capacity` (at most 3 × count is needed) is too small.
    public static func percentEncode(
        _ octets: UnsafePointer<UInt8>, _ count: Int, into target: UnsafeMutablePointer<UInt8>, capacity: Int
    ) -> Int? {
        let digits: StaticString = "0123456789ABCDEF"
        var length = 0
        var index = 0
        while index < count {
            let octet = octets[index]
            if cberth_is_plain(octet) {
                guard length < capacity else { return nil }
                target[length] = octet
                length &+= 1
            } else {
                guard capacity &- length >= 3 else { return nil }
                target[length] = UInt8(ascii: "%")
                target[length &+ 1] = digits.utf8Start[Int(octet >> 4)]
                target[length &+ 2] = digits.utf8Start[Int(octet & 15)]
                length &+= 3
            }
            index &+= 1
        }
        return length
    }
}
