/// Reads the text of one binding: a UrlPrefix (http-sys §2), IIS's `ip:port:host`, or a Unix socket.
struct BindingParser {
    /// Why a text is no binding, and what to write instead.
    struct Problem: Error {
        var kind: ConfigurationDiagnostic.Kind = .invalidBinding
        var message: String
        var advice: String?
    }

    private static let nameMax = 253
    private static let labelMax = 63

    let text: String
    let location: SourceLocation

    static func parse(_ text: String, at location: SourceLocation = .none) throws(Problem) -> Binding {
        try BindingParser(text: text, location: location).binding()
    }

    private func binding() throws(Problem) -> Binding {
        let lowered = text.lowercased()
        if lowered.hasPrefix("https:") || lowered.hasPrefix("https+unix:") {
            throw Problem(
                kind: .schemeNotAvailable, message: "TLS is not available yet: \(quoted(text))",
                advice: "write \(quoted("http" + text.dropFirst(5))), behind something that ends TLS")
        }
        if text.hasPrefix("http+unix:") { return try unixSocketBinding(text.dropFirst("http+unix:".count)) }
        if text.hasPrefix("http://") { return try prefixBinding(text.dropFirst("http://".count)) }
        if lowered.hasPrefix("http") && lowered.contains(":/") {
            let scheme = lowered.hasPrefix("http+unix:") ? "http+unix:" : "http://"
            let rest = text.drop { $0 != ":" }.dropFirst().drop { $0 == "/" }
            throw problem(
                "the scheme is not \(quoted(scheme))", write: scheme + (scheme.hasSuffix("//") ? "" : "/") + rest)
        }
        if let scheme = text.range(of: "://") {
            throw problem("unknown scheme \(quoted(String(text[..<scheme.lowerBound])))", advice: "write http://")
        }
        return try bindingInformation()
    }

    // MARK: http://HOST:PORT[:ADDRESS]/PATH/

    private func prefixBinding(_ rest: Substring) throws(Problem) -> Binding {
        let authority = rest.prefix { $0 != "/" }
        let path = String(rest.dropFirst(authority.count))
        var fields = try split(authority)
        guard let host = fields.first, !host.isEmpty else {
            throw problem("the host is missing", write: "http://*:\(fields.dropFirst().first ?? "80")/")
        }
        fields.removeFirst()
        guard let portText = fields.first, !portText.isEmpty else {
            throw problem("the port is missing", write: "http://\(host):80\(path.isEmpty ? "/" : path)")
        }
        fields.removeFirst()
        guard path.hasSuffix("/") else {
            throw problem("the slash at the end is missing", write: text + "/")
        }
        let bound = try fields.first.map { (field) throws(Problem) in try address(field) }
        guard fields.count < 2 else { throw problem("too many colons in \(quoted(String(authority)))") }
        return try binding(
            host: try self.host(host), port: try port(portText), boundAddress: bound, path: try checked(path: path))
    }

    private func binding(
        host: Binding.Host, port: UInt16, boundAddress: IPAddress?, path: String
    ) throws(Problem) -> Binding {
        if let boundAddress {
            switch host {
            case .name, .subdomains: break
            case .weakWildcard:
                throw problem(
                    "* with an address is the address alone", write: "http://\(boundAddress.urlHost):\(port)\(path)")
            case .strongWildcard, .address:
                throw problem("only a host name can be tied to an address", write: "http://\(host):\(port)\(path)")
            }
        }
        return Binding(
            host: host, endpoint: .port(port), boundAddress: boundAddress, path: path, text: text, location: location)
    }

    // MARK: http+unix:/run/shop.sock:/PATH/

    private func unixSocketBinding(_ rest: Substring) throws(Problem) -> Binding {
        guard let colon = rest.range(of: ":/", last: true) else {
            throw problem(
                "the path behind the socket is missing",
                write: text.hasSuffix("/") ? "http+unix:/run/NAME.sock:/" : text + ":/")
        }
        let socket = String(rest[..<colon.lowerBound])
        let path = String(rest[rest.index(after: colon.lowerBound)...])
        guard socket.hasPrefix("/"), !socket.hasSuffix("/") else {
            throw problem(
                "the socket is no absolute path: \(quoted(socket))", advice: "write \"http+unix:/run/NAME.sock:/\"")
        }
        guard socket.utf8.count <= FilePath.socketPathMax else {
            throw problem("the path of a Unix socket is at most \(FilePath.socketPathMax) octets long")
        }
        guard path.hasSuffix("/") else { throw problem("the slash at the end is missing", write: text + "/") }
        return Binding(
            host: .weakWildcard, endpoint: .unixSocket(socket), path: try checked(path: path), text: text,
            location: location)
    }

