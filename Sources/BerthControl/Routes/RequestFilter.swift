/// Which of the requests in flight to show; an absent condition is met by all of them.
public struct RequestFilter: Sendable, Hashable {
    public var site: String?
    public var pool: String?
    /// Only requests that have run for at least so many milliseconds [timeElapsedFilter of the original].
    public var elapsedMillisecondsMin: UInt64?

    public init(site: String? = nil, pool: String? = nil, elapsedMillisecondsMin: UInt64? = nil) {
        (self.site, self.pool, self.elapsedMillisecondsMin) = (site, pool, elapsedMillisecondsMin)
    }

    public func matches(_ request: RequestRecord) -> Bool {
        (site == nil || request.site == site) && (pool == nil || request.pool == pool)
            && request.elapsedMilliseconds >= elapsedMillisecondsMin ?? 0
    }
}
