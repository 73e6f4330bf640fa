import BerthConfiguration
import BerthEventLoop
import BerthListener
import CBerthSystem
import Glibc

/// Which addresses the daemon listens on: those a service manager handed over, and those it opens itself.
///
/// A port is on all addresses, as HTTP.sys has it, unless every prefix on it names an address, or the administrator gave a
/// list. An inherited descriptor that covers a port or address is used, and nothing is opened beside it. Control thread only.
struct EndpointTable {
    /// What a snapshot needs listened on.
    struct Need: Hashable {
        var portKey: UInt32
        /// Nil for a Unix socket.
        var address: IPAddress?
        var port: UInt16
        var path: String
    }

    /// An address that could not be opened.
    struct Failure {
        let name: String
        let error: SystemError
        let portKey: UInt32
    }

    private let system: UnsafePointer<cberth_system>
    /// By endpoint number; nil: free again.
    private(set) var endpoints: [ListeningEndpoint?] = []
    private var needs: [Need?] = []
    /// What each number was or is the endpoint of.
    private var keys: [UInt32] = []
    private var unixKeys: [String: UInt32] = [:]
    private var inherited: [ListeningEndpoint] = []

    /// Connections the kernel keeps for us until they are accepted. Source: what the kernel allows at most by default (`somaxconn`).
    static let backlog: Int32 = 4096

    init(system: UnsafePointer<cberth_system>) { self.system = system }

    /// The number the routing table knows a Unix socket by.
    mutating func key(ofUnixSocket path: String) -> UInt32 {
        if let key = unixKeys[path] { return key }
        let key = UInt32(65_536 + unixKeys.count)
        unixKeys[path] = key
        return key
    }

