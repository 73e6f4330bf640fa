import BerthListener
import CBerthSystem
import Testing

/// The worked cases of HTTP.sys' routing, and the precedence rules behind them.
@Suite("The routing table")
struct RoutingTableTests {
    private enum Answer: Equatable {
        case target(Int)
        case noHost
        case noPath
    }

    private static func address(_ text: String) -> cberth_address {
        var address = cberth_address()
        _ = cberth_address_parse(text, &address)
        return address
    }

    /// Hosts as in a UrlPrefix; "name@address" for a name on one address.
    private static func prefix(_ host: String, _ path: String, port: UInt32 = 80) -> URLPrefix {
        if host == "+" { return URLPrefix(host: .strongWildcard, port: port, path: path) }
        if host == "*" { return URLPrefix(host: .weakWildcard, port: port, path: path) }
        let parts = host.split(separator: "@").map(String.init)
        let bound = parts.count > 1 ? address(parts[1]) : nil
        var literal = cberth_address()
        if parts.count == 1 && cberth_address_parse(host, &literal) == 1 {
            return URLPrefix(host: .address(literal), port: port, path: path)
        }
        if parts[0].hasPrefix("*.") {
            return URLPrefix(host: .subdomains(of: String(parts[0].dropFirst(2)), on: bound), port: port, path: path)
        }
        return URLPrefix(host: .name(parts[0], on: bound), port: port, path: path)
    }

    private static func table(_ prefixes: [(String, String)]) -> RoutingTable {
        RoutingTable(prefixes.enumerated().map { (prefix($1.0, $1.1), $0) })
    }

    private static func ask(
        _ table: RoutingTable, _ host: String, _ path: String, local: String = "127.0.0.1", port: UInt32 = 80
    ) -> Answer {
        guard let index = table.indexOfPort(port) else { return .noHost }
        var local = address(local)
        let hostOctets = Array(host.utf8) + [0]
        let pathOctets = Array(path.utf8)
        let outcome = hostOctets.withUnsafeBufferPointer { h in
            pathOctets.withUnsafeBufferPointer { p in
                table.route(
                    port: index, localAddress: &local, host: h.baseAddress!, hostLength: hostOctets.count - 1,
                    path: p.baseAddress!, pathLength: pathOctets.count)
            }
        }
        switch outcome {
        case .target(let target, skipped: _): return .target(target)
        case .noHost: return .noHost
        case .noPath: return .noPath
        }
    }

