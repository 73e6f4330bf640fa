/// A command with its arguments and options, as it was called.
package struct Invocation: Sendable {
    package var command: Command
    package var arguments: [String]
    private var values: [String: String]

    package init(command: Command, arguments: [String], values: [String: String]) {
        (self.command, self.arguments, self.values) = (command, arguments, values)
    }

    package func has(_ option: String) -> Bool { values[option] != nil }

    package func text(_ option: String) -> String? { values[option] }

    /// A whole number of the given range.
    package func number(_ option: String, in range: ClosedRange<UInt64>) throws(CommandFailure) -> UInt64? {
        guard let text = values[option] else { return nil }
        guard let number = UInt64(text), range.contains(number), text.first != "+" else {
            throw CommandFailure(
                usage: "--\(option) is a whole number from \(range.lowerBound) through \(range.upperBound), not \(text)"
            )
        }
        return number
    }

    /// A length of time as configuration files have them: `250ms`, `5s`, `2min`, `1h`, `1d`; in milliseconds.
    package func milliseconds(_ option: String) throws(CommandFailure) -> UInt64? {
        guard let text = values[option] else { return nil }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units: [Substring: UInt64] = ["ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let count = UInt64(digits), count <= 1_000_000_000, let unit = units[text.dropFirst(digits.count)] else {
            throw CommandFailure(usage: "--\(option) is a time such as 250ms, 5s, 2min or 1h, not \(text)")
        }
        return count * unit
    }
}
