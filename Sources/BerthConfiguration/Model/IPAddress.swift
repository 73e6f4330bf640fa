import Glibc

/// An IPv4 or IPv6 address, compared by its octets and not by its spelling.
public struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address in network order: 4 octets, or 16.
    public let octets: [UInt8]

    public var isIPv4: Bool { octets.count == 4 }
    /// `0.0.0.0` or `::`.
    public var isUnspecified: Bool { octets.allSatisfy { $0 == 0 } }

    /// Reads the usual text form without brackets; nil for anything else, zone identifiers (`%eth0`) included.
    public init?(_ text: String) {
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        var octets = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &octets) == 1 {
            self.octets = Array(octets.prefix(4))
        } else if inet_pton(AF_INET6, text, &octets) == 1 {
            self.octets = octets
        } else {
            return nil
        }
    }

    /// The canonical text form (RFC 5952), without brackets.
    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isIPv4 ? AF_INET : AF_INET6
        guard inet_ntop(family, octets, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// As it is written in a URL: an IPv6 address in brackets.
    public var urlHost: String { isIPv4 ? description : "[\(description)]" }
}
