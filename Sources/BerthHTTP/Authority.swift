import CBerthBytes

/// The host and port of a Host field or of an absolute-form target: `host [ ":" port ]` without userinfo.
///
/// Stricter than RFC 3986 §3.2.2 allows: a name holds letters, digits, `-`, `.`, `_`, `~` only, so no sub-delims, no escapes
/// and nothing above 0x7f; no IPvFuture and no zone. What passes can be compared octet by octet without regard to case.
struct Authority {
    /// Octets of the host, brackets of an IPv6 address included; 0 for an empty authority.
    var nameLength: Int
    /// 1 through 65 535, or 0 when none is given.
    var port: UInt16

    /// Longest host in octets. Source: RFC 1035 §2.3.4 holds a name to 253, a trailing dot makes 254.
    static let nameLengthMax = 254

    /// - Parameter floor: lowest address that may be read, at or below `octets`.
    @inline(never)
    init?(_ octets: UnsafePointer<UInt8>, _ count: Int, floor: UnsafePointer<UInt8>) {
        let end = octets + count
        var p = cberth_scan_common_host(octets, end, floor)
        if p < end, p[0] != UInt8(ascii: ":") {
            if p == octets, p[0] == UInt8(ascii: "[") {
                p = cberth_find_octet(p, end, UInt8(ascii: "]"))
                guard p < end, IPv6Literal.isValid(octets + 1, p - octets - 1) else { return nil }
                p += 1
            } else {
                while p < end, cberth_is_host(p[0]) { p += 1 }
            }
        }
        nameLength = p - octets
        port = 0
        guard nameLength <= Self.nameLengthMax else { return nil }
        if p == end { return }
        guard p[0] == UInt8(ascii: ":"), nameLength > 0, let number = Self.port(p + 1, end) else { return nil }
        port = number
    }

    /// The number behind the colon: 0 for no digits, which RFC 3986 §3.2.3 allows; nil unless it is 1 through 65 535.
    @inline(__always)
    static func port(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> UInt16? {
        if start == end { return 0 }
        guard end - start <= 5 else { return nil }
        var p = start
        var number: UInt32 = 0
        while p < end {
            let digit = p[0] &- 0x30
            if digit > 9 { return nil }
            number = number &* 10 &+ UInt32(digit)
            p += 1
        }
        return number > 0 && number <= 65_535 ? UInt16(truncatingIfNeeded: number) : nil
    }
}
