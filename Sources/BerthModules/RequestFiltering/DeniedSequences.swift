internal import CBerthModule

/// Sequences of octets that must not occur, compared without regard to case.
struct DeniedSequences {
    private let sequences: UnsafeMutablePointer<berth_octets>
    private let count: Int

    init(_ texts: [String]) {
        count = texts.count
        sequences = .allocate(capacity: max(1, count))
        for (index, text) in texts.enumerated() {
            sequences.advanced(by: index).initialize(
                to: .copy(of: String(decoding: text.utf8.map(lowered), as: UTF8.self)))
        }
    }

    func deallocate() {
        for index in 0..<count { sequences[index].deallocate() }
        sequences.deallocate()
    }

    /// O(text × sequences); both are bounded by limits checked before.
    func matches(in text: berth_octets) -> Bool {
        guard let start = text.start else { return false }
        return matches(start, text.length)
    }

    /// The same after `%XX` was decoded once and `+` taken for a space. Nothing is decoded where there is neither.
    func matches(inUnescaped text: berth_octets) -> Bool {
        guard let start = text.start, text.index(of: 0x25) != nil || text.index(of: 0x2b) != nil else { return false }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: text.length) { decoded in
            guard let room = decoded.baseAddress else { return false }
            var count = 0
            var index = 0
            while index < text.length {
                if start[index] == 0x25, index + 2 < text.length, let high = hexDigit(start[index + 1]),
                    let low = hexDigit(start[index + 2])
                {
                    room[count] = high << 4 | low
                    index += 3
                } else {
                    room[count] = start[index] == 0x2b ? 0x20 : start[index]
                    index += 1
                }
                count += 1
            }
            return matches(room, count)
        }
    }

    private func matches(_ start: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        for number in 0..<count {
            guard let sequence = sequences[number].start else { continue }
            let wanted = sequences[number].length
            guard wanted <= length else { continue }
            for place in 0...(length - wanted) {
                var position = 0
                while position < wanted, lowered(start[place + position]) == sequence[position] { position += 1 }
                if position == wanted { return true }
            }
        }
        return false
    }
}

/// 0 through 15; nil for what is no hexadecimal digit.
@inline(__always)
func hexDigit(_ octet: UInt8) -> UInt8? {
    switch octet {
    case 0x30...0x39: octet - 0x30
    case 0x41...0x46: octet - 0x37
    case 0x61...0x66: octet - 0x57
    default: nil
    }
}
