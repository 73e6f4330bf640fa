/// Which sites may register a prefix and everything below it; while none has, requests to it are answered 503 `N/A`.
///
/// Source: URL reservations of HTTP.sys (`netsh http add urlacl`); in the place of users stand names of site files.
public struct Reservation: Sendable, Hashable {
    public var binding: Binding
    /// Empty: nobody may.
    public var sites: [String]

    public init(binding: Binding, sites: [String]) { (self.binding, self.sites) = (binding, sites) }
}
