/// SplitMix64: the same numbers for the same seed on every machine.
struct SeededRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A number from 0 up to, but not including, `limit`.
    mutating func below(_ limit: Int) -> Int { limit > 0 ? Int(next() % UInt64(limit)) : 0 }

    /// A few octets changed, put in, taken out or doubled; the octets that mean something to HTTP come more often.
    mutating func mutate(_ input: [UInt8]) -> [UInt8] {
        let meaningful: [UInt8] =
            Array("\r\n\r\n \t:;,/?#%*.@[]0159afAFxHGhg\\\"".utf8) + [0, 1, 0x0b, 0x7f, 0x80, 0xa0, 0xc3, 0xff]
        var output = input
        for _ in 0..<below(4) {
            let place = below(output.count)
            switch below(6) {
            case 0 where !output.isEmpty: output[place] = meaningful[below(meaningful.count)]
            case 1 where !output.isEmpty: output[place] = UInt8(truncatingIfNeeded: next())
            case 2: output.insert(meaningful[below(meaningful.count)], at: place)
            case 3 where !output.isEmpty: output.remove(at: place)
            case 4 where !output.isEmpty:
                let end = min(output.count, place + 1 + below(40))
                output.insert(contentsOf: output[place..<end], at: below(output.count))
            default: output.removeLast(below(min(output.count, 30) + 1))
            }
        }
        return output
    }
}
