/// Cuts a stream of octets into lines.
public struct LineSplitter {
    /// A line is longer than the splitter keeps.
    public struct Overflow: Error, Equatable {}

    /// The longest line, in octets, without its end.
    public let sizeMax: Int
    private var pending: [UInt8] = []

    public init(sizeMax: Int) { self.sizeMax = sizeMax }

    /// Takes the next octets; returns the lines that they complete, without LF or CR LF, repaired to UTF-8.
    public mutating func read(_ octets: [UInt8]) throws(Overflow) -> [String] {
        var lines: [String] = []
        var rest = octets[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            pending += rest[..<end]
            rest = rest[(end + 1)...]
            if pending.last == UInt8(ascii: "\r") { pending.removeLast() }
            guard pending.count <= sizeMax else { throw Overflow() }
            lines.append(String(decoding: pending, as: UTF8.self))
            pending.removeAll(keepingCapacity: true)
        }
        pending += rest
        // One more octet than the limit may be the CR of a line that just fits.
        guard pending.count <= sizeMax + 1 else { throw Overflow() }
        return lines
    }

    /// What came after the last line end; `nil` when there is nothing.
    public mutating func end() -> String? {
        defer { pending = [] }
        return pending.isEmpty ? nil : String(decoding: pending, as: UTF8.self)
    }
}
