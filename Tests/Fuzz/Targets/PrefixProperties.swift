@testable import BerthConfiguration
import BerthListener
import CBerthSystem

/// Bindings: what is taken is written in one canonical way that means the same, and leads the requests for it there.
enum PrefixProperties {
    static func check(_ input: [UInt8]) throws {
        let text = String(decoding: input, as: UTF8.self)
        let binding: Binding
        do throws(BindingParser.Problem) {
            binding = try BindingParser.parse(text)
        } catch {
            try require(!error.message.isEmpty, "refused without a word")
            return
        }
        try checkParts(binding)
        let canonical = binding.urlPrefix
        guard let again = try? BindingParser.parse(canonical) else {
            throw Violation(description: "its own canonical text is refused: \(canonical)")
        }
        try require(
            again.urlPrefix == canonical && again.key == binding.key, "the canonical text is not stable: \(canonical)")
        try require(
            again.scheme == binding.scheme && again.host == binding.host && again.endpoint == binding.endpoint
                && again.boundAddress == binding.boundAddress && again.path == binding.path,
            "the canonical text means something else: \(canonical)")
        try checkRouted(binding)
    }

    private static func checkParts(_ binding: Binding) throws {
        try require(binding.path.utf8.first == 0x2f && binding.path.utf8.last == 0x2f, "the path is \(binding.path)")
        try require(
            !binding.path.utf8.contains { $0 <= 0x20 || $0 == 0x7f || $0 == 0x5c || $0 == 0x25 },
            "the path holds what no cooked path does: \(binding.path)")
        switch binding.host {
        case .name(let name), .subdomains(of: let name):
            try require(
                !name.isEmpty && name.utf8.count <= 253
                    && name.utf8.allSatisfy { $0 < 0x80 && !(0x41...0x5a).contains($0) },
                "the host is \(name)")
        case .address(let address): try require(!address.isUnspecified, "any address at all")
        case .strongWildcard, .weakWildcard: break
        }
        if case .port(let port) = binding.endpoint { try require(port > 0, "port 0") }
        if case .unixSocket(let path) = binding.endpoint {
            try require(path.utf8.first == 0x2f && path.utf8.count <= 107, "the socket is \(path)")
        }
    }

    /// A routing table with this prefix alone sends a request for it there, in any letter case, and none for its neighbour.
    private static func checkRouted(_ binding: Binding) throws {
        let local = binding.boundAddress.map(address)
        let host: URLPrefix.Host =
            switch binding.host {
            case .strongWildcard: .strongWildcard
            case .name(let name): .name(name, on: local)
            case .subdomains(let name): .subdomains(of: name, on: local)
            case .address(let literal): .address(address(literal))
            case .weakWildcard: .weakWildcard
            }
        let port = UInt32(binding.port ?? 0) + (binding.port == nil ? 70_000 : 0)
        let table = RoutingTable([(URLPrefix(host: host, port: port, path: binding.path), 7)])
        guard let index = table.indexOfPort(port) else { throw Violation(description: "its port is not there") }
        var at = local ?? cberth_address()
        if case .address(let literal) = host { at = literal }
        let asked: String =
            switch binding.host {
            case .name(let name): name
            case .subdomains(let name): "a." + name
            default: "any.example"
            }
        func route(_ host: String, _ path: String) -> RoutingTable.Outcome {
            let (host, path) = (Array(host.utf8), Array(path.utf8))
            return Pieces.withExactly(host, host.count) { host_ in
                Pieces.withExactly(path, path.count) { path_ in
                    withUnsafePointer(to: &at) {
                        table.route(
                            port: index, localAddress: $0, host: host_, hostLength: host.count, path: path_,
                            pathLength: path.count)
                    }
                }
            }
        }
        func arrives(_ outcome: RoutingTable.Outcome) -> Bool {
            if case .target(7, _) = outcome { true } else { false }
        }
        let upper = String(
            decoding: binding.path.utf8.map { (0x61...0x7a).contains($0) ? $0 - 0x20 : $0 }, as: UTF8.self)
        try require(arrives(route(asked, binding.path)), "a request for it goes elsewhere: \(binding.urlPrefix)")
        try require(
            arrives(route(asked.uppercased(), upper + "x")), "letter case decides for \(binding.urlPrefix)")
        if binding.path.utf8.count > 1 {
            try require(arrives(route(asked, String(binding.path.dropLast()))), "the slash at the end decides")
            try require(!arrives(route(asked, String(binding.path.dropLast()) + "x")), "a neighbour of it arrives")
        }
        switch binding.host {
        case .name, .subdomains: try require(!arrives(route("other.invalid", binding.path)), "another host arrives")
        default: break
        }
    }

    private static func address(_ address: IPAddress) -> cberth_address {
        var result = cberth_address()
        result.family = address.isIPv4 ? 4 : 6
        withUnsafeMutableBytes(of: &result.bytes) { $0.copyBytes(from: address.octets) }
        return result
    }
}
