/// The digits of a port, kept until another one is asked for: a site is asked for on one or two.
struct PortText {
    /// As much as `OctetWriter.copyWide` reads.
    static let textMax = 64

    let text: UnsafeMutablePointer<UInt8>
    /// Octets of the text.
    private(set) var count = 0
    private var port: UInt16 = 0

    init() {
        text = .allocate(capacity: Self.textMax)
        text.initialize(repeating: 0, count: Self.textMax)
        format(0)
    }

    @inline(__always)
    mutating func text(of port: UInt16) -> UnsafeMutablePointer<UInt8> {
        if port != self.port { format(port) }
        return text
    }

    @inline(never)
    private mutating func format(_ port: UInt16) {
        self.port = port
        var line = OctetWriter(end: text)
        line.number(UInt64(port))
        count = line.end - text
    }
}
