internal import CBerthModule

/// What the site file says about one use of the module. Copied from the host; lives as long as it is wanted.
public struct Settings: Sendable {
    /// One line of the configuration.
    public struct Setting: Sendable {
        public let name: String
        public let value: String
        /// Where it is written: "shop.toml:12:3".
        public let location: String
    }

    /// In the order of the file. A list is several settings of one name.
    public let all: [Setting]
    /// The name of the site.
    public let site: String
    public let siteID: Int
    /// "/" or "/api".
    public let applicationPath: String
    /// The application's folder; may be empty.
    public let root: String
    public let loopCount: Int

    /// The first setting of this name. O(n).
    public func first(named name: String) -> Setting? { all.first { $0.name == name } }

    /// The `configuration` of a handler module.
    public var configuration: String? { first(named: "configuration")?.value }

    init(_ settings: UnsafePointer<berth_settings>) {
        let raw = settings.pointee
        all = (0..<Int(raw.count)).compactMap { index in
            guard let entries = raw.settings else { return nil }
            let entry = entries[index]
            return Setting(
                name: String(entry.name), value: String(entry.value), location: String(entry.location))
        }
        site = String(raw.site)
        siteID = Int(raw.site_id)
        applicationPath = String(raw.application_path)
        root = String(raw.root)
        loopCount = Int(raw.loop_count)
    }
}

extension String {
    /// A copy; octets that are not UTF-8 become U+FFFD.
    init(_ octets: berth_octets) {
        self = String(decoding: UnsafeBufferPointer(start: octets.start, count: Int(octets.count)), as: UTF8.self)
    }
}
