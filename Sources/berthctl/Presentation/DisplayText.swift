/// Text from elsewhere, made fit for a terminal.
package enum DisplayText {
    /// Replaces what would steer the terminal or turn the direction of writing: a request's path is the client's.
    package static func clean(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnfit) else { return text }
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { clean.append(isUnfit(scalar) ? "\u{FFFD}" : scalar) }
        return String(clean)
    }

    /// The columns that the text takes.
    package static func width(_ text: String) -> Int {
        text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.count : text.reduce(0) { $0 + width($1) }
    }

    /// The text, or as much of it as goes into `width` columns together with an ellipsis.
    package static func shorten(_ text: String, to width: Int) -> String {
        guard self.width(text) > width else { return text }
        guard width > 0 else { return "" }
        var kept = ""
        var taken = 1
        for character in text {
            taken += self.width(character)
            guard taken <= width else { break }
            kept.append(character)
        }
        return kept + "…"
    }

    private static func isUnfit(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// Two columns for East Asian wide characters and emoji (UAX #11), one for the rest.
    private static func width(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        if scalar.properties.isEmojiPresentation { return 2 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
