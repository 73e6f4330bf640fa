import TestSupport
import Testing

/// Exact counts of the release build, which no other load of the machine changes: what a request costs is a number here, and
/// one that grows is a failure. Times are not judged.
@Suite(
    "What a request costs, counted", .serialized, .enabled(if: Build.releaseFolder != nil, "needs the release build"))
struct CountTests {
    /// The functions by which memory is had from the C library.
    private static let allocating = [
        "malloc", "calloc", "realloc", "reallocarray", "aligned_alloc", "memalign", "posix_memalign", "valloc",
    ]

    @Test(
        "system calls",
        arguments: [
            Workload.hello, .helloLogged, .pipelined, .staticSmall, .staticLarge, .forwarded,
        ])
    func systemCalls(workload: Workload) throws {
        let cost = try Meter().cost(of: workload, under: .strace, batches: 1000)
        try Figures.expect(workload.name + ".system-calls", of: cost)
    }

    @Test(
        "instructions, allocations and reference counts",
        arguments: [Workload.pipelined, .staticSmall, .staticLarge, .forwarded])
    func userSpace(workload: Workload) throws {
        try expectUserSpace(of: workload)
    }

    @Test("hello, and what the access log adds to it")
    func accessLog() throws {
        let plain = try expectUserSpace(of: .hello)
        let logged = try expectUserSpace(of: .helloLogged)
        let name = CallgrindProfile.instructions
        try Figures.expect("log-line.instructions", logged[name, default: 0] - plain[name, default: 0])
    }

    @discardableResult
    private func expectUserSpace(of workload: Workload) throws -> [String: Double] {
        let name = workload.name
        let cost = try Meter().cost(of: workload, under: .callgrind, batches: 2000 / workload.depth)
        try Figures.expect(name + ".instructions", cost[CallgrindProfile.instructions, default: 0])
        try Figures.expect(name + ".allocations", of: parts(cost) { Self.allocating.contains($0) || $0 == "free" })
        // For reference counts, objects, exclusive access, lazy globals: none of it belongs there.
        try Figures.expect(name + ".runtime-calls", of: parts(cost) { $0.hasPrefix("swift_") })
        return cost
    }

    private func parts(_ cost: [String: Double], where fits: (String) -> Bool) -> [String: Double] {
        cost.filter { fits($0.key) && $0.value >= 0.0005 }
    }

    // MARK: The counters can count

    @Test("a module that allocates once a request is seen to do so")
    func allocationsAreSeen() throws {
        let cost = try Meter().cost(of: .allocating, under: .callgrind, batches: 200)
        #expect(parts(cost) { Self.allocating.contains($0) }.values.reduce(0, +) >= 1)
        // It is let go in the end stage.
        #expect(cost["free", default: 0] >= 0.99)
    }

    @Test("a request to the control socket, which uses objects, is seen to do so")
    func objectsAreSeen() throws {
        let counts = try Meter().profile(of: .hello, controlThread: true) { daemon in
            {
                for _ in 0..<10 {
                    let client = try Client(unixSocket: daemon.folder.path + "/control.sock")
                    client.patience = 60
                    #expect(try client.request("/v1/sites").status == 200)
                }
            }
        }
        for name in ["swift_retain", "swift_release", "swift_allocObject"] {
            #expect(counts[name, default: 0] >= 10, "\(name)")
        }
    }
}
