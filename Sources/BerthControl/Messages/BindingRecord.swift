/// One UrlPrefix of the routing table: `GET /v1/bindings`.
public struct BindingRecord: Codable, Sendable, Equatable {
    /// The four tiers of HTTP.sys, in the order in which they are searched.
    public enum Tier: String, WireChoice {
        case strongWildcard = "strong-wildcard"
        case explicit
        case ipBound = "ip-bound"
        case weakWildcard = "weak-wildcard"
        case unknown
    }

    /// In its normal form: `http://shop.example:80/api/`.
    public var prefix: String
    public var tier: Tier
    public var site: String
    /// The path of the application that answers below the prefix.
    public var application: String
    /// The address that its connections arrive at.
    public var endpoint: String?
    /// Requests to it reach the site: the endpoint listens and the site is started.
    public var isServing: Bool
    /// Reserved and not registered: the sites that may have it; requests to it are answered 503. `site` and `application` are
    /// empty then. `nil` for a binding of a site.
    public var reservedFor: [String]?

    public init(
        prefix: String, tier: Tier, site: String, application: String, endpoint: String? = nil, isServing: Bool,
        reservedFor: [String]? = nil
    ) {
        (self.prefix, self.tier, self.site, self.application) = (prefix, tier, site, application)
        (self.endpoint, self.isServing, self.reservedFor) = (endpoint, isServing, reservedFor)
    }
}
