/// What an instance of a module is told when it is made. Compared to see whether a reload changed anything.
public struct ModuleConfiguration: Sendable, Hashable {
    public struct Setting: Sendable, Hashable {
        public var name: String
        public var value: String
        /// "shop.toml:12:3".
        public var location: String

        public init(name: String, value: String, location: String) {
            self.name = name
            self.value = value
            self.location = location
        }
    }

    public var site: String
    public var siteID: UInt32
    /// "/" or "/api".
    public var applicationPath: String
    /// The application's folder; empty where it has none.
    public var root: String
    public var settings: [Setting]

    public init(site: String, siteID: UInt32, applicationPath: String, root: String, settings: [Setting]) {
        self.site = site
        self.siteID = siteID
        self.applicationPath = applicationPath
        self.root = root
        self.settings = settings
    }
}
