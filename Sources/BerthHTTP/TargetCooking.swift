public import CBerthBytes

/// Turns the raw path of a request target into the one that routing, filtering and files go by, as HTTP.sys cooks it.
///
/// - `.` and `..` segments are resolved, escaped ones (`%2e`) too; `..` at the root stays there.
/// - Every escape is decoded once, but `%2F` stays (written with capitals), and so does `%5C`: a decoded path never holds
///   a slash or backslash that was data. A raw backslash is refused; it may not stand in a URL, and some take it for a slash.
/// - Escapes of 0x00–0x1F, 0x7F and U+0080–U+009F are refused (unless `allowsControls`), and what is not UTF-8 after decoding.
/// - Doubled slashes stay.
public struct TargetCooking: Sendable, BitwiseCopyable {
    public let limits: CookingLimits

    public init(limits: CookingLimits = CookingLimits()) { self.limits = limits }

    /// Cooks `pathLength` octets at `pathOffset`, which begin with `/` (or are `*`).
    ///
    /// - Parameters:
    ///   - scratch: memory for the result, used only when something changes.
    ///   - capacity: octets there; `pathLength` is always enough.
    /// - Returns: `.inPlace` for nearly every path, at the cost of one scan.
    @inlinable @inline(__always)
    public func cook(
        _ bytes: UnsafePointer<UInt8>, pathOffset: Int, pathLength: Int, into scratch: UnsafeMutablePointer<UInt8>,
        capacity: Int
    ) -> CookOutcome {
        let path = bytes + pathOffset
        if pathLength > 0, pathLength <= limits.harmlessLength, path[0] == 0x2f,
            cberth_path_is_cooked(path, pathLength, bytes)
        {
            return .inPlace
        }
        return cookSlowly(path, pathLength, scratch, capacity)
    }

    @usableFromInline @inline(never)
    func cookSlowly(
        _ path: UnsafePointer<UInt8>, _ count: Int, _ out: UnsafeMutablePointer<UInt8>, _ capacity: Int
    ) -> CookOutcome {
        guard count > 0, path[0] == 0x2f else {
            return count == 1 && path[0] == 0x2a ? .inPlace : .rejected(.targetForm)
        }
        guard capacity >= count else { return .rejected(.targetTooLong) }
        var flags = CookedFlags(rawValue: 0)
        var length = 0
        var index = 0
        var segments = 0
        while index < count {
            // path[index] is the slash that begins a segment; it lies at `start` in the output.
            segments &+= 1
            if limits.segmentsMax > 0, segments > limits.segmentsMax { return .rejected(.pathSegmentsTooMany) }
            let start = length
            out[length] = 0x2f
            length &+= 1
            index &+= 1
            var highBit = false
            while index < count, path[index] != 0x2f {
                var octet = path[index]
                index &+= 1
                var keepEscaped = false
                if octet == 0x25 {
                    guard count &- index >= 2 else { return .rejected(.pathEscapeMalformed) }
                    let high = cberth_hex_value(path[index])
                    let low = cberth_hex_value(path[index &+ 1])
                    guard high >= 0, low >= 0 else { return .rejected(.pathEscapeMalformed) }
                    index &+= 2
                    octet = UInt8(truncatingIfNeeded: high &* 16 &+ low)
                    if octet < 0x20 || octet == 0x7f,
                        !limits.allowsControls || octet == 0 || octet == 0x0a || octet == 0x0d
                    {
                        return .rejected(.pathControlOctet)
                    }
                    keepEscaped = octet == 0x2f || octet == 0x5c
                } else if octet <= 0x20 || octet == 0x7f {
                    return .rejected(.targetOctet)
                } else if octet == 0x5c {
                    return .rejected(.pathBackslash)
                }
                if keepEscaped {
                    out[length] = 0x25
                    out[length &+ 1] = octet == 0x2f ? 0x32 : 0x35
                    out[length &+ 2] = octet == 0x2f ? 0x46 : 0x43
                    length &+= 3
                    continue
                }
                if octet >= 0x80 { highBit = true }
                out[length] = octet
                length &+= 1
                // "%" and two hexadecimal digits that were just put together would decode once more.
                if length &- start >= 4, out[length &- 3] == 0x25, cberth_hex_value(octet) >= 0,
                    cberth_hex_value(out[length &- 2]) >= 0
                {
                    flags.insert(.hadDoubleEscape)
                }
            }
            let segment = out + (start &+ 1)
            let segmentLength = length &- start &- 1
            if highBit {
                flags.insert(.hadHighBit)
                if !OctetRules.isUTF8(segment, segmentLength, allowingC1: limits.allowsControls) {
                    return .rejected(.pathNotUTF8)
                }
            }
            if limits.segmentLengthMax > 0, characters(segment, segmentLength) > limits.segmentLengthMax {
                return .rejected(.pathSegmentTooLong)
            }
            if segmentLength == 1 || segmentLength == 2, segment[0] == 0x2e, segment[segmentLength &- 1] == 0x2e {
                length = start
                if segmentLength == 2 {
                    while length > 0, out[length &- 1] != 0x2f { length &-= 1 }
                    if length > 0 { length &-= 1 }
                }
                if index >= count {
                    out[length] = 0x2f
                    length &+= 1
                }
            }
        }
        if flags.isEmpty, length == count, equal(out, path, count) { return .inPlace }
        return .cooked(length: length, flags: flags)
    }

    /// Characters of valid UTF-8.
    private func characters(_ octets: UnsafePointer<UInt8>, _ count: Int) -> Int {
        var number = 0
        var index = 0
        while index < count {
            if octets[index] & 0xc0 != 0x80 { number &+= 1 }
            index &+= 1
        }
        return number
    }

    private func equal(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var index = 0
        while index < count {
            if a[index] != b[index] { return false }
            index &+= 1
        }
        return true
    }
}
