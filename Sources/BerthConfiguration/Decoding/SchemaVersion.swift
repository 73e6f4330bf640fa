/// The version of the file format.
enum SchemaVersion {
    static let current: Int64 = 1

    /// Whether the file can be read; another version is reported.
    static func check(_ reader: TableReader) -> Bool {
        guard let entry = reader.entry("schema") else { return true }
        guard case .integer(let version) = entry.value.content else {
            reader.wrongType(entry.value, key: "schema", expected: "an integer", example: "schema = 1")
            return true
        }
        if version == current { return true }
        reader.diagnostics.error(
            .schema, at: entry.value.location, "schema \(version) is not known to this version of Berth",
            "write schema = \(current)")
        return false
    }
}
