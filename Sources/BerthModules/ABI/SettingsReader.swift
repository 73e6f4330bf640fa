internal import CBerthModule

/// Reads the settings of one instance of a module, and collects everything that is wrong with them.
///
/// Values of the built-in modules are normal by the time they get here: numbers are decimal, sizes octets, durations
/// milliseconds, switches `true` or `false`; a list is one setting an element.
struct SettingsReader {
    struct Setting {
        let name: String
        let value: String
        let location: String
    }

    let site: String
    let siteID: Int
    let root: String
    let applicationPath: String
    private let all: [Setting]
    private var known: Set<String> = []
    private var problems: [String] = []

    init(_ settings: UnsafePointer<berth_settings>) {
        let raw = settings.pointee
        site = String(raw.site)
        siteID = Int(raw.site_id)
        root = String(raw.root)
        applicationPath = String(raw.application_path)
        all = (0..<Int(raw.count)).compactMap { index in
            raw.settings.map { entries in
                let entry = entries[index]
                return Setting(name: String(entry.name), value: String(entry.value), location: String(entry.location))
            }
        }
    }

    /// Every setting of this name, in order.
    mutating func list(_ name: String) -> [Setting] {
        known.insert(name)
        return all.filter { $0.name == name }
    }

    /// The keys of a table: `directories./img` for `directories = { "/img" = ... }`. The name is without the table's.
    mutating func table(_ name: String) -> [Setting] {
        let prefix = name + "."
        return all.filter { $0.name.hasPrefix(prefix) }.map { setting in
            known.insert(setting.name)
            return Setting(
                name: String(setting.name.dropFirst(prefix.count)), value: setting.value, location: setting.location)
        }
    }

    /// The last setting of this name: what is nearer to the site overrides.
    mutating func setting(_ name: String) -> Setting? { list(name).last }

    mutating func text(_ name: String) -> String? { setting(name)?.value }

    mutating func number(_ name: String, default value: Int, in range: ClosedRange<Int>) -> Int {
        guard let setting = setting(name) else { return value }
        guard let number = Int(setting.value), range.contains(number) else {
            problem(
                "'\(name)' is '\(setting.value)'; write a number from \(range.lowerBound) to \(range.upperBound)",
                at: setting)
            return value
        }
        return number
    }

    mutating func isOn(_ name: String, default value: Bool) -> Bool {
        guard let setting = setting(name) else { return value }
        switch setting.value {
        case "true": return true
        case "false": return false
        default:
            problem("'\(name)' is '\(setting.value)'; write true or false", at: setting)
            return value
        }
    }

    /// The path of `file:PATH`.
    mutating func file(_ name: String) -> (path: String, location: String)? {
        guard let setting = setting(name) else { return nil }
        guard setting.value.hasPrefix("file:/") else {
            problem("'\(name)' is '\(setting.value)'; write \"file:\" and an absolute path", at: setting)
            return nil
        }
        return (String(setting.value.dropFirst(5)), setting.location)
    }

    /// Notes that something is wrong with a setting.
    mutating func problem(_ text: String, at setting: Setting) { problem(text, at: setting.location) }

    mutating func problem(_ text: String, at location: String) {
        problems.append(location.isEmpty ? text : "\(location): \(text)")
    }

    /// What is wrong, settings nobody asked for included, a line each; nil when nothing is. Call last.
    func failure() -> String? {
        let unknown = all.filter { !known.contains($0.name) }.map { setting in
            let text = "'\(setting.name)' is no setting of this module"
            return setting.location.isEmpty ? text : "\(setting.location): \(text)"
        }
        let everything = problems + unknown
        return everything.isEmpty ? nil : everything.joined(separator: "\n")
    }
}
