public import CBerthSystem

/// Where a worker accepts connections.
public enum WorkerEndpoint: Hashable, Sendable {
    /// An address without brackets ("127.0.0.1", "::1") and a port.
    case tcp(address: String, port: UInt16)
    /// The path of a socket; "@name" is an abstract one.
    case unix(path: String)

    /// Octets of a path that fit into a `sockaddr_un` with its NUL.
    public static let unixPathMax = 107

    /// What `connect_to` takes; nil for an address that is none, or a path too long.
    public var systemEndpoint: cberth_endpoint? {
        var endpoint = cberth_endpoint()
        switch self {
        case .tcp(let address, let port):
            guard cberth_address_parse(address, &endpoint.address) == 1 else { return nil }
            endpoint.address.port = port
        case .unix(let path):
            let octets = Array(path.utf8)
            guard !octets.isEmpty, octets.count <= Self.unixPathMax, !octets.contains(0) else { return nil }
            endpoint.address.family = 1
            withUnsafeMutableBytes(of: &endpoint.path) { $0.copyBytes(from: octets) }
        }
        return endpoint
    }
}

extension WorkerEndpoint: CustomStringConvertible {
    /// `127.0.0.1:5000`, `[::1]:5000`, `unix:/run/x.sock`.
    public var description: String {
        switch self {
        case .tcp(let address, let port):
            address.utf8.contains(UInt8(ascii: ":")) ? "[\(address)]:\(port)" : "\(address):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
