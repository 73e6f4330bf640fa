import TestSupport
import Testing

/// Both counters of crashes: an application's minute, and its pool's window.
@Suite("Rapid fails")
struct RapidFailTests {
    /// What answers after that many crashes; each of them finds a worker that serves.
    private func answer(after crashes: Int, _ daemon: Daemon) throws -> Response {
        for _ in 0..<crashes {
            #expect(try daemon.request("/pid").status == 200)
            try daemon.crashWorker()
        }
        return try daemon.request("/pid")
    }

    private func starts(of daemon: Daemon) -> Int {
        daemon.process.output.all.filter { $0.contains("started pid") }.count
    }

    @Test(
        "an application may crash as often as its minute allows; once more, and the answer is 502.5 without another start",
        arguments: [(1, 200), (2, 200), (3, 502)])
    func perMinute(crashes: Int, status: Int) throws {
        try withDaemon(sites: ["app": WorkerTests.site("rapid_fails_per_minute = 2")]) { daemon in
            let answer = try answer(after: crashes, daemon)
            #expect(answer.status == status)
            #expect(answer.text.contains("502.5") == (status == 502))
            #expect(starts(of: daemon) == min(crashes + 1, 3))
        }
    }

    @Test(
        "a pool that loses as many workers as it may is stopped: 503 AppOffline until it is started",
        arguments: [(2, 200), (3, 503)])
    func pool(crashes: Int, status: Int) throws {
        let site = WorkerTests.site(pool: "rapid_fail = { crashes = 3, window = \"5min\" }")
        try withDaemon(sites: ["app": site]) { daemon in
            #expect(try answer(after: crashes, daemon).status == status)
            if status == 200 { return }
            try daemon.waitForErrorLog("AppOffline") { $0.hasSuffix(" 503 1 AppOffline app") }
            #expect(try daemon.request("/pid").status == 503)
            #expect(starts(of: daemon) == 3)
            try daemon.control("start", "--pool", "app")
            #expect(try daemon.request("/pid").status == 200)
            #expect(starts(of: daemon) == 4)
        }
    }

    @Test("without being told otherwise the pool's five count before the application's ten")
    func defaults() throws {
        try withDaemon(sites: ["app": WorkerTests.site()]) { daemon in
            let answer = try answer(after: 5, daemon)
            #expect(answer.status == 503)
            #expect(starts(of: daemon) == 5)
        }
    }

    @Test("a pool without protection leaves it to the application's minute")
    func off() throws {
        let site = WorkerTests.site("rapid_fails_per_minute = 5", pool: "rapid_fail = { enabled = false }")
        try withDaemon(sites: ["app": site]) { daemon in
            let answer = try answer(after: 6, daemon)
            #expect(answer.text.contains("502.5"))
        }
    }

    @Test("a program that cannot be started says so each time, and does not stop its pool")
    func failedStarts() throws {
        let site = WorkerTests.site(
            "rapid_fails_per_minute = 100", pool: "rapid_fail = { crashes = 2, window = \"5min\" }",
            command: "\"$FOLDER/no-such-program\"")
        try withDaemon(sites: ["app": site]) { daemon in
            for _ in 0..<4 {
                let answer = try daemon.request("/")
                #expect(answer.text.contains("no-such-program"))
            }
        }
    }

    @Test("requests that wait when their pool stops are answered at once")
    func waiting() throws {
        // The second worker never listens.
        let script = """
            import os, sys, time
            if os.path.exists(sys.argv[2]): time.sleep(1000)
            open(sys.argv[2], "w").close()
            os.execv(sys.argv[1], [sys.argv[1]])
            """
        let site = WorkerTests.site(command: "\"python3\", \"$FOLDER/once.py\", \"$BIN/EchoWorker\", \"$FOLDER/mark\"")
        try withDaemon(sites: ["app": site], files: ["once.py": script]) { daemon in
            #expect(try daemon.request("/pid").status == 200)
            try daemon.crashWorker()
            let seen = daemon.process.output.all.count
            let client = try daemon.connect()
            try client.send("GET /pid HTTP/1.1\r\nHost: h\r\n\r\n")
            try daemon.process.output.wait(containing: "started pid", from: seen)
            try daemon.control("stop", "--pool", "app")
            #expect(try client.receiveResponse().status == 503)
            try daemon.waitForErrorLog("Disabled") { $0.hasSuffix(" 503 1 Disabled app") }
        }
    }
}
