/// The latest lines that the workers of one application wrote.
///
/// Kept over restarts: what a worker said before it crashed is the reason. Bounded by the octets of its lines.
struct OutputLog {
    /// Octets kept an application; a line counts its text and `lineOverhead`.
    static let octetsMax = 64 * 1024
    static let lineOverhead = 32

    private var storage: [OutputLine] = []
    /// Lines before it are gone; the storage is compacted when they are half of it.
    private var first = 0
    private(set) var octets = 0

    /// Oldest first.
    var lines: ArraySlice<OutputLine> { storage[first...] }

    mutating func append(_ line: OutputLine) {
        storage.append(line)
        octets += Self.cost(line)
        while octets > Self.octetsMax, first < storage.count - 1 {
            octets -= Self.cost(storage[first])
            first += 1
        }
        if first > 64, first * 2 > storage.count {
            storage.removeFirst(first)
            first = 0
        }
    }

    private static func cost(_ line: OutputLine) -> Int { line.text.utf8.count + lineOverhead }
}
