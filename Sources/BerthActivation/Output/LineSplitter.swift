/// Cuts what a worker writes into lines, however it arrives.
///
/// A line longer than `lineMax` is cut there, so that a worker that writes no end of line costs no more memory than that.
struct LineSplitter {
    /// Octets of a line.
    static let lineMax = 8 * 1024

    private var partial: [UInt8] = []

    /// Answers the lines that are complete now, without their ends. Octets that are no UTF-8 become U+FFFD.
    mutating func append(_ octets: UnsafeRawBufferPointer) -> [String] {
        var lines: [String] = []
        for octet in octets {
            if octet == UInt8(ascii: "\n") {
                lines.append(take())
            } else {
                if partial.count == Self.lineMax { lines.append(cut()) }
                partial.append(octet)
            }
        }
        return lines
    }

    /// The last line, if it had no end.
    mutating func finish() -> String? { partial.isEmpty ? nil : take() }

    private mutating func take() -> String {
        if partial.last == UInt8(ascii: "\r") { partial.removeLast() }
        defer { partial.removeAll(keepingCapacity: true) }
        return String(decoding: partial, as: UTF8.self)
    }

    /// Cuts a full line, before a character rather than through it.
    private mutating func cut() -> String {
        var end = partial.count
        // A character is at most four octets: three that continue and one that begins.
        for back in 1...4 where partial[partial.count - back] & 0xc0 != 0x80 {
            if partial[partial.count - back] >= 0xc0 { end = partial.count - back }
            break
        }
        let line = String(decoding: partial[..<end], as: UTF8.self)
        partial.removeFirst(end)
        return line
    }
}