    /// Takes descriptors that the service manager handed over; those named in `except` are somebody else's.
    mutating func inherit(_ descriptors: [(fd: Int32, name: String)], except: Set<String>) {
        for (fd, name) in descriptors where !except.contains(name) {
            var endpoint = cberth_endpoint()
            if system.pointee.local_endpoint(system, fd, &endpoint) < 0 {
                DaemonLog.warning("descriptor \(fd) (\(name)) from the service manager is no socket; it is left alone")
                continue
            }
            // A socket unit hands it over non-blocking, other starters do not, and a loop accepts until nothing is left.
            _ = fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)
            let key: UInt32
            if endpoint.address.family == 1 {
                key = self.key(ofUnixSocket: ListeningEndpoint.path(of: endpoint))
            } else {
                key = UInt32(endpoint.address.port)
            }
            inherited.append(
                ListeningEndpoint(
                    descriptor: fd, endpoint: endpoint, portKey: key, isInherited: true,
                    descriptorName: name.isEmpty ? nil : name))
        }
    }

    /// What the sites need, in a stable order.
    mutating func needs(of sites: [Site], listenAddresses: [IPAddress]) -> [Need] {
        var specific: [UInt16: [IPAddress]] = [:]
        var general: Set<UInt16> = []
        var needs: [Need] = []
        var ports: [UInt16] = []
        for binding in sites.flatMap(\.bindings) {
            switch binding.endpoint {
            case .unixSocket(let path):
                needs.append(Need(portKey: key(ofUnixSocket: path), address: nil, port: 0, path: path))
            case .port(let port):
                if !ports.contains(port) { ports.append(port) }
                if case .address(let address) = binding.host {
                    specific[port, default: []].append(address)
                } else if let address = binding.boundAddress {
                    specific[port, default: []].append(address)
                } else {
                    general.insert(port)
                }
            }
        }
        let everywhere = listenAddresses.isEmpty ? ["0.0.0.0", "::"].compactMap { IPAddress($0) } : listenAddresses
        for port in ports {
            let addresses = general.contains(port) ? everywhere : specific[port] ?? []
            for address in addresses {
                let need = Need(portKey: UInt32(port), address: address, port: port, path: "")
                if !needs.contains(need) { needs.append(need) }
            }
        }
        return needs
    }

    /// Opens what is needed and not there, closes what is there and not needed.
    ///
    /// - Returns: numbers that are new, numbers that are gone with their descriptors (to be closed when every loop has let go),
    ///   and what could not be opened.
    mutating func apply(
        _ wanted: [Need]
    ) -> (added: [Int], removed: [(number: Int, descriptor: Int32)], failures: [Failure]) {
        var added: [Int] = []
        var removed: [(number: Int, descriptor: Int32)] = []
        var failures: [Failure] = []
        // Inherited descriptors first. They are served whether a site is registered on their port or not: the service manager
        // holds them open, so a client that nobody answers would wait for ever.
        for endpoint in inherited {
            if endpoints.contains(where: { $0?.descriptor == endpoint.descriptor }) { continue }
            added.append(place(endpoint, nil))
        }
        for (number, need) in needs.enumerated() {
            guard let need, let endpoint = endpoints[number], !wanted.contains(need) else { continue }
            removed.append((number, endpoint.descriptor))
            needs[number] = nil
            endpoints[number] = nil
        }
        for need in wanted where !needs.contains(need) && !isCovered(need) {
            var endpoint: cberth_endpoint
            if endpoints.count >= ListenerSnapshot.endpointsMax {
                failures.append(
                    Failure(
                        name: need.path.isEmpty ? "port \(need.port)" : need.path, error: SystemError("bind", ENOSPC),
                        portKey: need.portKey))
                continue
            }
            if let address = need.address {
                endpoint = ListeningEndpoint.tcp(address, need.port)
            } else if let unix = ListeningEndpoint.unix(need.path) {
                endpoint = unix
            } else {
                failures.append(
                    Failure(name: "unix:\(need.path)", error: SystemError("bind", ENAMETOOLONG), portKey: need.portKey))
                continue
            }
            let fd = system.pointee.listen_on(system, &endpoint, Self.backlog)
            if fd < 0 {
                // A machine without IPv6 has no [::]; nobody asked for it by name.
                if fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL, need.address?.isUnspecified == true,
                    need.address?.isIPv4 == false
                {
                    continue
                }
                failures.append(
                    Failure(
                        name: ListeningEndpoint.name(of: endpoint), error: SystemError("bind", -fd),
                        portKey: need.portKey))
                continue
            }
            // Whoever may enter the folder may connect, as at a TCP port; the folder is the administrator's to close.
            if need.address == nil { _ = system.pointee.change_mode(system, need.path, 0o666) }
            added.append(
                place(
                    ListeningEndpoint(descriptor: fd, endpoint: endpoint, portKey: need.portKey, isInherited: false),
                    need))
        }
        return (added, removed, failures)
    }

    /// Whether an inherited descriptor accepts what this one would.
    private func isCovered(_ need: Need) -> Bool {
        inherited.contains { endpoint in
            guard endpoint.portKey == need.portKey else { return false }
            guard let address = need.address else { return true }
            let wanted = ListeningEndpoint.address(address)
            let here = endpoint.endpoint.address
            let hereIsAny = withUnsafeBytes(of: here.bytes) { $0.allSatisfy { $0 == 0 } }
            if hereIsAny { return true }
            return here.family == wanted.family
                && withUnsafeBytes(of: here.bytes) { a in withUnsafeBytes(of: wanted.bytes) { b in a.elementsEqual(b) }
                }
        }
    }

    private mutating func place(_ endpoint: ListeningEndpoint, _ need: Need?) -> Int {
        // Connections that were accepted at an endpoint which is gone still name its number, so another port never gets it.
        if let number = endpoints.indices.first(where: { endpoints[$0] == nil && keys[$0] == endpoint.portKey }) {
            endpoints[number] = endpoint
            needs[number] = need
            return number
        }
        endpoints.append(endpoint)
        needs.append(need)
        keys.append(endpoint.portKey)
        return endpoints.count - 1
    }
}
