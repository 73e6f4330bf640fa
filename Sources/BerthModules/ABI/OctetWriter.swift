internal import CBerthBytes
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

    /// The same from a source of which 64 octets may be read, to where there is room for 64: whole words, without a call.
    @inline(__always)
    mutating func copyWide(_ start: UnsafePointer<UInt8>, _ count: Int) {
        var done = 0
        repeat {
            let words = UnsafeRawPointer(start + done).loadUnaligned(as: (UInt64, UInt64).self)
            UnsafeMutableRawPointer(end + done).storeBytes(of: words, as: (UInt64, UInt64).self)
            done &+= 16
        } while done < count
        end += count
    }

    /// A value that came from outside: spaces and what is not printable ASCII become `+`, nothing becomes `-`.
    @inline(__always)
    mutating func value(_ octets: berth_octets, max: Int) {
        guard let start = octets.start, octets.count > 0 else { return put(0x2d) }
        let count = min(octets.length, max)
        cberth_copy_to_log(end, start, count)
        end += count
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
