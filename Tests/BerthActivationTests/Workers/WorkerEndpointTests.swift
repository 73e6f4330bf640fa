import CBerthSystem
import Testing

@testable import BerthActivation

@Suite("Worker endpoint")
struct WorkerEndpointTests {
    @Test("an endpoint is written as one would type it")
    func description() {
        #expect(WorkerEndpoint.tcp(address: "127.0.0.1", port: 5000).description == "127.0.0.1:5000")
        #expect(WorkerEndpoint.tcp(address: "::1", port: 5000).description == "[::1]:5000")
        #expect(WorkerEndpoint.unix(path: "/run/x").description == "unix:/run/x")
    }

    @Test("a path is at most 107 octets", arguments: [(1, true), (106, true), (107, true), (108, false), (0, false)])
    func pathLength(count: Int, fits: Bool) {
        let endpoint = WorkerEndpoint.unix(path: String(repeating: "x", count: count)).systemEndpoint
        #expect((endpoint != nil) == fits)
        if fits { #expect(endpoint?.address.family == 1) }
    }

    @Test("an address that is none has no endpoint", arguments: ["", "localhost", "127.0.0.1.2", "[::1]"])
    func noAddress(text: String) {
        #expect(WorkerEndpoint.tcp(address: text, port: 1).systemEndpoint == nil)
    }

    @Test("an address keeps its family and port")
    func families() throws {
        let four = try #require(WorkerEndpoint.tcp(address: "10.0.0.1", port: 9).systemEndpoint)
        #expect(four.address.family == 4 && four.address.port == 9)
        let six = try #require(WorkerEndpoint.tcp(address: "::1", port: 65535).systemEndpoint)
        #expect(six.address.family == 6 && six.address.port == 65535)
    }
}
