/// Finds the name somebody meant.
package enum NearestName {
    /// The candidate with the fewest letters to change, insert, drop or swap; nil where none is near.
    package static func among(_ candidates: [String], to name: String) -> String? {
        // A name of a thousand letters is no slip of the finger, and the distance is quadratic.
        guard (1...64).contains(name.utf8.count) else { return nil }
        let wanted = spelling(name)
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let distance = distance(spelling(candidate), wanted)
            if distance < best?.distance ?? Int.max { best = (candidate, distance) }
        }
        guard let best, best.distance <= max(1, wanted.count / 3) else { return nil }
        return best.name
    }

    /// `idleTimeout`, `idle-timeout` and `idle_timeout` are one word.
    private static func spelling(_ name: String) -> [UInt8] {
        name.lowercased().utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
    }

    /// Optimal string alignment distance.
    static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var before = [Int](repeating: 0, count: b.count + 1)
        var previous = Array(0...b.count)
        for i in 1...a.count {
            var current = [i] + [Int](repeating: 0, count: b.count)
            for j in 1...b.count {
                let cost = a[i - 1] == b[j - 1] ? 0 : 1
                current[j] = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    current[j] = min(current[j], before[j - 2] + 1)
                }
            }
            before = previous
            previous = current
        }
        return previous[b.count]
    }
}
