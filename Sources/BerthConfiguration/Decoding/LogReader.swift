/// Reads where and how a site logs: `[site.log]`, `[defaults.site.log]`, and the module `request-logging`.
enum LogReader {
    /// What one table says; nil where it says nothing.
    struct Keys {
        /// Whether such a table was there at all, and did not say `enabled = false`.
        var enabled: Bool?
        var destination: Destination?
        var fields: [LogField]?
        var rollover: LogRollover?
        var truncateSize: Int?
        var flushInterval: Duration?

        enum Destination { case file(String), directory(String) }

        /// These keys, on top of the more general ones of `base`.
        func on(_ base: Keys) -> Keys {
            Keys(
                enabled: enabled ?? base.enabled, destination: destination ?? base.destination,
                fields: fields ?? base.fields, rollover: rollover ?? base.rollover,
                truncateSize: truncateSize ?? base.truncateSize, flushInterval: flushInterval ?? base.flushInterval)
        }
    }

    /// Reads the keys; the caller finishes the table, which may hold others.
    static func read(_ reader: TableReader) -> Keys {
        var keys = Keys()
        keys.enabled = reader.boolean("enabled") ?? true
        let file = reader.absolutePath("file")
        let directory = reader.absolutePath("directory")
        if let file, directory != nil {
            reader.diagnostics.error(
                .conflictingKeys, at: file.location, "\(reader.name) has both \"file\" and \"directory\"",
                "write \"file\" for one file, or \"directory\" for one file a period")
        }
        keys.destination = file.map { .file($0.value) } ?? directory.map { .directory($0.value) }
        if let names = reader.strings("fields", countMax: 64) { keys.fields = fields(names, reader) }
        keys.rollover = reader.choice("rollover", of: LogRollover.self)?.value
        keys.truncateSize = reader.size("truncate_size", in: 1_048_576...4_294_967_295)
        keys.flushInterval = reader.duration("flush_interval", in: .zero ... .seconds(3600))
        return keys
    }

    private static func fields(_ names: [Located<String>], _ reader: TableReader) -> [LogField]? {
        var fields: [LogField] = []
        for name in names {
            guard let field = LogField.allCases.first(where: { $0.rawValue.lowercased() == name.value.lowercased() })
            else {
                let known = LogField.allCases.map(\.rawValue)
                let advice =
                    NearestName.among(known, to: name.value).map { "write \(quoted($0))" }
                    ?? "known are \(known.joined(separator: ", "))"
                reader.diagnostics.error(
                    .wrongValue, at: name.location, "\(quoted(name.value)) is no field of the W3C log", advice)
                continue
            }
            if fields.contains(field) {
                reader.diagnostics.error(.duplicate, at: name.location, "\(quoted(name.value)) is there twice")
                continue
            }
            fields.append(field)
        }
        return fields.isEmpty ? nil : fields
    }

    /// The settings that come of `keys` for the site of that number.
    static func settings(_ keys: Keys, siteID: UInt32, logDirectory: String) -> SiteLogSettings {
        var settings = SiteLogSettings()
        if keys.enabled == true {
            switch keys.destination {
            case .file(let path): settings.destination = .file(path)
            case .directory(let path): settings.destination = .directory("\(path)/W3SVC\(siteID)")
            case nil: settings.destination = .directory("\(logDirectory)/W3SVC\(siteID)")
            }
        }
        keys.fields.assign(to: &settings.fields)
        keys.rollover.assign(to: &settings.rollover)
        keys.truncateSize.assign(to: &settings.truncateSize)
        keys.flushInterval.assign(to: &settings.flushInterval)
        return settings
    }
}

extension SiteLogSettings {
    /// The same as the module `request-logging` takes it: `file` or `directory`, `fields` (one setting a field),
    /// `rollover`, `truncate_size` in octets, `flush_interval` in milliseconds.
    public func moduleSettings(at location: SourceLocation) -> [ModuleSetting] {
        var settings: [ModuleSetting] = []
        func add(_ name: String, _ value: String) {
            settings.append(ModuleSetting(name: name, value: value, location: location))
        }
        switch destination {
        case .off: return []
        case .file(let path): add("file", path)
        case .directory(let path): add("directory", path)
        }
        for field in fields { add("fields", field.rawValue) }
        add("rollover", rollover.rawValue)
        add("truncate_size", String(truncateSize))
        add("flush_interval", String(flushInterval.wholeMilliseconds))
        return settings
    }
}
