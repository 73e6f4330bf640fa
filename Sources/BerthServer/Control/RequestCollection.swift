import BerthControl
import BerthEventLoop
import BerthPipeline

/// The running requests of all loops, as their answers come in. Control thread only.
final class RequestCollection {
    /// Requests in one answer. Ours: more than anybody reads, and some milliseconds of work.
    static let requestsMax = 1000
    /// Seconds that a loop has for its answer; one that a module holds does not keep the others'.
    static let secondsMax: UInt64 = 2

    private var missing: Int
    private let deadline: MonotonicInstant
    private(set) var requests: [RunningRequest] = []
    /// There are more, or a loop has not answered in time.
    private(set) var isTruncated = false

    /// - Parameter loops: how many were asked.
    init(loops: Int, at now: MonotonicInstant) {
        missing = loops
        deadline = now.adding(seconds: Self.secondsMax)
    }

    func take(_ listing: RequestListing) {
        missing -= 1
        requests += listing.requests
        isTruncated = isTruncated || listing.isTruncated
    }

    /// Whether there is nothing more to wait for; a loop that is late is left out.
    func isComplete(at now: MonotonicInstant) -> Bool {
        if missing <= 0 { return true }
        guard now >= deadline else { return false }
        isTruncated = true
        return true
    }

    /// The oldest first, `requestsMax` at most, of those that `filter` wants.
    func records(_ filter: RequestFilter) -> ([RequestRecord], isTruncated: Bool) {
        let records = requests.map { RequestRecord($0) }.filter { filter.matches($0) }
            .sorted { $0.elapsedMilliseconds > $1.elapsedMilliseconds }
        return (Array(records.prefix(Self.requestsMax)), isTruncated || records.count > Self.requestsMax)
    }
}

extension RequestRecord {
    init(_ request: RunningRequest) {
        let stage: String
        switch request.place {
        case .queued: stage = "queued"
        case .stage(let place): stage = "\(place)"
        case .sending: stage = "sendResponse"
        }
        self.init(
            id: request.id, connection: request.connection, method: request.method, url: request.url,
            host: request.host, site: request.site, siteID: request.siteID, pool: request.pool,
            localAddress: request.localAddress, localPort: request.localPort, clientAddress: request.clientAddress,
            elapsedMilliseconds: request.elapsedMilliseconds, stage: stage,
            stageMilliseconds: request.placeMilliseconds, module: request.module,
            moduleMilliseconds: request.module == nil ? nil : request.placeMilliseconds)
    }
}
