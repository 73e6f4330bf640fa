import BerthEventLoop
import Testing

@testable import BerthActivation

@Suite("Startup probe")
struct StartupProbeTests {
    typealias Sighting = StartupProbe.Sighting

    private func sighting(
        _ address: String, _ ownership: StartupProbe.Ownership, hasIPv6Loopback: Bool = true
    ) throws -> Sighting {
        try #require(
            Sighting(address: address, port: 5000, ownership: ownership, hasIPv6Loopback: hasIPv6Loopback))
    }

    @Test("the looks come after 2, 5, 10, 20, 50, 100 ms and then every 250 ms")
    func intervals() {
        var probe = StartupProbe(limit: 120, now: seconds(0))
        var now = seconds(0)
        for interval in [2, 5, 10, 20, 50, 100, 250, 250, 250] as [UInt64] {
            now = now.adding(milliseconds: interval)
            #expect(probe.nextCheck == now)
            #expect(probe.observed([], now: now) == .wait)
        }
    }

    @Test(
        "a worker that does not listen has its time, and no more",
        arguments: [(999, false), (1000, true), (1001, true)] as [(UInt64, Bool)])
    func limit(at: UInt64, over: Bool) {
        var probe = StartupProbe(limit: 1, now: seconds(0))
        #expect((probe.observed([], now: milliseconds(at)) == .timedOut) == over)
    }

    @Test("a limit of 0 is one look")
    func zero() throws {
        var probe = StartupProbe(limit: 0, now: seconds(0))
        #expect(probe.nextCheck == seconds(0))
        #expect(probe.observed([], now: seconds(0)) == .timedOut)
        var lucky = StartupProbe(limit: 0, now: seconds(0))
        #expect(
            lucky.observed([try sighting("127.0.0.1", .worker(pid: 7))], now: seconds(0))
                == .ready(.tcp(address: "127.0.0.1", port: 5000), owner: 7))
    }

    @Test(
        "a worker may listen on either loopback or on everything, and is met where it can be reached",
        arguments: [
            ("127.0.0.1", true, "127.0.0.1"), ("0.0.0.0", true, "127.0.0.1"), ("::1", true, "::1"), ("::", true, "::1"),
            ("::", false, "127.0.0.1"),
        ])
    func addresses(address: String, hasIPv6Loopback: Bool, reached: String) throws {
        var probe = StartupProbe(limit: 1, now: seconds(0))
        let seen = try sighting(address, .worker(pid: 7), hasIPv6Loopback: hasIPv6Loopback)
        #expect(probe.observed([seen], now: seconds(0)) == .ready(.tcp(address: reached, port: 5000), owner: 7))
    }

    @Test("an address of another machine is none of the worker's")
    func elsewhere() {
        #expect(Sighting(address: "10.0.0.1", port: 1, ownership: .foreign, hasIPv6Loopback: true) == nil)
    }

    @Test("of several, IPv4 is taken")
    func several() throws {
        var probe = StartupProbe(limit: 1, now: seconds(0))
        let seen = [try sighting("::1", .worker(pid: 7)), try sighting("127.0.0.1", .worker(pid: 8))]
        #expect(probe.observed(seen, now: seconds(0)) == .ready(.tcp(address: "127.0.0.1", port: 5000), owner: 8))
    }

    @Test(
        "a stranger at the worker's place is a wrong owner",
        arguments: [("127.0.0.1", true), ("0.0.0.0", true), ("::", true), ("::1", false)])
    func strangers(address: String, isInTheWay: Bool) throws {
        var probe = StartupProbe(limit: 1, now: seconds(0))
        let verdict = probe.observed([try sighting(address, .foreign)], now: seconds(0))
        if isInTheWay {
            guard case .wrongOwner = verdict else {
                Issue.record("\(verdict)")
                return
            }
        } else {
            #expect(verdict == .wait)
        }
    }

    @Test("a stranger beside the worker does no harm")
    func beside() throws {
        var probe = StartupProbe(limit: 1, now: seconds(0))
        let seen = [try sighting("127.0.0.1", .foreign), try sighting("::1", .worker(pid: 7))]
        #expect(probe.observed(seen, now: seconds(0)) == .ready(.tcp(address: "::1", port: 5000), owner: 7))
    }

    @Test("a Unix socket is ready when the worker listens on it")
    func unix() {
        var probe = StartupProbe(limit: 1, now: seconds(0))
        #expect(
            probe.observed([Sighting(path: "/x", ownership: .worker(pid: 7))], now: seconds(0))
                == .ready(.unix(path: "/x"), owner: 7))
        #expect(
            probe.observed([Sighting(path: "/x", ownership: .foreign)], now: seconds(0))
                == .wrongOwner(.unix(path: "/x")))
    }
}
