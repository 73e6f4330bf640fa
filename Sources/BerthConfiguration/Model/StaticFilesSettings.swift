/// An application that is a folder of files (pipeline-and-modules §7).
public struct StaticFilesSettings: Sendable, Hashable {
    public enum CacheControl: Sendable, Hashable {
        /// Nothing is said about caching. The default, as in IIS.
        case none
        /// `no-cache`.
        case disabled
        /// `max-age`, in whole seconds.
        case maxAge(Duration)
        /// A value of the administrator's own.
        case custom(String)
    }

    /// A name tried, in order, where a folder is asked for. Source: IIS `<defaultDocument>`, less its ASP pages.
    public var defaultDocuments: [String] = ["Default.htm", "index.htm", "index.html"]
    /// Media types by extension (`.webmanifest`), on top of the stock table.
    public var mediaTypes: [String: String] = [:]
    public var cacheControl: CacheControl = .none
    /// Source: IIS `clientCache.setEtag`, default true.
    public var sendsETag: Bool = true
    /// Whether files and folders whose names begin with a dot are served; else 404.9. Ours, default off.
    public var servesHiddenFiles: Bool = false
    /// Virtual directories, the longest path first.
    public var directories: [VirtualDirectory] = []

    public init() {}

    /// The same as the handler of static files takes it; values that are the default are left out.
    public func moduleSettings(at location: SourceLocation) -> [ModuleSetting] {
        let standard = StaticFilesSettings()
        var settings: [ModuleSetting] = []
        func add(_ name: String, _ value: String, at place: SourceLocation) {
            settings.append(ModuleSetting(name: name, value: value, location: place))
        }
        for directory in directories {
            add("directories.\(directory.path)", directory.physicalPath, at: directory.location)
        }
        if defaultDocuments != standard.defaultDocuments {
            for name in defaultDocuments { add("default_documents", name, at: location) }
        }
        for (suffix, type) in mediaTypes.sorted(by: { $0.key < $1.key }) {
            add("media_types.\(suffix)", type, at: location)
        }
        if let value = cacheControl.fieldValue { add("cache_control", value, at: location) }
        if sendsETag != standard.sendsETag { add("etag", String(sendsETag), at: location) }
        if servesHiddenFiles != standard.servesHiddenFiles {
            add("hidden_files", String(servesHiddenFiles), at: location)
        }
        return settings
    }
}

extension StaticFilesSettings.CacheControl {
    /// The value of the field `Cache-Control`; nil: it is not sent.
    public var fieldValue: String? {
        switch self {
        case .none: nil
        case .disabled: "no-cache"
        case .maxAge(let duration): "max-age=\(duration.wholeMilliseconds / 1000)"
        case .custom(let value): value
        }
    }
}
