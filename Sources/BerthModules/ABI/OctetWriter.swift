internal import CBerthModule

/// Writes text into memory that has room for them. Unchecked: the caller made sure of the room.
struct OctetWriter {
    /// Where the next octet goes.
    var end: UnsafeMutablePointer<UInt8>

    @inline(__always)
    mutating func put(_ octet: UInt8) {
        end.pointee = octet
        end += 1
    }

    /// Octets of our own making, as they are. Few of them.
    @inline(__always)
    mutating func copy(_ start: UnsafePointer<UInt8>, _ count: Int) {
        end.update(from: start, count: count)
        end += count
    }

    /// A value that came from outside: spaces and what is not printable ASCII become `+`, nothing becomes `-`.
    @inline(__always)
    mutating func value(_ octets: berth_octets, max: Int) {
        guard let start = octets.start, octets.count > 0 else { return put(0x2d) }
        let count = min(octets.length, max)
        var index = 0
        while index &+ 8 <= count {
            word(start, index)
            index &+= 8
        }
        if index < count {
            if count >= 8 {
                // The last eight once more; what overlaps comes out the same.
                word(start, count &- 8)
            } else {
                while index < count {
                    let octet = start[index]
                    end[index] = octet &- 0x21 <= 0x5d ? octet : 0x2b
                    index &+= 1
                }
            }
        }
        end += count
    }

    /// Eight octets, from `index` of the source to `index` behind `end`.
    @inline(__always)
    private func word(_ start: UnsafePointer<UInt8>, _ index: Int) {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var octets = UnsafeRawPointer(start + index).loadUnaligned(as: UInt64.self)
        // An octet above 0x7e, or below 0x20 (which may be seen where there is none; the slow way then gets it right).
        let odd = (octets | (octets &+ ones) | (octets &- ones &* 0x20)) & tops
        if odd == 0 {
            // Spaces: octets that are zero after 0x20 is taken away. 0x20 ^ 0x0b is "+".
            let gaps = octets ^ (ones &* 0x20)
            let zeros = ~(((gaps & ~tops) &+ ~tops) | gaps | ~tops)
            octets ^= (zeros &>> 7) &* 0x0b
            UnsafeMutableRawPointer(end + index).storeBytes(of: octets, as: UInt64.self)
        } else {
            for position in index..<index &+ 8 {
                let octet = start[position]
                end[position] = octet &- 0x21 <= 0x5d ? octet : 0x2b
            }
        }
    }

    /// A user's name: as `value`, but octets above 0x7e as %XX, so that two users never look like one.
    @inline(never)
    mutating func userName(_ octets: berth_octets, max: Int) {
        guard let start = octets.start, octets.count > 0 else { return put(0x2d) }
        for index in 0..<min(octets.length, max) {
            let octet = start[index]
            if octet > 0x7e {
                put(0x25)
                put(Self.hexDigit(octet >> 4))
                put(Self.hexDigit(octet & 15))
            } else {
                put(octet < 0x21 ? 0x2b : octet)
            }
        }
    }

    @inline(__always)
    static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }

    @inline(__always)
    mutating func number(_ value: UInt64) {
        if value < 10 { return put(0x30 &+ UInt8(truncatingIfNeeded: value)) }
        if value < 1000 { return shortNumber(UInt32(truncatingIfNeeded: value)) }
        longNumber(value)
    }

    /// 10 through 999.
    @inline(__always)
    private mutating func shortNumber(_ value: UInt32) {
        let hundreds = value / 100
        let rest = value &- hundreds &* 100
        if hundreds > 0 { put(0x30 &+ UInt8(truncatingIfNeeded: hundreds)) }
        put(0x30 &+ UInt8(truncatingIfNeeded: rest / 10))
        put(0x30 &+ UInt8(truncatingIfNeeded: rest % 10))
    }

    @inline(never)
    private mutating func longNumber(_ value: UInt64) {
        var digits = 3
        var power: UInt64 = 1000
        // 10 to the 20th does not fit; a number has 20 digits at most.
        while digits < 20, value >= power {
            power &*= 10
            digits &+= 1
        }
        var rest = value
        var place = digits
        while place > 0 {
            place &-= 1
            end[place] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        end += digits
    }

    /// Exactly `digits` of them, with leading zeros.
    mutating func padded(_ value: Int, digits: Int) {
        var rest = value
        for place in stride(from: digits - 1, through: 0, by: -1) {
            end[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        end += digits
    }
}