    // MARK: IP:PORT:HOST

    private func bindingInformation() throws(Problem) -> Binding {
        let fields = try split(text[...])
        guard fields.count == 3 else {
            let host = fields.first.flatMap { $0.isEmpty ? nil : $0 } ?? "*"
            let name = String(host.prefix { $0 != "/" })
            let port = fields.dropFirst().first.map { $0.prefix { $0.isASCII && $0.isNumber } } ?? "80"
            throw problem("\(quoted(text)) is no UrlPrefix", write: "http://\(name):\(port.isEmpty ? "80" : port)/")
        }
        let port = try port(fields[1])
        let local = fields[0] == "*" || fields[0].isEmpty ? nil : try address(fields[0])
        if fields[2].isEmpty {
            return try binding(
                host: local.map { .address($0) } ?? .weakWildcard, port: port, boundAddress: nil, path: "/")
        }
        let host = try host(fields[2])
        switch host {
        case .name, .subdomains: return try binding(host: host, port: port, boundAddress: local, path: "/")
        default: throw problem("\(quoted(fields[2])) is no host name", write: "\(fields[0]):\(port):")
        }
    }

    // MARK: Parts

    /// At the colons outside brackets.
    private func split(_ text: Substring) throws(Problem) -> [String] {
        var fields: [String] = [""]
        var bracketed = false
        for character in text {
            switch character {
            case "[": bracketed = true
            case "]": bracketed = false
            default: break
            }
            if character == ":" && !bracketed {
                fields.append("")
            } else {
                fields[fields.count - 1].append(character)
            }
            if fields.count > 8 {
                throw problem("an IPv6 address stands in brackets", advice: "write \"http://[::1]:80/\"")
            }
        }
        if bracketed { throw problem("the bracket is not closed") }
        return fields
    }

    private func port(_ text: String) throws(Problem) -> UInt16 {
        guard text.utf8.count <= 5, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(text),
            port > 0, !text.hasPrefix("0")
        else {
            throw problem("\(quoted(text)) is no port", advice: "write 1 through 65535, without a leading zero")
        }
        return port
    }

    private func address(_ text: String) throws(Problem) -> IPAddress {
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        guard let address = IPAddress(isBracketed ? String(text.dropFirst().dropLast()) : text),
            address.isIPv4 != isBracketed
        else {
            throw problem(
                "\(quoted(text)) is no address", advice: "write an IPv4 address, or an IPv6 address in brackets")
        }
        guard !address.isUnspecified else {
            throw problem("\(quoted(text)) is every address", advice: "write * in its place")
        }
        return address
    }

    private func host(_ text: String) throws(Problem) -> Binding.Host {
        switch text {
        case "+": return .strongWildcard
        case "*": return .weakWildcard
        case _ where text.hasPrefix("["): return .address(try address(text))
        case _ where text.hasPrefix("*."): return .subdomains(of: try name(text.dropFirst(2)))
        case _ where text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }):
            return .address(try address(text))
        default: return .name(try name(text[...]))
        }
    }

    private func name(_ text: Substring) throws(Problem) -> String {
        let lowered = text.lowercased()
        guard lowered.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw problem("\(quoted(String(text))) is not ASCII", advice: "write the form that DNS knows, xn--...")
        }
        guard !lowered.contains("*") else {
            throw problem("* stands only for the leftmost label", advice: "write it like \"*.example.com\"")
        }
        let labels = lowered.split(separator: ".", omittingEmptySubsequences: false)
        let isName =
            lowered.utf8.count <= Self.nameMax
            && labels.allSatisfy { label in
                (1...Self.labelMax).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
            }
        guard isName else { throw problem("\(quoted(String(text))) is no host name") }
        return lowered
    }

    private func checked(path: String) throws(Problem) -> String {
        if let problem = URLPath.problem(in: path) { throw self.problem("the path is wrong: \(problem)") }
        return path
    }

    private func problem(_ message: String, advice: String? = nil) -> Problem {
        Problem(message: "\(quoted(text)): \(message)", advice: advice)
    }

    private func problem(_ message: String, write correct: String) -> Problem {
        problem(message, advice: "write \(quoted(correct))")
    }
}
