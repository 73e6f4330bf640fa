/// Where a site listens, and which requests there are its own: a parsed HTTP.sys UrlPrefix.
///
/// Equality of prefixes is that of `key`: the case of host and path does not count (http-sys §2), that of a socket's path does.
public struct Binding: Sendable, Hashable {
    public enum Scheme: String, Sendable { case http, https }

    /// The host part, in the order of HTTP.sys's four categories.
    public enum Host: Sendable, Hashable {
        /// `+`: any Host, any address, before everything else.
        case strongWildcard
        /// A name in lower case.
        case name(String)
        /// `*.example.com`; the value is `example.com`, in lower case.
        case subdomains(of: String)
        /// An address literal: any Host, on connections that came in on this local address.
        case address(IPAddress)
        /// `*`: what nobody else took.
        case weakWildcard
    }

    /// What is listened on.
    public enum Endpoint: Sendable, Hashable {
        case port(UInt16)
        /// A Unix socket of the site's own, `http+unix:/run/shop.sock:/`.
        case unixSocket(String)
    }

    public let scheme: Scheme
    public let host: Host
    public let endpoint: Endpoint
    /// The local address a host is tied to: `http://HOST:PORT:ADDRESS/`. Nil: any.
    public let boundAddress: IPAddress?
    /// As written; begins and ends with a slash.
    public let path: String
    /// The words of the file.
    public let text: String
    public let location: SourceLocation

    public init(
        scheme: Scheme = .http, host: Host, endpoint: Endpoint, boundAddress: IPAddress? = nil, path: String = "/",
        text: String? = nil, location: SourceLocation = .none
    ) {
        self.scheme = scheme
        self.host = host
        self.endpoint = endpoint
        self.boundAddress = boundAddress
        self.path = path
        self.location = location
        self.text = text ?? Binding.prefix(scheme, host, endpoint, boundAddress, path)
    }

    /// The prefix in one canonical spelling: host in lower case, path as written.
    public var urlPrefix: String { Binding.prefix(scheme, host, endpoint, boundAddress, path) }

    /// What two bindings may not have in common. Hosts and addresses have one spelling already; a file's name has its own.
    public var key: String { Binding.prefix(scheme, host, endpoint, boundAddress, path.lowercased()) }

    /// The port, or nil on a Unix socket.
    public var port: UInt16? {
        guard case .port(let port) = endpoint else { return nil }
        return port
    }

    private static func prefix(
        _ scheme: Scheme, _ host: Host, _ endpoint: Endpoint, _ boundAddress: IPAddress?, _ path: String
    ) -> String {
        switch endpoint {
        case .unixSocket(let socket):
            return "\(scheme.rawValue)+unix:\(socket):\(path)"
        case .port(let port):
            let bound = boundAddress.map { ":\($0.urlHost)" } ?? ""
            return "\(scheme.rawValue)://\(host):\(port)\(bound)\(path)"
        }
    }
}

extension Binding.Host: CustomStringConvertible {
    /// As in a UrlPrefix.
    public var description: String {
        switch self {
        case .strongWildcard: "+"
        case .name(let name): name
        case .subdomains(let name): "*.\(name)"
        case .address(let address): address.urlHost
        case .weakWildcard: "*"
        }
    }
}
