/// The place that one attempt of a worker was given.
enum AssignedEndpoint: Equatable {
    case port(UInt16)
    /// The worker makes the socket.
    case unixSocket(path: String)
    /// Berth made it, and the worker inherits it.
    case inherited(path: String)
}

extension AssignedEndpoint: CustomStringConvertible {
    var description: String {
        switch self {
        case .port(let port): "127.0.0.1:\(port)"
        case .unixSocket(let path), .inherited(let path): "unix:\(path)"
        }
    }
}
