/// How an input is cut into reads. Follows from its octets alone, so that an input means the same wherever it is replayed.
enum Pieces {
    /// Inputs up to this many octets are fed octet by octet too, which costs the square of their length.
    static let singleOctetsMax = 200

    /// Places to cut at, in order, each at least 0 and at most the length: two of them, and every one for a short input.
    static func cuts(of input: [UInt8]) -> [[Int]] {
        let hash = hash(of: input)
        let (a, b) = (Int(hash % UInt64(input.count + 1)), Int((hash >> 32) % UInt64(input.count + 1)))
        var all = [[min(a, b), max(a, b)]]
        if input.count <= singleOctetsMax { all.append(Array(0..<input.count)) }
        return all
    }

    /// FNV-1a.
    static func hash(of input: [UInt8]) -> UInt64 {
        input.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// Calls `body` with each place to cut at, the end of the input being the last, until it says that this was enough.
    ///
    /// The octets lie in memory that holds not one more, so that a sanitizer sees a step too far, and in other memory each
    /// time, so that nothing kept from the call before still fits; but for many cuts they stay where they are.
    static func feed(_ input: [UInt8], cuts: [Int], _ body: (UnsafePointer<UInt8>, Int) -> Bool) {
        if cuts.count > 2 {
            withExactly(input, input.count) { memory in
                for cut in cuts + [input.count] where body(memory, cut) { return }
            }
            return
        }
        for cut in cuts + [input.count] where withExactly(input, cut, { body($0, cut) }) { return }
    }

    /// Calls `body` with the first `count` octets in memory that holds not one more, so that a sanitizer sees a step too far.
    static func withExactly<T>(_ input: [UInt8], _ count: Int, _ body: (UnsafePointer<UInt8>) throws -> T) rethrows -> T
    {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(count, 1))
        defer { memory.deallocate() }
        input.withUnsafeBufferPointer { if let start = $0.baseAddress { memory.update(from: start, count: count) } }
        return try body(memory)
    }
}

/// Octets for a message to a person: one character an octet, escaped where it can't be shown.
func shown(_ octets: some Collection<UInt8>) -> String {
    octets.prefix(400).map { octet in
        switch octet {
        case 0x0d: "\\r"
        case 0x0a: "\\n"
        case 0x5c: "\\\\"
        case 0x20..<0x7f: String(Unicode.Scalar(octet))
        default: "\\x" + String(octet >> 4, radix: 16) + String(octet & 15, radix: 16)
        }
    }.joined()
}
