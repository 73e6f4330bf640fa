/// Where a prefix leads on one loop.
public struct RouteTarget: BitwiseCopyable {
    public var site: SiteCounters
    public var queue: RequestQueue
    /// The pipeline's: which modules run, and the handler.
    public var chain: UnsafeMutableRawPointer?
    /// The logs' number of the site.
    public var siteID: UInt32
    /// Octets of the application's path, 0 for "/".
    public var applicationPathLength: UInt32

    public init(
        site: SiteCounters, queue: RequestQueue, chain: UnsafeMutableRawPointer?, siteID: UInt32,
        applicationPathLength: UInt32
    ) {
        self.site = site
        self.queue = queue
        self.chain = chain
        self.siteID = siteID
        self.applicationPathLength = applicationPathLength
    }
}
