import CBerthSystem
import Glibc
import Testing

@testable import BerthListener

@Suite("Connections by source address")
struct SourceConnectionsTests {
    private func address(_ text: String) -> cberth_address {
        var address = cberth_address()
        #expect(cberth_address_parse(text, &address) == 1)
        return address
    }

    private func table(_ limit: UInt32?, connectionsMax: Int = 64) throws -> SourceConnections {
        let sources = try #require(SourceConnections(connectionsMax: connectionsMax))
        sources.limit = limit
        return sources
    }

    @Test("a source gets its limit and not one more, until one is closed", arguments: [1, 2, 100] as [UInt32])
    func limit(_ limit: UInt32) throws {
        let sources = try table(limit)
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"))
        for _ in 0..<limit { #expect(sources.opened(one) == true) }
        #expect(sources.opened(one) == false)
        #expect(sources.opened(other) == true, "another source is not affected")
        sources.closed(one)
        #expect(sources.opened(one) == true)
        #expect(sources.opened(one) == false)
    }

    @Test("without a limit nothing is refused; a lower one counts for those that come")
    func switching() throws {
        let sources = try table(nil)
        #expect(!sources.isOn)
        let one = address("192.0.2.1")
        sources.limit = 3
        #expect(sources.isOn && sources.limit == 3)
        for _ in 0..<3 { #expect(sources.opened(one) == true) }
        sources.limit = 1
        sources.closed(one)
        #expect(sources.opened(one) == false, "two are open")
        sources.closed(one)
        sources.closed(one)
        #expect(sources.opened(one) == true)
        #expect(sources.sourceCount == 1)
    }

    @Test("IPv6 counts by its first 64 bits, an IPv4 address in IPv6 as IPv4, a Unix socket not at all")
    func families() throws {
        let sources = try table(1)
        #expect(sources.opened(address("2001:db8:0:1::1")) == true)
        #expect(sources.opened(address("2001:db8:0:1:ffff:ffff:ffff:ffff")) == false)
        #expect(sources.opened(address("2001:db8:0:2::1")) == true)
        #expect(sources.opened(address("::1")) == true)
        #expect(sources.opened(address("::ffff:192.0.2.1")) == true)
        #expect(sources.opened(address("192.0.2.1")) == false)
        #expect(sources.opened(address("192.0.2.2")) == true)
        var unix = cberth_address()
        unix.family = 1
        #expect(sources.opened(unix) == nil)
        #expect(sources.sourceCount == 5)
    }

    @Test("as many sources as connections are told apart, whatever was closed before (fixed seed)")
    func table() throws {
        let sources = try table(4, connectionsMax: 256)
        var expected: [UInt8: UInt32] = [:]
        var open: [UInt8] = []
        var random: UInt64 = 0x9e37_79b9_7f4a_7c15
        func next() -> UInt64 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return random
        }
        for _ in 0..<20_000 {
            if open.count < 256 && (open.isEmpty || next() & 1 == 0) {
                let last = UInt8(truncatingIfNeeded: next() >> 8)
                let count = expected[last] ?? 0
                let taken = sources.opened(address("10.0.0.\(last)"))
                #expect(taken == (count < 4))
                if taken == true {
                    expected[last] = count + 1
                    open.append(last)
                }
            } else {
                let last = open.remove(at: Int(next() % UInt64(open.count)))
                sources.closed(address("10.0.0.\(last)"))
                expected[last] = (expected[last] ?? 1) - 1
                if expected[last] == 0 { expected[last] = nil }
            }
            #expect(sources.sourceCount == expected.count)
        }
    }

    @Test("four threads together get exactly the limit")
    func threads() throws {
        let sources = try table(1000, connectionsMax: 4096)
        final class Share: @unchecked Sendable {
            let sources: SourceConnections
            var taken = 0
            init(_ sources: SourceConnections) { self.sources = sources }
        }
        let shares = (0..<4).map { _ in Share(sources) }
        var ids: [pthread_t] = []
        for share in shares {
            var id = pthread_t()
            let argument = Unmanaged.passRetained(share).toOpaque()
            let result = pthread_create(
                &id, nil,
                { argument in
                    guard let argument else { return nil }
                    let share = Unmanaged<Share>.fromOpaque(argument).takeRetainedValue()
                    var peer = cberth_address()
                    cberth_address_parse("198.51.100.7", &peer)
                    for turn in 0..<2000 {
                        if share.sources.opened(peer) == true { share.taken += 1 }
                        if turn % 3 == 0 && share.taken > 0 {
                            share.sources.closed(peer)
                            share.taken -= 1
                        }
                    }
                    return nil
                }, argument)
            #expect(result == 0)
            ids.append(id)
        }
        for id in ids { pthread_join(id, nil) }
        let taken = shares.reduce(0) { $0 + $1.taken }
        #expect(taken <= 1000)
        var peer = address("198.51.100.7")
        for _ in taken..<1000 { #expect(sources.opened(peer) == true) }
        #expect(sources.opened(peer) == false)
        for _ in 0..<1000 { sources.closed(peer) }
        peer.port = 1
        #expect(sources.sourceCount == 0)
    }
}
