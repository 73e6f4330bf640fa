/// Durations as they are written: `20min`, `1h30min`, `500ms`.
enum DurationText {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// Numbers with their units, the larger unit first, spaces between them or not; nil for anything else.
    static func parse(_ text: String) -> Duration? {
        var rest = text[...]
        var total: Int64 = 0
        var unitsLeft = units[...]
        repeat {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard (1...12).contains(digits.count), let number = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let word = rest.prefix { $0.isASCII && $0.isLetter }
            guard let index = unitsLeft.firstIndex(where: { $0.name == word }) else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: unitsLeft[index].milliseconds)
            // A thousand years is far above every limit, and far below what a sum can overflow.
            guard !overflow, product <= 31_557_600_000_000 else { return nil }
            total += product
            unitsLeft = unitsLeft[(index + 1)...]
            rest = rest.dropFirst(word.count).drop { $0 == " " }
        } while !rest.isEmpty
        return .milliseconds(total)
    }

    /// The shortest spelling that `parse` reads back.
    static func describe(_ duration: Duration) -> String {
        var rest = Int64(clamping: duration.wholeMilliseconds)
        if rest == 0 { return "0s" }
        var text = ""
        for (name, milliseconds) in units where rest >= milliseconds {
            text += "\(rest / milliseconds)\(name)"
            rest %= milliseconds
        }
        return text
    }
}
