/// A resource of the control socket with what is asked of it: the one list that the daemon and its clients share.
///
/// The daemon makes one from the request line and switches over it; a client asks it for its request line.
public enum ControlRoute: Sendable, Hashable {
    case info
    case sites
    case site(String)
    case applications
    case pools
    case pool(String)
    case workers
    case bindings
    case modules
    case requests(RequestFilter)
    /// Events numbered above `after`; when followed, later ones as they come, as server-sent events.
    case events(follow: Bool, after: UInt64?)
    case metrics
    /// The last `lines` lines that the workers of a site wrote; when followed, later ones as they come.
    case logs(site: String, follow: Bool, lines: Int)
    case check
    /// With `wait`, the answer comes when every loop serves with the new configuration.
    case reload(wait: Bool)
    case startSite(String)
    case stopSite(String)
    case startPool(String)
    case stopPool(String)
    case recyclePool(String)

    /// The first path segment of every resource. Within a version, members and resources are only added.
    public static let version = "v1"

    /// Lines of a log that are sent where the client names no number; as many as `tail` shows ten times over.
    public static let logLinesDefault = 100
    /// The most lines of a log that can be asked for.
    public static let logLinesMax = 10_000
    /// The longest request target that is read, in octets: a name of 255 octets, every one of them encoded, with room.
    public static let targetSizeMax = 2048
    /// The largest content of a request, in octets: site files are a few KiB, and a machine has some thousands at most.
    public static let contentSizeMax = 8 << 20

    public var method: String {
        switch self {
        case .info, .sites, .site, .applications, .pools, .pool, .workers, .bindings, .modules, .requests, .events,
            .metrics,
            .logs:
            "GET"
        case .check, .reload, .startSite, .stopSite, .startPool, .stopPool, .recyclePool:
            "POST"
        }
    }

    /// The least role that may ask for this.
    public var requiredRole: ControlRole {
        switch self {
        case .info, .sites, .site, .applications, .pools, .pool, .workers, .bindings, .modules, .requests, .events,
            .metrics,
            .logs, .check:
            .view
        case .startSite, .stopSite, .startPool, .stopPool, .recyclePool: .operate
        case .reload: .administer
        }
    }

    /// The answer goes on until one side ends it.
    public var isFollowed: Bool {
        switch self {
        case .events(let follow, _), .logs(_, let follow, _): follow
        default: false
        }
    }

    /// The answer comes when something has happened, not at once.
    public var waits: Bool { self == .reload(wait: true) || self == .check }

    /// The request target in origin form (RFC 9112 §3.2.1).
    public var target: String {
        let root = "/" + Self.version + "/"
        return switch self {
        case .info: root + "info"
        case .sites: root + "sites"
        case .site(let name): root + "sites/" + PercentCoding.encode(name)
        case .applications: root + "applications"
        case .pools: root + "pools"
        case .pool(let name): root + "pools/" + PercentCoding.encode(name)
        case .workers: root + "workers"
        case .bindings: root + "bindings"
        case .modules: root + "modules"
        case .requests(let filter):
            root + "requests"
                + Self.query([
                    ("site", filter.site), ("pool", filter.pool),
                    ("elapsed", filter.elapsedMillisecondsMin.map { String($0) }),
                ])
        case .events(let follow, let after):
            root + "events" + Self.query([("follow", follow ? "" : nil), ("after", after.map { String($0) })])
        case .metrics: root + "metrics"
        case .logs(let site, let follow, let lines):
            root + "logs/" + PercentCoding.encode(site)
                + Self.query([
                    ("follow", follow ? "" : nil), ("lines", lines == Self.logLinesDefault ? nil : String(lines)),
                ])
        case .check: root + "check"
        case .reload(let wait): root + "reload" + Self.query([("wait", wait ? "" : nil)])
        case .startSite(let name): root + "sites/" + PercentCoding.encode(name) + "/start"
        case .stopSite(let name): root + "sites/" + PercentCoding.encode(name) + "/stop"
        case .startPool(let name): root + "pools/" + PercentCoding.encode(name) + "/start"
        case .stopPool(let name): root + "pools/" + PercentCoding.encode(name) + "/stop"
        case .recyclePool(let name): root + "pools/" + PercentCoding.encode(name) + "/recycle"
        }
    }

    private static func query(_ pairs: [(name: String, value: String?)]) -> String {
        let present = pairs.compactMap { pair in
            pair.value.map { $0.isEmpty ? pair.name : pair.name + "=" + PercentCoding.encode($0) }
        }
        return present.isEmpty ? "" : "?" + present.joined(separator: "&")
    }
}
