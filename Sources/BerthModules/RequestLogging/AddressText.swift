internal import CBerthSystem

/// The text of an address, kept until another one is asked for: requests of one connection come one after the other.
struct AddressText {
    typealias Bytes = (
        UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
    )

    /// Room for the longest text, in octets.
    static let textMax = 64

    let text: UnsafeMutablePointer<UInt8>
    /// Octets of the text.
    private(set) var count = 0
    /// The address it belongs to.
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private var family: UInt8 = 0xff

    init() { text = .allocate(capacity: Self.textMax) }

    /// "127.0.0.1", "::1", or "-" for a Unix socket. `count` octets of it.
    ///
    /// - Parameter address: 16 octets. By its place, since the tuple of the ABI would be taken apart octet by octet.
    @inline(__always)
    mutating func text(of address: UnsafeRawPointer, _ family: UInt8) -> UnsafeMutablePointer<UInt8> {
        let low = address.loadUnaligned(as: UInt64.self)
        let high = address.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        if low != self.low || high != self.high || family != self.family { format(address, low, high, family) }
        return text
    }

    @inline(never)
    private mutating func format(_ address: UnsafeRawPointer, _ low: UInt64, _ high: UInt64, _ family: UInt8) {
        (self.low, self.high, self.family) = (low, high, family)
        let bytes = address.loadUnaligned(as: Bytes.self)
        var line = OctetWriter(end: text)
        switch family {
        case 4:
            line.number(UInt64(bytes.0))
            line.put(0x2e)
            line.number(UInt64(bytes.1))
            line.put(0x2e)
            line.number(UInt64(bytes.2))
            line.put(0x2e)
            line.number(UInt64(bytes.3))
            count = line.end - text
        case 6:
            var address = cberth_address()
            address.family = 6
            address.bytes = bytes
            let length = UnsafeMutableRawPointer(text).withMemoryRebound(to: CChar.self, capacity: Self.textMax) {
                cberth_address_format(&address, $0, Self.textMax)
            }
            count = max(0, min(Int(length), Self.textMax - 1))
        default:
            line.put(0x2d)
            count = 1
        }
    }
}
