/// One address that the daemon listens on, or was asked to.
public struct EndpointRecord: Codable, Sendable, Equatable {
    /// Who opened the listening descriptor.
    public enum Origin: String, WireChoice {
        case systemd
        case berth
        case unknown
    }

    /// `0.0.0.0:80`, `[::]:80`, or `unix:/run/shop.sock`.
    public var address: String
    public var origin: Origin
    /// The name of the descriptor in its socket unit, where systemd opened it.
    public var descriptorName: String?
    /// Why nobody can connect: `address already in use`; `nil` while the endpoint listens.
    public var failure: String?

    public init(address: String, origin: Origin, descriptorName: String? = nil, failure: String? = nil) {
        (self.address, self.origin, self.descriptorName, self.failure) = (address, origin, descriptorName, failure)
    }
}
