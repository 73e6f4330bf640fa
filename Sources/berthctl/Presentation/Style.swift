/// How a word looks on a terminal with colours; without them the words say the same.
package enum Style: String, Sendable {
    case heading = "1"
    case good = "32"
    case warning = "33"
    case bad = "31"
    case faint = "2"

    /// `text` in this style (ECMA-48, Select Graphic Rendition).
    package func applied(to text: String) -> String { "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" }
}
