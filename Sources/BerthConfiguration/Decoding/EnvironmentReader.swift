/// Reads a table of environment variables.
enum EnvironmentReader {
    /// Octets of one value; Linux itself takes at most 128 KiB.
    static let valueMax = 65536

    static func read(_ reader: TableReader, into environment: inout [EnvironmentVariable]) {
        for entry in reader.namedEntries("environment") {
            guard let value = value(of: entry, reader) else { continue }
            if let problem = problem(inName: entry.key) {
                reader.diagnostics.error(
                    .invalidName, at: entry.location, "\(quoted(entry.key)) is no name of a variable: \(problem)")
                continue
            }
            set(entry.key, to: value, in: &environment)
        }
    }

    /// The last one of a name wins.
    static func set(_ name: String, to value: String, in environment: inout [EnvironmentVariable]) {
        if let index = environment.firstIndex(where: { $0.name == name }) {
            environment[index].value = value
        } else {
            environment.append(EnvironmentVariable(name: name, value: value))
        }
    }

    static func problem(inName name: String) -> String? {
        if name.isEmpty { return "it is empty" }
        if name.utf8.count > 256 { return "it is longer than 256 octets" }
        if name.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "=") || $0 == 0x7F }) {
            return "it holds = or a control character"
        }
        return nil
    }

    private static func value(of entry: TOMLTable.Entry, _ reader: TableReader) -> String? {
        guard case .string(let text) = entry.value.content else {
            reader.wrongType(entry.value, key: entry.key, expected: "a string", example: nil)
            return nil
        }
        guard text.utf8.count <= valueMax, !text.utf8.contains(0) else {
            reader.diagnostics.error(
                .wrongValue, at: entry.value.location,
                "the value of \(quoted(entry.key)) holds NUL or is longer than \(valueMax) octets")
            return nil
        }
        return text
    }
}
