import Glibc
import TestSupport
import Testing

/// How soon the daemon answers and what it holds.
@Suite("Start and memory", .serialized, .enabled(if: Build.releaseFolder != nil, "needs the release build"))
struct FootprintTests {
    /// As a user starts it: one loop a CPU.
    private func started() throws -> Daemon {
        let release = try #require(Build.releaseFolder)
        return try Daemon(
            sites: ["site": Workload.hello.site], settings: "[timeouts]\nshutdown_drain = \"1s\"\n", bin: release)
    }

    @Test("from start to the first answer")
    func start() throws {
        var best = Double.infinity
        // The least of some: whatever else the machine does only adds to it.
        for _ in 0..<5 {
            let begun = Deadline.now
            let daemon = try started()
            try daemon.waitUntilReady()
            #expect(try daemon.request("/").status == 200)
            best = min(best, Double(Deadline.now - begun) / 1_000_000)
            #expect(try daemon.stop() == .status(0))
        }
        try Figures.expect("start.first-answer", best)
    }

    @Test("memory when idle, and of idle connections")
    func memory() throws {
        let daemon = try started()
        try daemon.waitUntilReady()
        #expect(try daemon.request("/").status == 200)
        // Pages that it shares with others count in part.
        try Figures.expect("idle.memory", Double(try resident(daemon, "Pss")) / 1_000_000)

        let count = try connectionsPossible()
        // The first ones touch what is there once.
        var open = try connect(daemon, 200)
        let before = try resident(daemon, "Anonymous")
        open += try connect(daemon, count)
        let after = try resident(daemon, "Anonymous")
        try Figures.expect("idle-connection.memory", Double(after - before) / Double(count))
        for client in open { client.close() }
        #expect(try daemon.stop() == .status(0))
    }

    /// That many connections with one answered request each.
    private func connect(_ daemon: Daemon, _ count: Int) throws -> [Client] {
        try (0..<count).map { _ in
            let client = try daemon.connect()
            guard try client.request("/").status == 200 else { throw Failure("not answered") }
            return client
        }
    }

    /// 5 000, or as many as this process may have descriptors for.
    private func connectionsPossible() throws -> Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let count = min(5000, Int(clamping: limit.rlim_max) - 500)
        guard count >= 1000 else { throw Failure("only \(limit.rlim_max) descriptors allowed: too few to measure") }
        return count
    }

    /// Octets of resident memory, counted page by page: the sums in /proc/PID/status lag behind.
    private func resident(_ daemon: Daemon, _ kind: String) throws -> Int {
        let text = try #require(Files.text("/proc/\(daemon.process.pid)/smaps_rollup"))
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(kind + ":") })
        let kibibytes = try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        return kibibytes * 1024
    }
}
