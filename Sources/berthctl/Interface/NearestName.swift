/// Finds what somebody meant who made a slip.
package enum NearestName {
    /// The name that differs least from `word`, when it differs in a third of its letters at most; `nil` when none does.
    package static func of(_ word: String, among names: some Sequence<String>) -> String? {
        let letters = Array(word.lowercased().prefix(lengthMax))
        guard !letters.isEmpty else { return nil }
        var best: (name: String, distance: Int)?
        for name in names {
            let other = Array(name.lowercased().prefix(lengthMax))
            let isBeginning = letters.count >= 2 && other.starts(with: letters)
            let distance = isBeginning ? 1 : distance(letters, other)
            guard distance <= max(1, max(letters.count, other.count) / 3), distance < best?.distance ?? .max else {
                continue
            }
            best = (name, distance)
        }
        return best?.name
    }

    /// Letters of a name that are compared: the work grows with the square.
    private static let lengthMax = 64

    /// Letters inserted, removed, exchanged, or swapped with their neighbour (optimal string alignment).
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for i in left.indices {
            var row = [i + 1]
            for j in right.indices {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    cost = min(cost, beforeLast[j - 1] + 1)
                }
                row.append(cost)
            }
            (beforeLast, last) = (last, row)
        }
        return last[right.count]
    }
}
