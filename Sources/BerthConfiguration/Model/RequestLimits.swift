/// Limits of what a client may send to one application. Nil: as the module `request-filtering` says for the path.
///
/// Source: IIS `<requestLimits>`, which an application's `web.config` may carry.
public struct RequestLimits: Sendable, Hashable {
    /// Request content, in octets, 0 through 4294967295; over it 413.1.
    public var contentLengthMax: Int?
    /// The path, in octets; over it 404.14.
    public var urlMax: Int?
    /// The query, in octets; over it 404.15.
    public var queryStringMax: Int?

    public init() {}
}