    @Test("the worked cases of the documentation")
    func workedCases() {
        let first = Self.table([("+", "/vroot/"), ("adatum.com", "/"), ("*", "/")])
        #expect(Self.ask(first, "adatum.com", "/vroot/subdir/file") == .target(0))
        #expect(Self.ask(first, "adatum.com", "/default.htm") == .target(1))
        #expect(Self.ask(first, "other.com", "/file") == .target(2))
        let second = Self.table([("www", "/"), ("www", "/dir/sna/")])
        #expect(Self.ask(second, "www", "/dir/app.htm") == .target(0))
        let third = Self.table([("*", "/vroot/"), ("adatum.com", "/")])
        #expect(
            Self.ask(third, "adatum.com", "/vroot/x") == .target(1), "a higher tier wins over a longer path below it")
        let fourth = Self.table([("www", "/app/")])
        #expect(Self.ask(fourth, "www", "/other") == .noPath)
        #expect(Self.ask(fourth, "elsewhere", "/app/") == .noHost)
        #expect(Self.ask(Self.table([("*", "/2/")]), "x", "/2") == .target(0), "the slash at the end is not needed")
        #expect(Self.ask(Self.table([("*", "/base/")]), "x", "///base/path1/path2") == .target(0))
    }

    @Test("paths match by whole segments, the longest first, without regard to case")
    func paths() {
        let table = Self.table([("*", "/"), ("*", "/app/"), ("*", "/app/sub/")])
        for (path, target) in [
            ("/", 0), ("/application", 0), ("/app", 1), ("/app/", 1), ("/APP/x", 1), ("/app/subway", 1),
            ("/app/sub", 2),
            ("/app/SUB/x/y", 2),
        ] {
            #expect(Self.ask(table, "any", path) == .target(target), "\(path)")
        }
    }

    @Test(
        "the tiers in their order",
        arguments: [
            ("shop.example", "10.0.0.1", 0), ("shop.example", "10.0.0.2", 1), ("SHOP.example", "10.0.0.2", 1),
            ("a.shop.example", "10.0.0.2", 3), ("b.a.shop.example", "10.0.0.2", 3), ("x.example", "10.0.0.2", 4),
            ("example", "10.0.0.3", 5), ("elsewhere", "10.0.0.3", 5), ("elsewhere", "10.0.0.2", 6), ("", "10.0.0.2", 6),
            ("", "10.0.0.3", 5),
        ])
    func tiers(host: String, local: String, target: Int) {
        let table = Self.table([
            ("shop.example@10.0.0.1", "/"), ("shop.example", "/"), ("unused", "/"), ("*.shop.example", "/"),
            ("*.example", "/"), ("10.0.0.3", "/"), ("*", "/"),
        ])
        #expect(Self.ask(table, host, "/", local: local) == .target(target))
    }

    @Test("a strong wildcard wins over everything, below its path only")
    func strong() {
        let table = Self.table([("+", "/health/"), ("shop.example", "/")])
        #expect(Self.ask(table, "shop.example", "/health/x") == .target(0))
        #expect(Self.ask(table, "anybody", "/health") == .target(0))
        #expect(Self.ask(table, "shop.example", "/healthy") == .target(1))
        #expect(Self.ask(table, "anybody", "/") == .noPath, "the wildcard accepts any host, its path does not fit")
    }

    @Test("a subdomain wildcard does not match the name itself")
    func subdomainIsBelow() {
        let table = Self.table([("*.shop.example", "/")])
        #expect(Self.ask(table, "shop.example", "/") == .noHost)
        #expect(Self.ask(table, ".shop.example", "/") == .noHost)
        #expect(Self.ask(table, "x.shop.example", "/") == .target(0))
    }

    @Test("IPv6 addresses are told apart by all their octets")
    func ipv6() {
        let table = Self.table([("2001:db8::1", "/"), ("2001:db8::2", "/"), ("*", "/")])
        #expect(Self.ask(table, "x", "/", local: "2001:db8::1") == .target(0))
        #expect(Self.ask(table, "x", "/", local: "2001:db8::2") == .target(1))
        #expect(Self.ask(table, "x", "/", local: "2001:db8::3") == .target(2))
    }

    @Test("ports have nothing to do with each other")
    func ports() {
        let table = RoutingTable([
            (Self.prefix("a", "/", port: 80), 0), (Self.prefix("a", "/", port: 8080), 1),
            (Self.prefix("*", "/", port: 65_536), 2),
        ])
        #expect(Self.ask(table, "a", "/", port: 80) == .target(0))
        #expect(Self.ask(table, "a", "/", port: 8080) == .target(1))
        #expect(Self.ask(table, "whatever", "/", port: 65_536) == .target(2))
        #expect(table.indexOfPort(81) == nil)
    }

    @Test("each of ten thousand names finds its own target, and a stranger none")
    func manyNames() {
        let table = Self.table((0..<10_000).map { ("site\($0).example.test", "/") })
        for index in stride(from: 0, to: 10_000, by: 37) {
            #expect(Self.ask(table, "site\(index).example.test", "/x") == .target(index))
            #expect(Self.ask(table, "SITE\(index).Example.TEST", "/x") == .target(index))
        }
        #expect(Self.ask(table, "site10000.example.test", "/") == .noHost)
        #expect(Self.ask(table, "site1.example.tesu", "/") == .noHost)
    }

    @Test("names that differ only in octets which look alike with bit 5 set are different names")
    func bitFive() {
        let table = Self.table([("a-b", "/"), ("a@b", "/")])
        #expect(Self.ask(table, "a-b", "/") == .target(0))
        #expect(Self.ask(table, "a\u{0d}b", "/") == .noHost)
    }
}
