/// Reads one table key by key, and reports what it finds wrong on the way.
///
/// Every accessor makes its key a known one; `finish` reports the keys nobody asked for, with the nearest known one.
/// An accessor answers nil where the key is absent, and where it is wrong, which it has then reported.
final class TableReader {
    /// Octets in one string, unless the caller allows more.
    static let textMax = 4096
    /// Elements in one array.
    static let elementsMax = 1024

    /// What a value outside its range is.
    enum RangePolicy {
        case error
        /// The default is used, and said so: WAS does this for pools (event 5041).
        case warning
    }

    let table: TOMLTable
    /// How the table is named in a message: `[site]`.
    let name: String
    let diagnostics: DiagnosticCollector
    private let rangePolicy: RangePolicy
    private var known: [String] = []

    init(_ table: TOMLTable, name: String, diagnostics: DiagnosticCollector, rangePolicy: RangePolicy = .error) {
        self.table = table
        self.name = name
        self.diagnostics = diagnostics
        self.rangePolicy = rangePolicy
    }

    var location: SourceLocation { table.location }

    /// The entry at `key`, which is known from now on.
    func entry(_ key: String) -> TOMLTable.Entry? {
        known.append(key)
        return table[key]
    }

    func has(_ key: String) -> Bool { table[key] != nil }

    /// Where `key` stands, or the table itself.
    func location(of key: String) -> SourceLocation { table[key]?.location ?? table.location }

    /// Reports what nobody asked for.
    func finish() {
        for entry in table.entries where !known.contains(entry.key) {
            let advice =
                NearestName.among(known, to: entry.key).map { "write \(quoted($0))" }
                ?? "known are \(Set(known).sorted().joined(separator: ", "))"
            diagnostics.error(.unknownKey, at: entry.location, "unknown key \(quoted(entry.key)) in \(name)", advice)
        }
    }

    // MARK: Text

    /// A string without control characters, at most `octetsMax` octets long and not empty unless `emptyAllowed`.
    func string(_ key: String, octetsMax: Int = textMax, emptyAllowed: Bool = false) -> Located<String>? {
        guard let entry = entry(key) else { return nil }
        return text(of: entry.value, key: key, octetsMax: octetsMax, emptyAllowed: emptyAllowed)
    }

    /// A list of strings; a single string is a list of one.
    func strings(_ key: String, countMax: Int = elementsMax, emptyAllowed: Bool = false) -> [Located<String>]? {
        guard let entry = entry(key) else { return nil }
        guard case .array(let elements) = entry.value.content else {
            if case .string = entry.value.content {
                return text(of: entry.value, key: key, emptyAllowed: emptyAllowed).map { [$0] }
            }
            wrongType(entry.value, key: key, expected: "an array of strings", example: "[\"...\"]")
            return nil
        }
        guard elements.count <= countMax else {
            diagnostics.error(
                .outOfRange, at: entry.value.location,
                "\(quoted(key)) has \(elements.count) elements, more than \(countMax)")
            return nil
        }
        return elements.compactMap { element in
            guard case .string = element.content else {
                wrongType(element, name: "an element of \(quoted(key))", expected: "a string", example: nil)
                return nil
            }
            return text(of: element, key: key, emptyAllowed: emptyAllowed)
        }
    }

