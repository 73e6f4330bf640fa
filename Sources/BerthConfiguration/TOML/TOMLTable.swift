/// A table of a TOML file: its entries in the order they were written.
struct TOMLTable {
    struct Entry {
        var key: String
        /// Where the key stands.
        var location: SourceLocation
        var value: TOMLValue
    }

    var entries: [Entry]
    /// Where the table begins: its header, or its brace.
    var location: SourceLocation

    subscript(key: String) -> Entry? { entries.first { $0.key == key } }
}
