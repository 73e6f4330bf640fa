import BerthConfiguration
import BerthListener

/// What outlives every configuration, known by name: queues of pools, counters of sites, numbers of applications, instances
/// of modules. An unchanged site notices nothing of a reload. Control thread only.
final class Registry {
    private var queues: [String: RequestQueue] = [:]
    private var counters: [String: SiteCounters] = [:]
    private var tallies: [String: SiteTally] = [:]
    private var applicationNumbers: [String: UInt32] = [:]
    private(set) var applicationNames: [UInt32: String] = [:]

    /// The queue of a pool, made with its first use.
    func queue(of pool: ApplicationPoolSettings) -> RequestQueue {
        let queue = queues[pool.name] ?? RequestQueue(name: pool.name, lengthMax: UInt64(pool.queueLength))
        queues[pool.name] = queue
        queue.lengthMax = UInt64(pool.queueLength)
        queue.verbosity =
            switch pool.unavailableVerbosity {
            case .basic: .basic
            case .limited: .limited
            case .full: .full
            case nil: pool.loadBalancerCapabilities == .tcpLevel ? .basic : .limited
            }
        return queue
    }

    /// What requests to a prefix meet that is reserved and not registered: 503 `N/A`, without a site and a queue.
    let reserved: (site: SiteCounters, queue: RequestQueue) = {
        let counters = SiteCounters()
        counters.isStarted = false
        return (counters, RequestQueue(name: "", lengthMax: 0))
    }()

    func queue(named name: String) -> RequestQueue? { queues[name] }

    func counters(of site: Site) -> SiteCounters {
        let counters = counters[site.name] ?? SiteCounters()
        self.counters[site.name] = counters
        counters.connectionsMax = site.limits.connectionsMax.map { UInt64($0) } ?? .max
        counters.timers = ListenerTimers(site)
        return counters
    }

    func counters(named site: String) -> SiteCounters? { counters[site] }

    /// What a site has answered, known by its name.
    func tally(of site: String, loops: Int) -> SiteTally {
        if let tally = tallies[site] { return tally }
        let tally = SiteTally(loops: loops)
        tallies[site] = tally
        return tally
    }

    /// The stable number of an application: "shop/api".
    func number(ofApplication path: String, site: String) -> UInt32 {
        let name = path == "/" ? site : site + path
        if let number = applicationNumbers[name] { return number }
        let number = UInt32(applicationNumbers.count + 1)
        applicationNumbers[name] = number
        applicationNames[number] = name
        return number
    }
}
