import BerthConfiguration
import BerthListener

extension ListenerTimers {
    /// The daemon's.
    init(_ timeouts: TimeoutSettings) {
        self.init(
            idleConnection: Self.nanoseconds(timeouts.idleConnection),
            headerWait: Self.nanoseconds(timeouts.headerWait),
            entityBody: Self.nanoseconds(timeouts.entityBody),
            drainEntityBody: Self.nanoseconds(timeouts.drainEntityBody),
            minSendRate: Self.rate(timeouts.minSendRate))
    }

    /// A site's own; what it does not say is the daemon's.
    init(_ site: Site) {
        func own(_ limit: TimeLimit?) -> UInt64 { limit.map(Self.nanoseconds) ?? 0 }
        let (timeouts, connection) = (site.timeouts, site.limits.connectionTimeout)
        self.init(
            idleConnection: own(timeouts.idleConnection ?? connection), headerWait: own(timeouts.headerWait),
            entityBody: own(timeouts.entityBody ?? connection), drainEntityBody: own(timeouts.drainEntityBody),
            minSendRate: site.limits.minSendRate.map(Self.rate) ?? 0)
    }

    private static func nanoseconds(_ limit: TimeLimit) -> UInt64 {
        limit.milliseconds.map { max(1, $0) &* 1_000_000 } ?? off
    }

    private static func rate(_ limit: SendRateLimit) -> UInt64 {
        switch limit {
        case .octetsPerSecond(let rate): UInt64(rate)
        case .off: off
        }
    }
}
