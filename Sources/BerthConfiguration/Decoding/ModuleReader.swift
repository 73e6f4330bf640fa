/// Reads `[[module]]`.
enum ModuleReader {
    /// Settings of one loaded module.
    static let settingsMax = 4096

    struct Result {
        var entry: ModuleEntry
        /// What a `request-logging` said.
        var log: LogReader.Keys?
    }

    static func read(_ reader: TableReader) -> Result? {
        let name = reader.string("name", octetsMax: 128)
        let library = reader.absolutePath("library")
        let paths = self.paths(reader)
        let enabled = reader.boolean("enabled") ?? true
        guard let name else {
            if !reader.has("name") {
                reader.missing("name", "write the name of a built-in module, or a name of your own with \"library\"")
            }
            return nil
        }
        var entry = ModuleEntry(
            name: name.value, source: .library(library?.value ?? ""), paths: paths, enabled: enabled,
            location: reader.location)
        if let builtIn = BuiltInModule.allCases.first(where: { $0.rawValue == name.value }) {
            if let library {
                reader.diagnostics.error(
                    .conflictingKeys, at: library.location, "\(quoted(name.value)) is a built-in module",
                    "give the library a name of its own, or leave \"library\" out")
                return nil
            }
            entry.source = .builtIn(builtIn)
            // An entry that only takes the module out needs none of its settings.
            let log = builtIn == .requestLogging ? LogReader.read(reader) : nil
            entry.settings = ModuleKeys.read(reader, of: builtIn, required: enabled)
            reader.finish()
            return Result(entry: entry, log: log)
        }
        guard library != nil else {
            if !reader.has("library") { unknownModule(name, reader) }
            return nil
        }
        entry.settings = looseSettings(reader)
        return Result(entry: entry, log: nil)
    }

    private static func unknownModule(_ name: Located<String>, _ reader: TableReader) {
        let names = BuiltInModule.allCases.map(\.rawValue)
        let advice =
            NearestName.among(names, to: name.value).map { "write \(quoted($0)), or say where it is with \"library\"" }
            ?? "write one of \(names.joined(separator: ", ")), or say where it is with \"library\""
        reader.diagnostics.error(
            .unknownModule, at: name.location, "unknown module \(quoted(name.value))", advice)
    }

    private static func paths(_ reader: TableReader) -> [String] {
        guard let texts = reader.strings("paths") else { return ["/"] }
        var paths: [String] = []
        for text in texts {
            if let problem = URLPath.problem(in: text.value) {
                reader.diagnostics.error(
                    .wrongValue, at: text.location, "\(quoted(text.value)) is no path: \(problem)",
                    "write it like \"/admin/\"")
            } else {
                paths.append(text.value)
            }
        }
        if texts.isEmpty {
            reader.diagnostics.error(
                .wrongValue, at: reader.location(of: "paths"), "\"paths\" is empty",
                "leave it out to mean every path; write enabled = false to switch the module off")
        }
        return paths.isEmpty ? ["/"] : paths
    }

    /// What a loaded module is told: every other key, as text, in the order of the file.
    private static func looseSettings(_ reader: TableReader) -> [ModuleSetting] {
        let own = ["name", "library", "paths", "enabled"]
        var settings: [ModuleSetting] = []
        for entry in reader.table.entries where !own.contains(entry.key) {
            flatten(entry.value, name: entry.key, at: entry.location, into: &settings)
        }
        if settings.count > settingsMax {
            reader.diagnostics.error(
                .outOfRange, at: reader.location,
                "the module has \(settings.count) settings, more than \(settingsMax)")
            return []
        }
        return settings
    }

    private static func flatten(
        _ value: TOMLValue, name: String, at location: SourceLocation, into settings: inout [ModuleSetting]
    ) {
        let text: String
        switch value.content {
        case .table(let table):
            for entry in table.entries {
                flatten(entry.value, name: "\(name).\(entry.key)", at: entry.location, into: &settings)
            }
            return
        case .array(let elements):
            for element in elements { flatten(element, name: name, at: element.location, into: &settings) }
            return
        case .string(let string): text = string
        case .integer(let number): text = String(number)
        case .float(let number): text = "\(number)"
        case .boolean(let flag): text = String(flag)
        // Dates have no one spelling that a module could want; it takes them as strings.
        case .dateTime: text = ""
        }
        settings.append(ModuleSetting(name: name, value: text, location: value.location))
    }
}
