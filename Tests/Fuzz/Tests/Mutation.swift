/// Inputs made from others by chance: the same ones for the same seed, on every machine.
struct Mutation {
    private var state: UInt64
    private let sources: [[UInt8]]
    private let words: [[UInt8]]

    /// - Parameter words: what means something to the parser under test; the pieces of HTTP are always among it.
    init(seed: UInt64, of sources: [[UInt8]], words: [String] = []) {
        state = seed
        self.sources = sources.isEmpty ? [[]] : sources
        self.words =
            (Self.common + words).map { Array($0.utf8) } + [[0], [1], [0x0b], [0x7f], [0x80], [0xc3], [0xff], [0x85]]
    }

    private static let common = [
        "\r\n", "\r", "\n", "\r\n\r\n", " ", "\t", ":", ",", ";", "/", "?", "#", "%", "*", ".", "..", "@", "[", "]",
        "\"",
        "\\", "0", "1", "9", "a", "f", "F", "GET ", "POST ", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", " HTTP/1.1\r\n",
        " HTTP/1.0\r\n", "Host: x\r\n", "Content-Length: 5\r\n", "Content-Length:", "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding:", "chunked", "gzip, ", "Connection: close\r\n", "Connection: keep-alive\r\n", "Connection:",
        "Upgrade: websocket\r\n", "Expect: 100-continue\r\n", "X-Forwarded-For: 9.9.9.9\r\n", "X_Y: 1\r\n", "http://a",
        "5\r\nhello\r\n", "0\r\n\r\n", "%2e", "%2F", "%5c", "%00", "%C3%A9", "%25",
    ]

    /// SplitMix64.
    mutating func number() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// From 0 up to, but not including, `limit`; 0 for an empty range.
    mutating func below(_ limit: Int) -> Int { limit > 0 ? Int(number() % UInt64(limit)) : 0 }

    /// One input: a source or the halves of two, then some changes, often none.
    mutating func next() -> [UInt8] {
        var octets = sources[below(sources.count)]
        if below(4) == 0 {
            let other = sources[below(sources.count)]
            octets = Array(octets.prefix(below(octets.count + 1))) + other.suffix(below(other.count + 1))
        }
        for _ in 0..<below(5) { change(&octets) }
        return octets
    }

    private mutating func change(_ octets: inout [UInt8]) {
        let place = below(octets.count + 1)
        let end = min(octets.count, place + 1 + below(24))
        switch below(8) {
        case 0, 1: octets.insert(contentsOf: words[below(words.count)], at: place)
        case 2: octets.replaceSubrange(place..<min(octets.count, place + 1), with: words[below(words.count)])
        case 3:
            octets.replaceSubrange(place..<min(octets.count, place + 1), with: [UInt8(truncatingIfNeeded: number())])
        case 4: octets.removeSubrange(place..<min(octets.count, place + 1))
        case 5: octets.removeSubrange(place..<end)
        case 6: octets.insert(contentsOf: octets[place..<end], at: below(octets.count + 1))
        default: octets.removeLast(below(min(octets.count, 30) + 1))
        }
    }
}
