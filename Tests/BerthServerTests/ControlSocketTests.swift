import BerthControl
import Glibc
import TestSupport
import Testing

/// A real daemon, asked through its control socket.
@Suite("The control socket of a daemon that runs")
struct ControlSocketTests {
    private static let site = """
        schema = 1
        [site]
        bindings = ["http://localhost:$PORT/"]
        [[application]]
        path = "/"
        hosting = "static"
        root = "$FOLDER/www"
        """
    private static let other = """
        schema = 1
        [site]
        bindings = ["http://other:$PORT/"]
        [[application]]
        path = "/"
        hosting = "static"
        root = "$FOLDER/www"
        [[application]]
        path = "/worker"
        hosting = "out-of-process"
        root = "$FOLDER/www"
        command = ["$BIN/EchoWorker"]
        """

    /// Two sites, `one` for the host localhost and `two` for the host other.
    private func withDaemon(_ body: (Daemon, ControlClient) throws -> Void) throws {
        let daemon = try Daemon.started(
            sites: ["one": Self.site, "two": Self.other], settings: "[timeouts]\nshutdown_drain = \"1s\"",
            files: ["www/index.html": "hello"])
        do {
            try body(daemon, ControlClient(socketPath: daemon.folder.path + "/control.sock"))
        } catch { throw Failure("\(error)\nthe daemon said:\n\(daemon.process.output.text)") }
        #expect(try daemon.stop() == .status(0))
    }

    private func problem(_ client: ControlClient, _ route: ControlRoute, content: [UInt8]? = nil) -> ProblemDocument? {
        do throws(ControlFailure) {
            _ = try client.exchange(route, content: content)
            return nil
        } catch {
            guard case .refused(let problem) = error else { return nil }
            return problem
        }
    }

    private func site(_ name: String, _ client: ControlClient) throws -> SiteRecord {
        try client.fetch(.site(name))
    }

    @Test("info says who runs, where it listens, and what it has served")
    func info() throws {
        try withDaemon { daemon, client in
            #expect(try daemon.request("/").status == 200)
            // A request is counted at its end stage, after its last octet went out: the client may be the first to know.
            let info = try Deadline().look("the request is counted") {
                let info = try client.fetch(.info, as: DaemonInfo.self)
                return info.requests.served > 0 ? info : nil
            }
            #expect(info.version == BerthRelease.version)
            #expect(info.pid == daemon.process.pid)
            #expect(info.generation >= 1)
            #expect(info.endpoints.allSatisfy { $0.address.hasSuffix(":\(daemon.port)") && $0.failure == nil })
            #expect(info.requests.served == 1)
            #expect(info.connections.accepted == 1)
            #expect(info.diagnostics == [])
            #expect(!info.isStopping)
        }
    }

    @Test("every list answers in its envelope, with the generation it was read under")
    func lists() throws {
        try withDaemon { _, client in
            let sites = try client.fetch(.sites, as: ResourceList<SiteRecord>.self)
            #expect(sites.items.map(\.name) == ["one", "two"])
            #expect(sites.items.map(\.condition) == [.ok, .ok])
            #expect(sites.items.map(\.state) == [.started, .started])
            #expect(try client.fetch(.applications, as: ResourceList<ApplicationRecord>.self).items.count == 3)
            let pools = try client.fetch(.pools, as: ResourceList<PoolRecord>.self).items
            #expect(pools.map(\.name) == ["two/worker"])
            #expect(pools.map(\.requestsQueuedMax) == [1000])
            #expect(try client.fetch(.workers, as: ResourceList<WorkerRecord>.self).items == [])
            let bindings = try client.fetch(.bindings, as: ResourceList<BindingRecord>.self).items
            #expect(bindings.map(\.tier) == [.explicit, .explicit])
            #expect(bindings.map(\.isServing) == [true, true])
            let modules = try client.fetch(.modules, as: ResourceList<ModuleRecord>.self).items
            #expect(modules.map(\.name).sorted() == ["anonymous-authentication", "request-filtering"])
            #expect(modules.allSatisfy { $0.usedBy == ["one", "two"] && !$0.stages.isEmpty })
            let events = try client.fetch(.events(follow: false, after: nil), as: ResourceList<EventRecord>.self)
            #expect(events.items.first?.kind == "daemon-started")
            #expect(events.generation == sites.generation)
        }
    }

