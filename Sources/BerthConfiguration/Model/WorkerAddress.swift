/// Where a worker that somebody else runs listens.
public enum WorkerAddress: Sendable, Hashable, CustomStringConvertible {
    case unixSocket(String)
    case tcp(IPAddress, port: UInt16)

    public var description: String {
        switch self {
        case .unixSocket(let path): "unix:\(path)"
        case .tcp(let address, let port): "\(address.urlHost):\(port)"
        }
    }
}
