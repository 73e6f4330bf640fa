/// Limits and switches of the listener, in HTTP.sys the registry values below `HTTP\Parameters` (http-sys §7).
public struct ListenerSettings: Sendable, Hashable {
    /// Request line and all fields, in octets, 256 through 16777216. Source: `MaxRequestBytes`.
    public var requestBytesMax: Int = 16384
    /// One field, and the request target, in octets, 64 through 65534; never above `requestBytesMax`.
    /// Source: `MaxFieldLength`.
    public var fieldLengthMax: Int = 16384
    /// Fields in one request, 1 through 10000. HTTP.sys has no such limit; the default is Kestrel's `MaxRequestHeaderCount`.
    public var fieldsMax: Int = 100
    /// Characters in one segment of a path, 0 through 32766, 0 no limit. Source: `UrlSegmentMaxLength`, 260 there; none here,
    /// because RFC 9112 §3 wants request lines of 8000 octets to pass.
    public var urlSegmentLengthMax: Int = 0
    /// Segments in a path, 0 through 16383, 0 no limit. Source: `UrlSegmentMaxCount`.
    public var urlSegmentsMax: Int = 255
    /// Connections at a time, 1 through 2031616. Nil: as many as the descriptor limit (`RLIMIT_NOFILE`) allows.
    /// Source: `MaxConnections`, computed from memory there.
    public var connectionsMax: Int?
    /// Connections at a time from one address. Nil: no limit. Ours; HTTP.sys has none.
    public var connectionsPerSourceMax: Int?
    /// Requests on one connection. Nil: no limit, as in HTTP.sys.
    public var keepAliveRequestsMax: Int?
    /// The `Server` field of responses that carry none, 1 through 64 visible characters. HTTP.sys: `Microsoft-HTTPAPI/2.0`.
    public var serverHeader: String = "Berth"
    public var serverHeaderPolicy: ServerHeaderPolicy = .always
    /// Whether escaped control characters are taken in a path, but for NUL, CR and LF. Source: `AllowRestrictedChars`, default off.
    public var allowRestrictedCharacters: Bool = false
    /// Addresses to listen on for a prefix that names none; empty: all. Source: `netsh http add iplisten`.
    public var listenAddresses: [IPAddress] = []

    public init() {}
}
