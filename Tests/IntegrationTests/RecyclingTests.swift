import TestSupport
import Testing

/// Workers that are replaced while clients ask: no request is lost.
@Suite("Recycling under load", .serialized)
struct RecyclingTests {
    private static let clients = 3

    private func pid(_ daemon: Daemon) throws -> Int32 {
        try #require(Int32(try daemon.request("/pid").text.dropLast()))
    }

    /// Runs `body` while clients ask for `/pid`; each of their answers must be 200.
    private func underLoad(_ daemon: Daemon, _ body: (Load) throws -> Void) throws {
        _ = try pid(daemon)
        let load = Load(port: daemon.port)
        let running = try load.start(Self.clients, target: "/pid")
        do {
            try load.waitForRound(of: Self.clients)
            try body(load)
            try load.waitForRound(of: Self.clients)
        } catch {
            load.end()
            for thread in running { _ = try thread.value() }
            throw error
        }
        load.end()
        for thread in running { #expect(try thread.value() > 0) }
    }

    /// Waits until requests go to another worker than `old`, and that one has ended.
    private func waitForSuccessor(of old: Int32, _ daemon: Daemon) throws {
        try daemon.eventually("/pid", "another worker answers") { $0.text != "\(old)\n" }
        try daemon.process.output.wait(containing: "pid \(old) stopped")
        #expect(!ProcessTable.isRunning(old))
    }

    /// Has the worker recycled twice under load; the daemon's line with the first of `inOrder` must come before the other's.
    private func recycle(pool: String = "", inOrder: (_ old: Int32, _ new: Int32) -> (String, String)) throws {
        try withDaemon(sites: ["app": WorkerTests.site(pool: pool)]) { daemon in
            try underLoad(daemon) { load in
                for _ in 0..<2 {
                    let old = try pid(daemon)
                    try daemon.control("recycle", "app")
                    try waitForSuccessor(of: old, daemon)
                    let (first, then) = inOrder(old, try pid(daemon))
                    let lines = daemon.process.output.all
                    let earlier = try #require(lines.firstIndex { $0.contains(first) })
                    let later = try #require(lines.firstIndex { $0.contains(then) })
                    #expect(earlier < later)
                    try load.waitForRound(of: Self.clients)
                }
            }
        }
    }

    @Test("berthctl recycle: the new worker is ready before the old one stops, and nobody notices")
    func overlapped() throws {
        try recycle { old, new in ("pid \(new) is ready", "pid \(old) stopped (recycled: an administrator) with") }
    }

    @Test("without overlap the old worker ends first, and requests wait for the next")
    func notOverlapped() throws {
        try recycle(pool: "recycling = { disallow_overlapping_rotation = true }") { old, new in
            ("pid \(old) stopped", "started pid \(new)")
        }
    }

    @Test("a changed command is a new worker, and an unchanged one stays")
    func configurationChange() throws {
        func site(_ value: Int) -> String { WorkerTests.site("environment = { VALUE = \"\(value)\" }") }
        try withDaemon(sites: ["app": site(0)]) { daemon in
            try underLoad(daemon) { load in
                for value in 1...2 {
                    let old = try pid(daemon)
                    try daemon.write(site: "app", site(value))
                    try daemon.reload()
                    try waitForSuccessor(of: old, daemon)
                    #expect(try daemon.request("/environment").text.contains("VALUE=\(value)\n"))
                    let kept = try pid(daemon)
                    try daemon.reload()
                    try load.waitForRound(of: Self.clients)
                    #expect(try pid(daemon) == kept)
                }
            }
        }
    }

    @Test("a worker that has served as many requests as its pool says is replaced")
    func requestLimit() throws {
        try withDaemon(sites: ["app": WorkerTests.site(pool: "recycling = { requests = 50 }")]) { daemon in
            let first = try pid(daemon)
            try underLoad(daemon) { load in
                _ = try Deadline(seconds: 60).look("the worker has had enough requests") {
                    try load.waitForRound(of: Self.clients)
                    return try pid(daemon) != first ? true : nil
                }
            }
        }
    }

    @Test("an application that moves from a worker of its own to an address and back loses no request")
    func externalAndBack() throws {
        let port = try FreePort.take()
        let external = try ChildProcess([Build.path("EchoWorker")], environment: ["PORT": "\(port)"])
        _ = try Deadline().look("the other worker listens") { try? Client(port: port) }
        let address = """
            [site]
            bindings = ["http://*:$PORT/"]
            [[application]]
            hosting = "out-of-process"
            address = "127.0.0.1:\(port)"
            """
        try withDaemon(sites: ["app": WorkerTests.site()]) { daemon in
            try underLoad(daemon) { load in
                for _ in 0..<2 {
                    let old = try pid(daemon)
                    try daemon.write(site: "app", address)
                    try daemon.reload()
                    try daemon.eventually("/pid", "the address is in force") { $0.text == "\(external.pid)\n" }
                    _ = try Deadline().look("the worker ends") { ProcessTable.isRunning(old) ? nil : true }
                    try load.waitForRound(of: Self.clients)
                    try daemon.write(site: "app", WorkerTests.site())
                    try daemon.reload()
                    try daemon.eventually("/pid", "the command is in force") { $0.text != "\(external.pid)\n" }
                    try load.waitForRound(of: Self.clients)
                }
            }
            #expect(external.isRunning)
        }
    }

    @Test("a pool that is stopped answers 503, and serves again when it is started")
    func restartOfPool() throws {
        try withDaemon(sites: ["app": WorkerTests.site()]) { daemon in
            let first = try pid(daemon)
            try daemon.control("stop", "--pool", "app")
            try daemon.process.output.wait(containing: "pool app: stopped by an administrator")
            #expect(try daemon.request("/pid").status == 503)
            _ = try Deadline().look("its worker ends") { ProcessTable.isRunning(first) ? nil : true }
            try daemon.control("start", "--pool", "app")
            try daemon.process.output.wait(containing: "pool app: started by an administrator")
            #expect(try pid(daemon) != first)
        }
    }
}