    @Test("a worker that a request started is listed, counts for its pool, and is replaced when asked")
    func workers() throws {
        try withDaemon { daemon, client in
            #expect(try daemon.request("/worker/", host: "other").status == 200)
            let worker = try #require(try client.fetch(.workers, as: ResourceList<WorkerRecord>.self).items.first)
            #expect(worker.pool == "two/worker")
            #expect(worker.applications == ["two/worker"])
            #expect(worker.pid.map { daemon.workers.contains($0) } == true)
            #expect(try client.fetch(.pool("two/worker"), as: PoolRecord.self).workers == [worker.pid])
            let recycled = try client.fetch(.recyclePool("two/worker"), as: ActionResult.self)
            #expect(recycled.state == .started)
            _ = try Deadline().look("another worker") {
                let workers = try client.fetch(.workers, as: ResourceList<WorkerRecord>.self).items
                return workers.map(\.pid) != [worker.pid] && workers.count == 1 ? true : nil
            }
            #expect(try client.fetch(.pool("two/worker"), as: PoolRecord.self).recycles == 1)
        }
    }

    @Test("a broken file makes its site stale, a new broken one is rejected, and others do not notice")
    func brokenFiles() throws {
        try withDaemon { daemon, client in
            try daemon.write(site: "one", "schema = 1\n[site]\nbinding = 1\n")
            try daemon.write(site: "three", "[")
            let result = try client.fetch(.reload(wait: true), as: ReloadResult.self)
            #expect(result.isComplete)
            #expect(result.stale == ["one"])
            #expect(result.rejected == ["three"])
            #expect((result.added, result.changed, result.removed) == ([], [], []))
            #expect(
                result.diagnostics.contains { $0.severity == .error && $0.place?.hasSuffix("one.toml:3:1") == true })
            #expect(try daemon.request("/").text == "hello")
            #expect(try daemon.request("/", host: "other").text == "hello")
            let one = try site("one", client)
            #expect((one.condition, one.state) == (.stale, .started))
            #expect(one.generation.map { $0 < result.generation } == true)
            #expect(one.diagnostics.contains { $0.severity == .error })
            let three = try site("three", client)
            #expect((three.condition, three.state) == (.rejected, .stopped))
            #expect(problem(client, .startSite("three"))?.kind == .stateConflict)

            try daemon.write(site: "one", Self.site)
            try daemon.folder.remove("sites.d/three.toml")
            try daemon.folder.remove("sites.d/two.toml")
            let mended = try client.fetch(.reload(wait: true), as: ReloadResult.self)
            #expect((mended.stale, mended.rejected, mended.removed) == ([], [], ["two"]))
            #expect(try site("one", client).condition == .ok)
            // The answer came when every loop had it.
            #expect(try daemon.request("/", host: "other").status == 400)
        }
    }

    @Test("a site that is stopped answers 503, over a restart too, until it is started")
    func stoppedSite() throws {
        try withDaemon { daemon, client in
            let stopped = try client.fetch(.stopSite("one"), as: ActionResult.self)
            #expect((stopped.previousState, stopped.state) == (.started, .stopped))
            #expect(stopped.event != nil)
            #expect(try daemon.request("/").status == 503)
            try daemon.waitForErrorLog("503 N/A") { $0.contains(" 503 1 N/A ") }
            #expect(try daemon.request("/", host: "other").status == 200)
            #expect(try client.fetch(.stopSite("one"), as: ActionResult.self).previousState == .stopped)
            #expect(try daemon.stop() == .status(0))

            try daemon.folder.remove("notify")
            let again = try Daemon(sites: [:], folder: daemon.folder, port: daemon.port)
            try again.waitUntilReady()
            #expect(try again.request("/").status == 503)
            #expect(try client.fetch(.startSite("one"), as: ActionResult.self).state == .started)
            #expect(try again.request("/").status == 200)
            #expect(try again.stop() == .status(0))
        }
    }

    @Test("a pool that is stopped answers 503 and says so, until it is started")
    func stoppedPool() throws {
        try withDaemon { daemon, client in
            #expect(try client.fetch(.stopPool("two/worker"), as: ActionResult.self).previousState == .started)
            #expect(try daemon.request("/worker/", host: "other").status == 503)
            let pool = try client.fetch(.pool("two/worker"), as: PoolRecord.self)
            #expect((pool.state, pool.stopCause) == (.stopped, .administrator))
            #expect(problem(client, .recyclePool("two/worker"))?.kind == .stateConflict)
            #expect(try daemon.request("/", host: "other").status == 200)
            #expect(try client.fetch(.startPool("two/worker"), as: ActionResult.self).state == .started)
            #expect(try daemon.request("/worker/", host: "other").status == 200)
        }
    }

    @Test("sites keep their numbers when others come before them")
    func numbers() throws {
        try withDaemon { daemon, client in
            let number = try site("two", client).id
            try daemon.write(
                site: "a",
                "schema = 1\n[site]\nbindings = [\"http://a:$PORT/\"]\n[[application]]\nhosting = \"static\"\nroot = \"/\"\n"
            )
            #expect(try client.fetch(.reload(wait: true), as: ReloadResult.self).added == ["a"])
            #expect(try site("two", client).id == number)
        }
    }

    @Test("what is reserved and what a broken file keeps for its site is listed until a site has it")
    func reservedBindings() throws {
        try withDaemon { daemon, client in
            func reserved() throws -> [String: [String]] {
                let all = try client.fetch(.bindings, as: ResourceList<BindingRecord>.self).items
                return Dictionary(
                    uniqueKeysWithValues: all.compactMap { record in record.reservedFor.map { (record.prefix, $0) } })
            }
            #expect(try reserved() == [:])
            let port = daemon.port
            try daemon.write(
                settings: """
                    [[reservation]]
                    url = "http://kept:$PORT/"
                    sites = ["kept"]
                    [[reservation]]
                    url = "http://localhost:$PORT/"
                    sites = ["one"]
                    """)
            let kept =
                "schema = 1\n[site]\nbindings = [\"http://kept:$PORT/\"]\n[[application]]\nhosting = \"static\"\nroot = \"/\"\n"
            try daemon.write(site: "three", kept.replacing("kept", with: "three") + "nonsense = 1\n")
            _ = try client.fetch(.reload(wait: true), as: ReloadResult.self)
            #expect(try reserved() == ["http://kept:\(port)/": ["kept"], "http://three:\(port)/": ["three"]])
            #expect(try daemon.request("/", host: "kept").status == 503)
            #expect(try daemon.request("/", host: "localhost").status == 200)
            try daemon.write(site: "kept", kept)
            _ = try client.fetch(.reload(wait: true), as: ReloadResult.self)
            #expect(try reserved() == ["http://three:\(port)/": ["three"]])
        }
    }

    @Test("events are followed as they happen, and go on after a number")
    func followedEvents() throws {
        try withDaemon { _, client in
            var parser = ServerSentEventParser()
            var kinds: [String] = []
            var hasAsked = false
            try client.follow(.events(follow: true, after: nil)) { (octets) throws(ControlFailure) in
                kinds += ((try? parser.read(octets)) ?? []).map { $0.event ?? "" }
                if !hasAsked, kinds == ["daemon-started"] {
                    hasAsked = true
                    _ = try client.exchange(.stopSite("one"))
                }
                return kinds.count < 2
            }
            #expect(kinds == ["daemon-started", "site-stopped"])
            let later = try client.fetch(.events(follow: false, after: 1), as: ResourceList<EventRecord>.self)
            #expect(later.items.map(\.number) == [2])
        }
    }

    @Test("what a worker writes is in the log of its site")
    func logs() throws {
        try withDaemon { daemon, client in
            let silent = try client.exchange(.logs(site: "one", follow: false, lines: 10))
            #expect(silent == [])
            #expect(problem(client, .logs(site: "none", follow: false, lines: 10))?.kind == .siteNotFound)
            try daemon.write(
                site: "one",
                Self.site
                    + """

                    [[application]]
                    path = "/says"
                    hosting = "out-of-process"
                    root = "$FOLDER/www"
                    command = ["/bin/sh", "-c", "echo first; echo second; echo third >&2; exit 3"]
                    """)
            _ = try client.exchange(.reload(wait: true))
            #expect(try daemon.request("/says/").status == 502)
            let all = try client.exchange(.logs(site: "one", follow: false, lines: 100))
            let records = String(decoding: all, as: UTF8.self).split(separator: "\n").map {
                LogRecord(line: String($0))
            }
            let said = records.map { "\($0?.stream.rawValue ?? "?") \($0?.text ?? "?")" }
            #expect(said.contains("out first") && said.contains("out second") && said.contains("err third"))
            let last = try client.exchange(.logs(site: "one", follow: false, lines: 1))
            #expect(all.suffix(last.count) == last[...] && last.count { $0 == UInt8(ascii: "\n") } == 1)
            let applications = try client.fetch(.applications, as: ResourceList<ApplicationRecord>.self).items
            let failing = try #require(applications.first { $0.path == "/says" })
            #expect((failing.availability, failing.failure?.status) == (.failing, "502.5"))
        }
    }

    @Test("metrics are lines of a name, labels and a number")
    func metrics() throws {
        try withDaemon { daemon, client in
            _ = try daemon.request("/")
            // A request is counted at its end stage, after its last octet went out: the client may be the first to know.
            let text = try Deadline().look("the request is counted") {
                let text = String(decoding: try client.exchange(.metrics), as: UTF8.self)
                return text.contains("berth_site_requests_total{site=\"one\"} 1\n") ? text : nil
            }
            for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                #expect(line.wholeMatch(of: /[a-z_]+(\{[a-z]+="[^"]*"\})? [0-9]+/) != nil, "\(line)")
            }
            #expect(text.contains("berth_site_started{site=\"two\"} 1\n"))
        }
    }

    @Test("check reads what is sent and nothing beside it, and takes nothing into use")
    func check() throws {
        try withDaemon { daemon, client in
            let own = try client.fetch(.check, as: CheckResult.self)
            #expect((own.isValid, own.sitesChecked) == (true, 2))
            let request = CheckRequest(files: [.init(path: "some/shop.toml", content: "schema = 1\n[site]\nx = 1\n")])
            let sent = try client.fetch(.check, as: CheckResult.self, content: try ControlJSON.encode(request))
            #expect((sent.isValid, sent.filesChecked, sent.sitesChecked) == (false, 1, 1))
            #expect(sent.diagnostics.contains { $0.place == "some/shop.toml:3:1" })
            try daemon.write(site: "one", "[")
            #expect(try client.fetch(.check, as: CheckResult.self).isValid == false)
            #expect(try site("one", client).condition == .ok)
        }
    }

    @Test("what cannot be answered is a problem document with its status")
    func problems() throws {
        try withDaemon { daemon, client in
            #expect(problem(client, .site("none"))?.kind == .siteNotFound)
            #expect(problem(client, .stopSite("none"))?.kind == .siteNotFound)
            #expect(problem(client, .pool("none"))?.kind == .poolNotFound)
            #expect(problem(client, .recyclePool("none"))?.kind == .poolNotFound)
            #expect(problem(client, .check, content: Array("{".utf8))?.kind == .badRequest)
            let noSiteFile = try ControlJSON.encode(CheckRequest(files: [.init(path: "x", content: "")]))
            #expect(problem(client, .check, content: noSiteFile)?.kind == .badRequest)
            let fits = [UInt8](repeating: UInt8(ascii: " "), count: ControlRoute.contentSizeMax)
            #expect(problem(client, .check, content: fits)?.kind == .badRequest)
            #expect(problem(client, .check, content: fits + [32])?.kind == .contentTooLarge)
            #expect(try daemon.request("/").status == 200)
        }
    }

    @Test("the socket is for its owner and group, and gone with the daemon")
    func socket() throws {
        try withDaemon { daemon, _ in
            let path = daemon.folder.path + "/control.sock"
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o660)
            try daemon.stop()
            #expect(stat(path, &status) != 0)
        }
    }

    @Test("a second daemon on the same socket ends with status 1, and the first one serves on")
    func secondDaemon() throws {
        try withDaemon { daemon, client in
            let second = try ChildProcess([
                Build.path("berthd"), "--config", daemon.folder.path, "--state", daemon.folder.path + "/other",
            ])
            #expect(try second.wait() == .status(1))
            try second.output.wait(containing: "another berthd answers there")
            #expect(try client.fetch(.info, as: DaemonInfo.self).pid == daemon.process.pid)
        }
    }

    @Test("berthctl shows what the daemon says")
    func berthctl() throws {
        try withDaemon { daemon, _ in
            func run(_ words: String...) throws -> (ChildProcess.End, String) {
                let process = try ChildProcess(
                    [Build.path("berthctl")] + words + ["--socket", daemon.folder.path + "/control.sock"])
                let end = try process.wait()
                try process.output.waitForEnd()
                return (end, process.output.text)
            }
            let status = try run("status")
            #expect(status.0 == .status(0))
            #expect(status.1.contains("pid \(daemon.process.pid)"))
            #expect(try run("sites").1.contains("one"))
            #expect(try run("stop", "one").0 == .status(0))
            #expect(try run("stop", "nowhere").0 == .status(5))
            try daemon.write(site: "one", "[")
            #expect(try run("reload", "--wait").0 == .status(6))
        }
    }
}
