public import CBerthSystem

/// What HTTP.sys matches requests with: scheme, host pattern, port, path ("UrlPrefix").
///
/// The configuration parses and validates the text; this is what the routing table is built from.
/// Source: HTTP.sys UrlPrefix strings, four categories in this precedence.
public struct URLPrefix: Sendable {
    /// The host part.
    public enum Host: Sendable {
        /// `+`: any Host, any address.
        case strongWildcard
        /// A DNS name in lower case, on one local address or on all.
        case name(String, on: cberth_address?)
        /// `*.name`: any host below `name`; the longest wins.
        case subdomains(of: String, on: cberth_address?)
        /// Any Host, on connections that came in on this local address.
        case address(cberth_address)
        /// `*`: whatever is left.
        case weakWildcard
    }

    public var host: Host
    /// 1 through 65535; above for a Unix socket, a number for each.
    public var port: UInt32
    /// "/" or "/shop/", always with a slash at both ends, decoded.
    public var path: String

    public init(host: Host, port: UInt32, path: String) {
        self.host = host
        self.port = port
        self.path = path
    }
}