    func text(
        of value: TOMLValue, key: String, octetsMax: Int = textMax, emptyAllowed: Bool = false
    ) -> Located<String>? {
        guard case .string(let text) = value.content else {
            wrongType(value, key: key, expected: "a string", example: nil)
            return nil
        }
        guard emptyAllowed || !text.isEmpty else {
            diagnostics.error(.wrongValue, at: value.location, "\(quoted(key)) is empty")
            return nil
        }
        guard text.utf8.count <= octetsMax else {
            diagnostics.error(
                .outOfRange, at: value.location,
                "\(quoted(key)) is \(text.utf8.count) octets long, more than \(octetsMax)")
            return nil
        }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            diagnostics.error(.wrongValue, at: value.location, "\(quoted(key)) holds a control character")
            return nil
        }
        return Located(text, at: value.location)
    }

    /// An absolute path without a slash at its end.
    func absolutePath(_ key: String) -> Located<String>? {
        guard let path = string(key) else { return nil }
        guard path.value.hasPrefix("/") else {
            diagnostics.error(
                .wrongValue, at: path.location, "\(quoted(key)) is not an absolute path: \(quoted(path.value))",
                "write the whole path, from / on")
            return nil
        }
        return Located(FilePath.withoutTrailingSlash(path.value), at: path.location)
    }

    /// One of a closed set of words, in any case, with or without hyphens and underscores.
    func choice<Value: RawRepresentable & CaseIterable>(_ key: String, of type: Value.Type) -> Located<Value>?
    where Value.RawValue == String {
        guard let word = string(key, octetsMax: 64) else { return nil }
        if let value = Value.allCases.first(where: { looseSpelling($0.rawValue) == looseSpelling(word.value) }) {
            return Located(value, at: word.location)
        }
        let words = Value.allCases.map(\.rawValue)
        diagnostics.error(
            .wrongValue, at: word.location, "\(quoted(word.value)) is no \(key)",
            "write \(words.map(quoted).joined(separator: " or "))")
        return nil
    }

    // MARK: Numbers

    func boolean(_ key: String) -> Bool? {
        guard let entry = entry(key) else { return nil }
        guard case .boolean(let value) = entry.value.content else {
            wrongType(entry.value, key: key, expected: "true or false", example: nil)
            return nil
        }
        return value
    }

    /// A number of things, which has no unit.
    func count(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let entry = entry(key) else { return nil }
        guard case .integer(let number) = entry.value.content else {
            wrongType(entry.value, key: key, expected: "an integer", example: nil)
            return nil
        }
        return checked(Int(number), in: range, key: key, at: entry.value.location) { String($0) }
    }

    /// A length in octets whose key says so (`max_request_bytes`): an integer, or a size with a unit.
    func length(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let entry = entry(key) else { return nil }
        if case .integer(let number) = entry.value.content {
            return checked(Int(number), in: range, key: key, at: entry.value.location) { String($0) }
        }
        return size(of: entry.value, key: key, in: range)
    }

    /// A size with its unit.
    func size(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let entry = entry(key) else { return nil }
        if case .integer(let number) = entry.value.content {
            let written = number >= 0 && number <= Int64(Int32.max) ? SizeText.describe(Int(number)) : "64MiB"
            diagnostics.error(
                .unitMissing, at: entry.value.location, "\(quoted(key)) needs a unit", "write \(quoted(written))")
            return nil
        }
        return size(of: entry.value, key: key, in: range)
    }

    private func size(of value: TOMLValue, key: String, in range: ClosedRange<Int>) -> Int? {
        guard case .string(let text) = value.content else {
            wrongType(value, key: key, expected: "a size", example: "\"64MiB\"")
            return nil
        }
        guard let octets = SizeText.parse(text) else {
            diagnostics.error(
                .wrongValue, at: value.location, "\(quoted(text)) is no size",
                "write a whole number with B, KiB, MiB or GiB, like \"64MiB\"")
            return nil
        }
        return checked(octets, in: range, key: key, at: value.location, SizeText.describe)
    }

    /// A duration with its unit.
    func duration(_ key: String, in range: ClosedRange<Duration>) -> Duration? {
        guard let entry = entry(key) else { return nil }
        return duration(of: entry.value, key: key, in: range)
    }

    /// A duration, or `"off"`.
    func timeLimit(_ key: String, in range: ClosedRange<Duration>) -> TimeLimit? {
        guard let entry = entry(key) else { return nil }
        if case .string("off") = entry.value.content { return .off }
        return duration(of: entry.value, key: key, in: range, orOff: true).map { .after($0) }
    }

    private func duration(
        of value: TOMLValue, key: String, in range: ClosedRange<Duration>, orOff: Bool = false
    ) -> Duration? {
        let off = orOff ? ", or \"off\"" : ""
        switch value.content {
        case .integer(let number):
            let written = number >= 0 ? "\(number)s" : "120s"
            diagnostics.error(
                .unitMissing, at: value.location, "\(quoted(key)) needs a unit", "write \(quoted(written))\(off)")
            return nil
        case .string(let text):
            guard let duration = DurationText.parse(text) else {
                diagnostics.error(
                    .wrongValue, at: value.location, "\(quoted(text)) is no duration",
                    "write whole numbers with ms, s, min, h or d, like \"1h30min\"\(off)")
                return nil
            }
            return checked(duration, in: range, key: key, at: value.location, DurationText.describe)
        default:
            wrongType(value, key: key, expected: "a duration", example: "\"20min\"\(off)")
            return nil
        }
    }

    /// A limit that may be absent: a number, or `"off"`, which is `.some(nil)`.
    func countOrOff(_ key: String, in range: ClosedRange<Int>) -> Int?? {
        guard let value = table[key]?.value, case .string("off") = value.content else {
            return count(key, in: range).map { .some($0) }
        }
        _ = entry(key)
        return .some(nil)
    }

    /// A size with its unit, or `"off"`, which is `.some(nil)`.
    func sizeOrOff(_ key: String, in range: ClosedRange<Int>) -> Int?? {
        guard let value = table[key]?.value, case .string("off") = value.content else {
            return size(key, in: range).map { .some($0) }
        }
        _ = entry(key)
        return .some(nil)
    }

    /// A rate like `"240B/s"`, or `"off"`.
    func sendRate(_ key: String) -> SendRateLimit? {
        guard let entry = entry(key) else { return nil }
        switch entry.value.content {
        case .string("off"): return .off
        case .integer(let number):
            diagnostics.error(
                .unitMissing, at: entry.value.location, "\(quoted(key)) needs a unit",
                "write \"\(max(1, number))B/s\", or \"off\"")
            return nil
        case .string(let text):
            guard text.hasSuffix("/s"), let octets = SizeText.parse(String(text.dropLast(2))) else {
                diagnostics.error(
                    .wrongValue, at: entry.value.location, "\(quoted(text)) is no rate",
                    "write octets a second, like \"240B/s\", or \"off\"")
                return nil
            }
            return checked(octets, in: 1...4_294_967_294, key: key, at: entry.value.location) { "\($0)B/s" }
                .map { .octetsPerSecond($0) }
        default:
            wrongType(entry.value, key: key, expected: "a rate", example: "\"240B/s\"")
            return nil
        }
    }

    private func checked<Value: Comparable>(
        _ value: Value, in range: ClosedRange<Value>, key: String, at location: SourceLocation,
        _ describe: (Value) -> String
    ) -> Value? {
        if range.contains(value) { return value }
        let bounds = "\(describe(range.lowerBound)) through \(describe(range.upperBound))"
        switch rangePolicy {
        case .error:
            diagnostics.error(
                .outOfRange, at: location, "\(quoted(key)) is \(describe(value))", "write \(bounds)")
        case .warning:
            diagnostics.warning(
                .outOfRange, at: location, "\(quoted(key)) is \(describe(value)), the default is used (5041)",
                "write \(bounds)")
        }
        return nil
    }

    // MARK: Tables

    /// The table at `key`, to be read and finished by the caller.
    func subtable(_ key: String, name: String, rangePolicy: RangePolicy? = nil) -> TableReader? {
        guard let entry = entry(key) else { return nil }
        return reader(of: entry.value, key: key, name: name, rangePolicy: rangePolicy)
    }

    func reader(
        of value: TOMLValue, key: String, name: String, rangePolicy: RangePolicy? = nil
    ) -> TableReader? {
        guard case .table(let table) = value.content else {
            wrongType(value, key: key, expected: "a table", example: nil)
            return nil
        }
        return TableReader(table, name: name, diagnostics: diagnostics, rangePolicy: rangePolicy ?? self.rangePolicy)
    }

    /// The tables of `[[key]]`, at most `countMax`.
    func tables(_ key: String, countMax: Int) -> [TableReader] {
        guard let entry = entry(key) else { return [] }
        guard case .array(let elements) = entry.value.content else {
            wrongType(entry.value, key: key, expected: "an array of tables", example: "[[\(key)]]")
            return []
        }
        guard elements.count <= countMax else {
            diagnostics.error(
                .outOfRange, at: entry.location, "\(elements.count) tables [[\(key)]], more than \(countMax)")
            return []
        }
        return elements.compactMap { reader(of: $0, key: key, name: "[[\(key)]]") }
    }

    /// The entries of a table whose keys are names of the administrator's own, at most `elementsMax`.
    func namedEntries(_ key: String) -> [TOMLTable.Entry] {
        guard let entry = entry(key) else { return [] }
        guard case .table(let table) = entry.value.content else {
            wrongType(entry.value, key: key, expected: "a table", example: nil)
            return []
        }
        guard table.entries.count <= Self.elementsMax else {
            diagnostics.error(
                .outOfRange, at: entry.location,
                "\(quoted(key)) has \(table.entries.count) entries, more than \(Self.elementsMax)")
            return []
        }
        return table.entries
    }

    // MARK: Reports

    func wrongType(_ value: TOMLValue, key: String, expected: String, example: String?) {
        wrongType(value, name: quoted(key), expected: expected, example: example)
    }

    private func wrongType(_ value: TOMLValue, name: String, expected: String, example: String?) {
        var advice = example.map { "write \($0)" }
        if advice == nil, expected == "a string" {
            switch value.content {
            case .integer(let number): advice = "write \"\(number)\""
            case .boolean(let flag): advice = "write \"\(flag)\""
            default: break
            }
        }
        if advice == nil, expected == "an integer", case .string(let text) = value.content, Int(text) != nil {
            advice = "write it without quotes"
        }
        if advice == nil, expected == "true or false" { advice = "write true or false, without quotes" }
        diagnostics.error(
            .wrongType, at: value.location, "\(name) must be \(expected), not \(value.typeName)", advice)
    }

    /// The key is right, and this release does nothing about it.
    func notInForce(_ key: String, _ instead: String) {
        diagnostics.warning(
            .notAvailable, at: location(of: key), "\(quoted(key)) is not in force in this release", instead)
    }

    func missing(_ key: String, _ advice: String) {
        diagnostics.error(.missing, at: location, "\(quoted(key)) is missing in \(name)", advice)
    }
}
