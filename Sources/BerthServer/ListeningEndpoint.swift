import BerthConfiguration
import CBerthSystem

/// An address the daemon listens on, and the descriptor that all loops share.
struct ListeningEndpoint: @unchecked Sendable {
    let descriptor: Int32
    let endpoint: cberth_endpoint
    /// What the routing table knows its prefixes by: the TCP port, or a number above 65535 for a Unix socket.
    let portKey: UInt32
    /// Handed over by the service manager: not ours to open again, but ours to close.
    let isInherited: Bool
    /// What the service manager calls it; nil where we opened it ourselves.
    var descriptorName: String?

    var name: String { Self.name(of: endpoint) }

    static func name(of endpoint: cberth_endpoint) -> String {
        if endpoint.address.family == 1 { return "unix:\(path(of: endpoint))" }
        var address = endpoint.address
        var text = [CChar](repeating: 0, count: 64)
        _ = cberth_address_format(&address, &text, text.count)
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return address.family == 6 ? "[\(host)]:\(address.port)" : "\(host):\(address.port)"
    }

    static func path(of endpoint: cberth_endpoint) -> String {
        withUnsafeBytes(of: endpoint.path) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Nil: the path is longer than a Unix socket address holds.
    static func unix(_ path: String) -> cberth_endpoint? {
        var endpoint = cberth_endpoint()
        endpoint.address.family = 1
        let octets = Array(path.utf8)
        if octets.count >= MemoryLayout.size(ofValue: endpoint.path) - 1 { return nil }
        withUnsafeMutableBytes(of: &endpoint.path) { $0.copyBytes(from: octets) }
        return endpoint
    }

    static func tcp(_ address: IPAddress, _ port: UInt16) -> cberth_endpoint {
        var endpoint = cberth_endpoint()
        endpoint.address = self.address(address)
        endpoint.address.port = port
        return endpoint
    }

    static func address(_ address: IPAddress) -> cberth_address {
        var result = cberth_address()
        result.family = address.isIPv4 ? 4 : 6
        withUnsafeMutableBytes(of: &result.bytes) { $0.copyBytes(from: address.octets) }
        return result
    }
}
