extension ConfigurationDiagnostic: CustomStringConvertible {
    /// Characters of a source line shown; of a longer one, the part around the place.
    private static let lineLengthMax = 120

    /// One line: `file:line:column: error: what is wrong; what to write instead`.
    public var description: String {
        let advice = advice.map { "; \($0)" } ?? ""
        return Self.printable("\(location): \(severity.rawValue): \(message)\(advice)")
    }

    /// The line above, and below it the line of the file with a caret under the place.
    public func rendered() -> String {
        guard let sourceLine, location.line > 0 else { return description }
        let scalars = Array(Self.printable(sourceLine).unicodeScalars)
        let column = max(0, min(location.column - 1, scalars.count))
        let start = scalars.count > Self.lineLengthMax ? max(0, column - Self.lineLengthMax / 2) : 0
        let shown = scalars[start...].prefix(Self.lineLengthMax)
        let number = String(location.line)
        let margin = String(repeating: " ", count: max(0, 5 - number.count))
        var caret = String.UnicodeScalarView()
        // A tab stays a tab, so that the caret stands where the eye looks.
        for scalar in scalars[start..<column] { caret.append(scalar == "\t" ? "\t" : " ") }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: shown)
        let blank = String(repeating: " ", count: margin.count + number.count)
        return "\(description)\n\(margin)\(number) | \(String(text))\n\(blank) | \(String(caret))^"
    }

    /// What a file holds reaches terminals and logs: no control character of its own.
    private static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { isControl($0) }) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { result.append(isControl(scalar) ? "\u{FFFD}" : scalar) }
        return String(result)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09: false
        case 0..<0x20, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
