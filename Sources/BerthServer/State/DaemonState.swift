/// What the daemon remembers over restarts: numbers of sites, and what an administrator has stopped.
struct DaemonState: Codable, Sendable, Equatable {
    struct SiteState: Codable, Sendable, Equatable {
        /// The number that its logs carry.
        var id: UInt32
        var isStopped = false
    }

    struct PoolState: Codable, Sendable, Equatable {
        var isStopped = false
    }

    /// Names that are remembered; above it those that are not configured are forgotten. Ours: twice the sites of a large machine.
    static let namesMax = 20_000

    /// Of this form; a newer one is not read.
    var version = 1
    var sites: [String: SiteState] = [:]
    var pools: [String: PoolState] = [:]

    var siteIDs: [String: UInt32] { sites.mapValues(\.id) }

    /// Keeps the numbers that sites have now. One that is gone keeps its own, for the day it comes back.
    mutating func remember(_ ids: [String: UInt32]) {
        for (name, id) in ids { sites[name] = SiteState(id: id, isStopped: sites[name]?.isStopped ?? false) }
        // A number belongs to whoever has it now.
        let taken = Set(ids.values)
        sites = sites.filter { ids[$0.key] != nil || !taken.contains($0.value.id) }
        if sites.count > Self.namesMax { sites = sites.filter { ids[$0.key] != nil } }
    }

    mutating func setStopped(_ isStopped: Bool, site: String) { sites[site]?.isStopped = isStopped }

    mutating func setStopped(_ isStopped: Bool, pool: String) {
        pools[pool] = isStopped ? PoolState(isStopped: true) : nil
    }
}
