/// A module of the chain in front of a site's applications.
public struct ModuleEntry: Sendable, Hashable {
    public enum Source: Sendable, Hashable {
        case builtIn(BuiltInModule)
        /// A shared library, absolute path.
        case library(String)
    }

    public var name: String
    public var source: Source
    /// Where it holds: prefixes of whole segments, each beginning with a slash. `["/"]` is everywhere.
    public var paths: [String]
    /// False takes the module out of the chain on `paths`.
    public var enabled: Bool
    /// What it is told. A list appears as several settings of one name, in its order.
    public var settings: [ModuleSetting]
    /// Whether no file named it: `request-filtering` and `anonymous-authentication` are in every chain unless a file
    /// takes them out. Anonymous authentication that is only there by default gives way to any other on its paths.
    public var isDefault: Bool = false
    public var location: SourceLocation

    public init(
        name: String, source: Source, paths: [String] = ["/"], enabled: Bool = true, settings: [ModuleSetting] = [],
        location: SourceLocation = .none
    ) {
        self.name = name
        self.source = source
        self.paths = paths
        self.enabled = enabled
        self.settings = settings
        self.location = location
    }

    public init(
        _ module: BuiltInModule, paths: [String] = ["/"], settings: [ModuleSetting] = [], isDefault: Bool = false
    ) {
        self.init(name: module.rawValue, source: .builtIn(module), paths: paths, settings: settings)
        self.isDefault = isDefault
    }

    /// The chain of a site that names no module.
    public static let defaults = [
        ModuleEntry(.requestFiltering, isDefault: true), ModuleEntry(.anonymousAuthentication, isDefault: true),
    ]

    /// Every value of the setting of that name, in order.
    public func values(of name: String) -> [String] { settings.filter { $0.name == name }.map(\.value) }
}
