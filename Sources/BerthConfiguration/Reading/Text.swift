/// In quotes for a message, shortened to what a line can hold.
func quoted(_ text: String) -> String {
    text.unicodeScalars.count <= 100 ? "\"\(text)\"" : "\"\(String(text.unicodeScalars.prefix(100)))...\""
}

/// A word without its hyphens, underscores and case: `OutOfProcess` is `out-of-process`.
func looseSpelling(_ word: String) -> String {
    word.lowercased().filter { $0 != "-" && $0 != "_" }
}

extension StringProtocol where SubSequence == Substring {
    /// Where `other` stands in this text; the first place, or the last. No Foundation in the daemon.
    func range(of other: String, last: Bool = false) -> Range<Index>? {
        var found: Range<Index>?
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(other) {
                found = start..<index(start, offsetBy: other.count)
                if !last { return found }
            }
            start = index(after: start)
        }
        return found
    }
}
