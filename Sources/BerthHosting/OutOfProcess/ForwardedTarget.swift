import BerthHTTP
import BerthListener

/// The request target as the worker gets it: the path in canonical form, the query as it came.
///
/// Dot segments are gone and escapes of unreserved characters decoded (RFC 3986 §6.2.2), so that the worker sees the path
/// that routing and modules have judged; every other escape, `%2F` and `%3F` above all, stays as the client wrote it.
/// Source: ANCM hands on the path as the front has cooked it.
enum ForwardedTarget {
    /// - Parameters:
    ///   - base: where the offsets of `head` count from.
    ///   - path: as the listener has cooked it; lies in the head itself when nothing had to be changed.
    @inline(__always)
    static func put(_ out: inout OctetWriter, _ head: RequestHead, _ base: UnsafePointer<UInt8>, path: OctetRun) {
        if head.targetForm != .origin, isAboutTheServer(head) {
            out.put("*")
            return
        }
        let raw = base + Int(head.pathOffset)
        if path.start == raw {
            out.put(raw, path.length)
        } else {
            putCanonical(&out, raw, Int(head.pathLength))
        }
        // A "?" with nothing behind it belongs to the query as well.
        if head.queryLength > 0 {
            out.put(0x3f)
            out.put(base + Int(head.queryOffset), Int(head.queryLength))
        } else if head.targetLength > 0, base[Int(head.targetOffset &+ head.targetLength) &- 1] == 0x3f {
            out.put(0x3f)
        }
    }

    /// OPTIONS in asterisk-form, or in absolute-form without path and query, which has to go on as the other (RFC 9112 §3.2.4).
    @inline(never)
    private static func isAboutTheServer(_ head: RequestHead) -> Bool {
        head.targetForm == .asterisk
            || head.method == .options
                && head.hostOffset &+ UInt32(head.hostLength) == head.targetOffset &+ head.targetLength
    }

    /// Writes a raw path, which begins with a slash and was found acceptable, without its dot segments.
    @inline(never)
    static func putCanonical(_ out: inout OctetWriter, _ path: UnsafePointer<UInt8>, _ count: Int) {
        let floor = out.count
        var index = 0
        while index < count {
            var end = index &+ 1
            while end < count, path[end] != 0x2f { end &+= 1 }
            let dots = dotsOnly(path + (index &+ 1), end &- index &- 1)
            if dots == 0 {
                out.put(0x2f)
                putSegment(&out, path + (index &+ 1), end &- index &- 1)
            } else {
                if dots == 2 {
                    while out.count > floor, out.base[out.count &- 1] != 0x2f { out.count &-= 1 }
                    if out.count > floor { out.count &-= 1 }
                }
                if end >= count { out.put(0x2f) }
            }
            index = end
        }
    }

    /// 1 for `.`, 2 for `..`, however they are escaped; else 0.
    private static func dotsOnly(_ segment: UnsafePointer<UInt8>, _ count: Int) -> Int {
        var dots = 0
        var index = 0
        while index < count {
            if segment[index] == 0x2e {
                index &+= 1
            } else if count &- index >= 3, segment[index] == 0x25, segment[index &+ 1] == 0x32,
                segment[index &+ 2] | 0x20 == 0x65
            {
                index &+= 3
            } else {
                return 0
            }
            dots &+= 1
            if dots > 2 { return 0 }
        }
        return dots
    }

    private static func putSegment(_ out: inout OctetWriter, _ segment: UnsafePointer<UInt8>, _ count: Int) {
        var index = 0
        while index < count {
            let octet = segment[index]
            if octet == 0x25, count &- index >= 3 {
                let decoded = hexValue(segment[index &+ 1]) << 4 | hexValue(segment[index &+ 2])
                if isUnreserved(decoded) { out.put(decoded) } else { out.put(segment + index, 3) }
                index &+= 3
                continue
            }
            // The parser lets visible ASCII through and nothing else.
            out.put(octet)
            index &+= 1
        }
    }

    /// Of an octet that is known to be a hexadecimal digit.
    private static func hexValue(_ octet: UInt8) -> UInt8 { octet < 0x3a ? octet & 15 : (octet & 15) &+ 9 }

    /// RFC 3986 §2.3.
    private static func isUnreserved(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: true
        default: false
        }
    }
}
