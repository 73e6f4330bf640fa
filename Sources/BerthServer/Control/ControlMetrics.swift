import BerthControl
import BerthListener

/// The daemon's counters in the text format of Prometheus, version 0.0.4.
struct ControlMetrics {
    private(set) var text = ""

    init(_ server: Server) {
        let records = ControlRecords(server: server)
        let info = records.info
        family("berth_info", "gauge", "The release of the daemon.")
        value("berth_info", [("version", info.version)], 1)
        one(
            "berth_start_time_seconds", "gauge", "When the daemon started, in seconds since 1970.",
            UInt64(max(0, server.startedAt)))
        one("berth_generation", "gauge", "The generation of the configuration in force.", info.generation)
        one(
            "berth_memory_bytes", "gauge", "Memory of the daemon that no file backs, without its workers.",
            info.memoryBytes ?? 0)
        one("berth_connections_open", "gauge", "Connections of clients.", info.connections.open)
        loops(server, "berth_connections_accepted_total", "Connections accepted.") { $0.connectionsAccepted }
        loops(server, "berth_connections_refused_total", "Connections closed at a limit.") { $0.connectionsRefused }
        loops(server, "berth_requests_total", "Requests, those that were refused among them.") { $0.requests }
        loops(server, "berth_requests_refused_total", "Requests answered before any module saw them.") { $0.rejections }
        loops(server, "berth_received_bytes_total", "Octets from clients.") { $0.octetsReceived }
        loops(server, "berth_sent_bytes_total", "Octets to clients.") { $0.octetsSent }

        let sites = records.sites
        family("berth_site_started", "gauge", "1: the site takes requests.")
        for site in sites { value("berth_site_started", [("site", site.name)], site.state == .started ? 1 : 0) }
        family("berth_site_stale", "gauge", "1: its files have errors, and an earlier configuration of it serves.")
        for site in sites { value("berth_site_stale", [("site", site.name)], site.condition == .stale ? 1 : 0) }
        family("berth_site_requests_total", "counter", "Requests that modules of the site have answered.")
        for site in sites { value("berth_site_requests_total", [("site", site.name)], site.requestsServed) }
        family("berth_site_requests_failed_total", "counter", "Of these, with a status of 500 or above.")
        for site in sites { value("berth_site_requests_failed_total", [("site", site.name)], site.requestsFailed) }

        let pools = records.pools
        family("berth_pool_started", "gauge", "1: the pool takes requests.")
        for pool in pools { value("berth_pool_started", [("pool", pool.name)], pool.state == .started ? 1 : 0) }
        family("berth_pool_requests_queued", "gauge", "Requests that wait for a worker.")
        for pool in pools { value("berth_pool_requests_queued", [("pool", pool.name)], pool.requestsQueued) }
        family("berth_pool_requests_refused_total", "counter", "Requests that found the queue full.")
        for pool in pools {
            value(
                "berth_pool_requests_refused_total", [("pool", pool.name)],
                server.registry.queue(named: pool.name)?.refused ?? 0)
        }
        family("berth_pool_workers", "gauge", "Worker processes.")
        for pool in pools { value("berth_pool_workers", [("pool", pool.name)], UInt64(pool.workers.count)) }
        family("berth_pool_crashes_total", "counter", "Workers that ended unasked.")
        for pool in pools { value("berth_pool_crashes_total", [("pool", pool.name)], pool.crashes) }
        family("berth_pool_recycles_total", "counter", "Workers that were replaced.")
        for pool in pools { value("berth_pool_recycles_total", [("pool", pool.name)], pool.recycles) }
    }

    private mutating func loops(
        _ server: Server, _ name: String, _ help: String, _ counter: (ListenerCounters) -> UInt64
    ) {
        family(name, "counter", help)
        for loop in server.loops { value(name, [("loop", String(loop.number))], counter(loop.listener.counters)) }
    }

    private mutating func one(_ name: String, _ type: String, _ help: String, _ number: UInt64) {
        family(name, type, help)
        value(name, [], number)
    }

    private mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func value(_ name: String, _ labels: [(name: String, value: String)], _ number: UInt64) {
        let list = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        text += "\(name)\(list.isEmpty ? "" : "{\(list)}") \(number)\n"
    }

    /// A label value: backslash, quote and line feed are escaped.
    static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
