import BerthEventLoop

/// Decides when to look whether a new worker listens, and what it means what was seen. Nobody ever connects to find out.
///
/// The first looks follow each other closely, because a cold start is felt by whoever waits: 2, 5, 10, 20, 50, 100 and then
/// 250 ms, which is the ASP.NET Core Module's fixed interval. Source: ANCM `startupTimeLimit`.
struct StartupProbe: Equatable {
    /// Whose a listening socket is.
    enum Ownership: Equatable {
        /// Held by the worker or by one that it started.
        case worker(pid: Int32)
        case foreign
    }

    /// One socket that listens where the worker should.
    struct Sighting: Equatable {
        /// Where it can be reached, which for a wildcard address is the loopback.
        let endpoint: WorkerEndpoint
        let ownership: Ownership
        /// The lower, the better it suits: IPv4 first, since that is what the worker was told.
        fileprivate let rank: Int
        /// Nobody else can listen where the worker was told to.
        fileprivate let isInTheWay: Bool

        init(path: String, ownership: Ownership) {
            (endpoint, self.ownership, rank, isInTheWay) = (.unix(path: path), ownership, 0, true)
        }

        /// - Parameter hasIPv6Loopback: whether `::1` can be reached; without it what listens on `::` is met at 127.0.0.1.
        /// - Returns: nil for an address that is neither a loopback nor a wildcard.
        init?(address: String, port: UInt16, ownership: Ownership, hasIPv6Loopback: Bool) {
            self.ownership = ownership
            switch address {
            case "127.0.0.1": (endpoint, rank, isInTheWay) = (.tcp(address: address, port: port), 0, true)
            case "0.0.0.0": (endpoint, rank, isInTheWay) = (.tcp(address: "127.0.0.1", port: port), 1, true)
            case "::":
                let reachable = hasIPv6Loopback ? "::1" : "127.0.0.1"
                (endpoint, rank, isInTheWay) = (.tcp(address: reachable, port: port), 2, true)
            case "::1": (endpoint, rank, isInTheWay) = (.tcp(address: address, port: port), 3, false)
            default: return nil
            }
        }
    }

    enum Verdict: Equatable {
        /// Look again at `nextCheck`.
        case wait
        /// It listens there; `owner` is the process that holds the socket.
        case ready(WorkerEndpoint, owner: Int32)
        /// Somebody else took the place that the worker was given.
        case wrongOwner(WorkerEndpoint)
        case timedOut
    }

    /// Milliseconds between two looks; the last one repeats.
    static let intervals: [UInt64] = [2, 5, 10, 20, 50, 100, 250]

    private(set) var nextCheck: MonotonicInstant
    let deadline: MonotonicInstant
    private var checks = 0

    /// - Parameter limit: seconds, 0: there is one look.
    init(limit: UInt64, now: MonotonicInstant) {
        deadline = now.adding(seconds: limit)
        nextCheck = min(now.adding(milliseconds: Self.intervals[0]), deadline)
    }

    /// Judges what a look found.
    mutating func observed(_ sightings: [Sighting], now: MonotonicInstant) -> Verdict {
        for sighting in sightings.sorted(by: { $0.rank < $1.rank }) {
            if case .worker(let pid) = sighting.ownership { return .ready(sighting.endpoint, owner: pid) }
        }
        // A stranger on ::1 leaves 127.0.0.1 free: only one that stands in the way matters.
        if let stranger = sightings.first(where: { $0.isInTheWay }) { return .wrongOwner(stranger.endpoint) }
        if now >= deadline { return .timedOut }
        checks += 1
        let interval = Self.intervals[min(checks, Self.intervals.count - 1)]
        nextCheck = min(now.adding(milliseconds: interval), deadline)
        return .wait
    }
}
