public import CBerthBytes

/// Writes octets one behind another into memory that somebody else owns, and never past its end.
///
/// What does not fit is left out as a whole piece and remembered in `overflowed`; the owner looks at it once, at the end.
/// After an overflow nothing more is written, so that no later, shorter piece makes a head with a hole.
public struct OctetWriter {
    public let base: UnsafeMutablePointer<UInt8>
    /// Octets written so far.
    public var count: Int
    public let capacity: Int
    @usableFromInline var overflow: Bool

    /// Whether a piece did not fit; then the octets must not be sent.
    @inlinable @inline(__always)
    public var overflowed: Bool { overflow }

    @inlinable @inline(__always)
    public init(_ base: UnsafeMutablePointer<UInt8>, capacity: Int, count: Int = 0) {
        self.base = base
        self.count = count
        self.capacity = capacity
        self.overflow = false
    }

    /// Octets that still fit.
    @inlinable @inline(__always)
    public var room: Int { capacity &- count }

    /// Claims `length` octets; nil, and `overflowed`, if they do not fit.
    @inlinable @inline(__always)
    public mutating func claim(_ length: Int) -> UnsafeMutablePointer<UInt8>? {
        if length > capacity &- count || overflow {
            overflow = true
            return nil
        }
        let place = base + count
        count &+= length
        return place
    }

    @inlinable @inline(__always)
    public mutating func put(_ octets: UnsafePointer<UInt8>, _ length: Int) {
        if let place = claim(length) { cberth_copy(place, octets, length) }
    }

    @inlinable @inline(__always)
    public mutating func put(_ text: StaticString) {
        put(text.utf8Start, text.utf8CodeUnitCount)
    }

    @inlinable @inline(__always)
    public mutating func put(_ octet: UInt8) {
        if let place = claim(1) { place[0] = octet }
    }

    /// CR LF.
    @inlinable @inline(__always)
    public mutating func putLineEnd() { put("\r\n") }

    /// A number in decimal digits.
    @inlinable @inline(__always)
    public mutating func putDecimal(_ number: UInt64) {
        let length = Self.decimalLength(number)
        if let place = claim(length) { Self.writeDecimal(number, length, place) }
    }

    // By value, so that a writer on the stack can stay in registers.

    @usableFromInline
    static func decimalLength(_ number: UInt64) -> Int {
        if number < 100 { return number < 10 ? 1 : 2 }
        var length = 3
        var power: UInt64 = 1000
        // 10 to the 20th does not fit; a number has 20 digits at most.
        while length < 20 && number >= power {
            length &+= 1
            power &*= 10
        }
        return length
    }

    @usableFromInline
    static func writeDecimal(_ number: UInt64, _ length: Int, _ place: UnsafeMutablePointer<UInt8>) {
        var rest = number
        var index = length &- 1
        while index > 0 {
            place[index] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
            index &-= 1
        }
        place[0] = 0x30 &+ UInt8(truncatingIfNeeded: rest)
    }

    /// A number in decimal digits; a negative one with its sign.
    @inlinable @inline(__always)
    public mutating func putDecimal(_ number: Int) {
        if number < 0 { put(0x2d) }
        putDecimal(UInt64(number.magnitude))
    }

    /// A number in hexadecimal digits, lower-case, without leading zeros.
    @inlinable
    public mutating func putHex(_ number: UInt64) {
        var length = max(1, (67 &- number.leadingZeroBitCount) >> 2)
        guard let place = claim(length) else { return }
        var rest = number
        while length > 0 {
            length &-= 1
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            place[length] = digit < 10 ? 0x30 &+ digit : 0x57 &+ digit
            rest >>= 4
        }
    }

    /// `name: value` and the line end; the caller has checked the value (`OctetRules.isFieldValue`).
    @inlinable @inline(__always)
    public mutating func putField(_ name: StaticString, _ value: UnsafePointer<UInt8>, _ length: Int) {
        put(name)
        put(": ")
        put(value, length)
        putLineEnd()
    }

    /// The same for a name that the caller has checked too (`OctetRules.isToken`).
    @inlinable @inline(__always)
    public mutating func putField(
        _ name: UnsafePointer<UInt8>, _ nameLength: Int, _ value: UnsafePointer<UInt8>, _ valueLength: Int
    ) {
        guard let place = claim(nameLength &+ valueLength &+ 4) else { return }
        cberth_copy(place, name, nameLength)
        let middle = place + nameLength
        middle[0] = 0x3a
        middle[1] = 0x20
        cberth_copy(middle + 2, value, valueLength)
        let end = middle + (valueLength &+ 2)
        end[0] = 0x0d
        end[1] = 0x0a
    }

    @inlinable @inline(__always)
    public mutating func putField(_ name: StaticString, _ value: StaticString) {
        putField(name, value.utf8Start, value.utf8CodeUnitCount)
    }

    @inlinable @inline(__always)
    public mutating func putField(_ name: StaticString, decimal number: UInt64) {
        put(name)
        put(": ")
        putDecimal(number)
        putLineEnd()
    }
}
