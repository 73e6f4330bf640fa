/// Sizes as they are written: `64MiB`, `30000000`.
enum SizeText {
    private static let units: [(name: String, octets: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000),
        ("B", 1), ("", 1),
    ]

    /// A number with a unit (octets where it has none); nil for anything else.
    static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard (1...12).contains(digits.count), let number = Int(digits) else { return nil }
        let word = text.dropFirst(digits.count).drop { $0 == " " }
        guard let unit = units.first(where: { $0.name == word }) else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.octets)
        return overflow ? nil : product
    }

    static func describe(_ octets: Int) -> String {
        for (name, size) in units.prefix(3) where octets >= size && octets % size == 0 {
            return "\(octets / size)\(name)"
        }
        return "\(octets)B"
    }
}
