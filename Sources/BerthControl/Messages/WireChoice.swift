/// A choice whose cases have stable names on the wire, and which a newer daemon may widen.
///
/// A name this build does not know decodes as `unknown` instead of refusing the whole message, so that an older client
/// still shows the rest of what a newer daemon says.
public protocol WireChoice: RawRepresentable, Codable, Sendable, Hashable where RawValue == String {
    /// What a name that this build does not know becomes.
    static var unknown: Self { get }
}

extension WireChoice {
    public init(from decoder: any Decoder) throws {
        self = Self(rawValue: try decoder.singleValueContainer().decode(String.self)) ?? .unknown
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
