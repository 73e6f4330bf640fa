/// The settings of the built-in modules: which keys each knows, and what may stand there.
///
/// What comes out is text in one canonical spelling, so that a module need not check it again.
enum ModuleKeys {
    enum Shape {
        /// 1 through `octetsMax` octets.
        case text(octetsMax: Int)
        /// `file:/path`.
        case file
        case flag
        case count(ClosedRange<Int>)
        /// In octets.
        case length(ClosedRange<Int>)
        case duration(ClosedRange<Duration>)
        case list(Element)
        /// `{ "Content-Type" = 100 }`
        case fieldLimits
        /// Rules of `url-authorization`.
        case rules
    }

    enum Element { case method, fileExtension, segment, text }

    struct Key {
        var name: String
        var shape: Shape
        var isRequired = false
    }

    static func keys(of module: BuiltInModule) -> [Key] {
        switch module {
        case .requestLogging, .anonymousAuthentication: []
        case .basicAuthentication:
            [
                Key(name: "realm", shape: .text(octetsMax: 256)),
                Key(name: "users", shape: .file, isRequired: true),
                Key(name: "cache_time", shape: .duration(.zero ... .seconds(3600))),
            ]
        case .urlAuthorization:
            [
                Key(name: "allow", shape: .rules), Key(name: "deny", shape: .rules), Key(name: "groups", shape: .file),
            ]
        case .requestFiltering:
            [
                Key(name: "max_content_length", shape: .length(0...4_294_967_295)),
                Key(name: "max_url", shape: .length(0...65534)),
                Key(name: "max_query_string", shape: .length(0...65534)),
                Key(name: "max_url_segments", shape: .count(0...16383)),
                Key(name: "allow_double_escaping", shape: .flag),
                Key(name: "allow_high_bit", shape: .flag),
                Key(name: "unescape_query_string", shape: .flag),
                Key(name: "verbs", shape: .list(.method)),
                Key(name: "deny_verbs", shape: .list(.method)),
                Key(name: "file_extensions", shape: .list(.fileExtension)),
                Key(name: "deny_file_extensions", shape: .list(.fileExtension)),
                Key(name: "hidden_segments", shape: .list(.segment)),
                Key(name: "deny_url_sequences", shape: .list(.text)),
                Key(name: "always_allowed_urls", shape: .list(.text)),
                Key(name: "deny_query_string_sequences", shape: .list(.text)),
                Key(name: "always_allowed_query_strings", shape: .list(.text)),
                Key(name: "header_limits", shape: .fieldLimits),
            ]
        }
    }

    /// Reads every known key.
    static func read(_ reader: TableReader, of module: BuiltInModule, required: Bool) -> [ModuleSetting] {
        let keys = keys(of: module)
        var settings: [ModuleSetting] = []
        for key in keys {
            if !reader.has(key.name), key.isRequired, required {
                reader.missing(key.name, example(of: key))
            }
            settings += read(key, reader)
        }
        if module == .urlAuthorization, required, !reader.has("allow"), !reader.has("deny") {
            reader.missing("allow", "write allow = [\"*\"] for everybody; whom no rule allows is refused")
        }
        return settings
    }

    private static func example(of key: Key) -> String {
        switch key.shape {
        case .file: "write \(key.name) = \"file:/etc/berth/NAME\""
        default: "write it"
        }
    }

    private static func read(_ key: Key, _ reader: TableReader) -> [ModuleSetting] {
        let location = reader.location(of: key.name)
        func one(_ value: String?) -> [ModuleSetting] {
            value.map { [ModuleSetting(name: key.name, value: $0, location: location)] } ?? []
        }
        switch key.shape {
        case .text(let octetsMax): return one(reader.string(key.name, octetsMax: octetsMax)?.value)
        case .file: return one(file(key.name, reader))
        case .flag: return one(reader.boolean(key.name).map { String($0) })
        case .count(let range): return one(reader.count(key.name, in: range).map { String($0) })
        case .length(let range): return one(reader.length(key.name, in: range).map { String($0) })
        case .duration(let range):
            return one(reader.duration(key.name, in: range).map { String($0.wholeMilliseconds) })
        case .list(let element): return list(key.name, of: element, reader)
        case .fieldLimits: return fieldLimits(key.name, reader)
        case .rules: return AuthorizationRules.read(key.name, reader)
        }
    }

    private static func file(_ key: String, _ reader: TableReader) -> String? {
        guard let text = reader.string(key) else { return nil }
        let path = text.value.hasPrefix("file:") ? String(text.value.dropFirst(5)) : text.value
        guard text.value.hasPrefix("file:"), path.hasPrefix("/") else {
            reader.diagnostics.error(
                .wrongValue, at: text.location, "\(quoted(text.value)) does not say where the file is",
                "write \(quoted(path.hasPrefix("/") ? "file:" + path : "file:/etc/berth/NAME"))")
            return nil
        }
        return text.value
    }

    private static func list(_ key: String, of element: Element, _ reader: TableReader) -> [ModuleSetting] {
        var settings: [ModuleSetting] = []
        for text in reader.strings(key) ?? [] {
            if let problem = problem(in: text.value, as: element) {
                reader.diagnostics.error(
                    .wrongValue, at: text.location, "\(quoted(text.value)): \(problem.what)", problem.advice)
            } else {
                settings.append(ModuleSetting(name: key, value: text.value, location: text.location))
            }
        }
        return settings
    }

    private static func problem(in text: String, as element: Element) -> (what: String, advice: String?)? {
        switch element {
        case .text: nil
        case .method: isToken(text) ? nil : ("no request method", "write it like \"GET\"")
        case .fileExtension:
            text.hasPrefix(".") && text.utf8.count > 1 && !text.contains("/")
                ? nil : ("no file extension", "write it with its dot, like \(quoted(".config"))")
        case .segment: text.contains("/") ? ("no single segment of a path", "write it without slashes") : nil
        }
    }

    private static func fieldLimits(_ key: String, _ reader: TableReader) -> [ModuleSetting] {
        reader.namedEntries(key).compactMap { entry in
            guard isToken(entry.key) else {
                reader.diagnostics.error(.invalidName, at: entry.location, "\(quoted(entry.key)) is no field name")
                return nil
            }
            guard case .integer(let limit) = entry.value.content else {
                reader.wrongType(entry.value, key: entry.key, expected: "an integer", example: nil)
                return nil
            }
            guard (0...65534).contains(limit) else {
                reader.diagnostics.error(
                    .outOfRange, at: entry.value.location, "\(quoted(entry.key)) is \(limit)", "write 0 through 65534")
                return nil
            }
            return ModuleSetting(name: "\(key).\(entry.key)", value: String(limit), location: entry.location)
        }
    }

    /// RFC 9110 §5.6.2.
    static func isToken(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { octet in
                switch octet {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(octet)
                }
            }
    }
}
