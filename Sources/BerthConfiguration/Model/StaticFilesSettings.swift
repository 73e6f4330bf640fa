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
    /// Virtual directories, the longest path first.
    public var directories: [VirtualDirectory] = []

    public init() {}
}
