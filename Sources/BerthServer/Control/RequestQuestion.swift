import BerthPipeline

/// Which of its requests a loop is asked for. Any thread.
final class RequestQuestion: Sendable {
    /// Names the collection that the answers belong to.
    let number: UInt64
    let site: String?
    let elapsedMin: UInt64
    let limit: Int

    init(number: UInt64, site: String?, elapsedMin: UInt64, limit: Int) {
        (self.number, self.site, self.elapsedMin, self.limit) = (number, site, elapsedMin, limit)
    }
}

/// What one loop has answered. Any thread.
final class RequestListing: Sendable {
    let number: UInt64
    let requests: [RunningRequest]
    let isTruncated: Bool

    init(number: UInt64, requests: [RunningRequest], isTruncated: Bool) {
        (self.number, self.requests, self.isTruncated) = (number, requests, isTruncated)
    }
}
