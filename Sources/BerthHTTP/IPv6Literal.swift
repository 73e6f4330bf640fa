import CBerthBytes

/// The grammar of an IPv6 address between the brackets of an authority (RFC 3986 §3.2.2).
enum IPv6Literal {
    static func isValid(_ octets: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var groups = 0
        var compressed = false
        var index = 0
        if count >= 2, octets[0] == UInt8(ascii: ":") {
            guard octets[1] == UInt8(ascii: ":") else { return false }
            compressed = true
            index = 2
        }
        while index < count {
            let start = index
            while index < count, cberth_hex_value(octets[index]) >= 0 { index &+= 1 }
            if index < count, octets[index] == UInt8(ascii: ".") {
                guard isIPv4(octets + start, count &- start) else { return false }
                groups &+= 2
                return compressed ? groups <= 7 : groups == 8
            }
            let digits = index &- start
            guard digits >= 1, digits <= 4 else { return false }
            groups &+= 1
            if index == count { break }
            guard octets[index] == UInt8(ascii: ":"), index &+ 1 < count else { return false }
            index &+= 1
            if octets[index] == UInt8(ascii: ":") {
                guard !compressed else { return false }
                compressed = true
                index &+= 1
            }
        }
        return compressed ? groups <= 7 : groups == 8
    }

    private static func isIPv4(_ octets: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var parts = 0
        var index = 0
        while true {
            let start = index
            var number: UInt32 = 0
            while index < count, index &- start < 3, octets[index] &- 0x30 <= 9 {
                number = number &* 10 &+ UInt32(octets[index] &- 0x30)
                index &+= 1
            }
            let digits = index &- start
            guard digits > 0, number <= 255, digits == 1 || octets[start] != 0x30 else { return false }
            parts &+= 1
            if index == count { return parts == 4 }
            guard octets[index] == UInt8(ascii: ".") else { return false }
            index &+= 1
        }
    }
}
