import BerthControl
import BerthEventLoop
import BerthPipeline
import Glibc
import TestSupport
import Testing

@testable import BerthServer

@Suite("The requests that are running, as the control socket lists them")
struct RequestListTests {
    private static let sites = [
        "one": """
        [site]
        bindings = ["http://one:$PORT/"]
        [[application]]
        hosting = "out-of-process"
        root = "$FOLDER"
        command = ["$BIN/EchoWorker"]
        [[application]]
        path = "/asleep"
        hosting = "out-of-process"
        root = "$FOLDER"
        command = ["$BIN/EchoWorker", "--never-listen"]
        shutdown_time_limit = "0s"
        """,
        "two": """
        [site]
        bindings = ["http://two:$PORT/"]
        [[application]]
        hosting = "static"
        root = "$FOLDER/www"
        [[application]]
        path = "/module"
        hosting = "in-process"
        isolation = "none"
        module = "$FOLDER/module.so"
        """,
    ]

    private func withDaemon(_ body: (Daemon, ControlClient) throws -> Void) throws {
        let folder = try TestSupport.TemporaryFolder()
        try folder.write("module.so", try #require(Files.octets(Build.path("libFixtureModule.so"))), mode: 0o755)
        let daemon = try Daemon(
            sites: Self.sites, settings: "loops = 2\n[timeouts]\nshutdown_drain = \"1s\"",
            files: ["www/f.txt": "hello"], folder: folder)
        try daemon.waitUntilReady()
        do {
            try body(daemon, ControlClient(socketPath: daemon.folder.path + "/control.sock"))
        } catch { throw Failure("\(error)\nthe daemon said:\n\(daemon.process.output.text)") }
        #expect(try daemon.stop() == .status(0))
    }

    private func list(_ client: ControlClient, _ filter: RequestFilter = RequestFilter()) throws -> [RequestRecord] {
        try client.fetch(.requests(filter), as: ResourceList<RequestRecord>.self).items
    }

    private func ask(_ daemon: Daemon, _ host: String, _ target: String, buffer: Int32? = nil) throws -> Client {
        let client = try daemon.connect(receiveBuffer: buffer)
        try client.send("GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
        return client
    }

    @Test("each is where it is: with a worker, in the queue, with a module, on its way to a client that does not read")
    func places() throws {
        try withDaemon { daemon, client in
            #expect(try list(client) == [])
            try daemon.folder.writeSparse("www/huge.txt", size: 1 << 30)
            let clients = [
                try ask(daemon, "one", "/slow?ms=600000"), try ask(daemon, "one", "/asleep/x"),
                try ask(daemon, "two", "/huge.txt", buffer: 8192), try ask(daemon, "two", "/module/never"),
            ]
            func found(_ url: String, _ stage: String) throws -> RequestRecord {
                try Deadline().look("\(url) in the stage \(stage)") {
                    try list(client).first { $0.url == url && $0.stage == stage }
                }
            }
            let worker = try found("/slow?ms=600000", "executeRequestHandler")
            #expect((worker.method, worker.host, worker.site, worker.pool) == ("GET", "one", "one", "one"))
            #expect((worker.module, worker.clientAddress, worker.siteID) == ("out-of-process", "127.0.0.1", 1))
            #expect((worker.localAddress, worker.localPort) == ("127.0.0.1", UInt16(daemon.port)))
            #expect(worker.stageMilliseconds <= worker.elapsedMilliseconds)
            #expect(try found("/asleep/x", "queued").pool == "one/asleep")
            #expect(try found("/huge.txt", "sendResponse").site == "two")
            #expect(try found("/module/never", "executeRequestHandler").module == "module.so")
            let all = try list(client)
            #expect(all.count == 4)
            #expect(all.map(\.elapsedMilliseconds) == all.map(\.elapsedMilliseconds).sorted(by: >))
            #expect(Set(all.map(\.id)).count == 4 && Set(all.map(\.connection)).count == 4)

            #expect(try Set(list(client, RequestFilter(site: "two")).map(\.url)) == ["/huge.txt", "/module/never"])
            #expect(try list(client, RequestFilter(pool: "one/asleep")).map(\.url) == ["/asleep/x"])
            #expect(try list(client, RequestFilter(elapsedMillisecondsMin: 3_600_000)) == [])
            #expect(try list(client, RequestFilter(elapsedMillisecondsMin: 0)).count == 4)

            let process = try ChildProcess([
                Build.path("berthctl"), "requests", "--socket", daemon.folder.path + "/control.sock",
            ])
            #expect(try process.wait() == .status(0))
            try process.output.wait(containing: "one/slow?ms=600000")
            for client in clients { client.reset() }
        }
    }

    @Test("a site that is stopped is stopping while it has requests, then stopped")
    func stopping() throws {
        try withDaemon { daemon, client in
            let running = try ask(daemon, "two", "/module/never")
            _ = try Deadline().look("the request") { try list(client).first }
            #expect(try client.fetch(.stopSite("one"), as: ActionResult.self).state == .stopped)
            #expect(try client.fetch(.stopSite("two"), as: ActionResult.self).state == .stopping)
            #expect(try client.fetch(.site("two"), as: SiteRecord.self).state == .stopping)
            #expect(try daemon.request("/f.txt", host: "two").status == 503)
            running.reset()
            _ = try Deadline().look("the end of the site") {
                try client.fetch(.site("two"), as: SiteRecord.self).state == .stopped ? true : nil
            }
            #expect(try client.fetch(.startSite("two"), as: ActionResult.self).state == .started)
            #expect(try client.fetch(.site("two"), as: SiteRecord.self).state == .started)
        }
    }

    @Test("a module whose file was replaced is outdated, and goes on serving")
    func outdated() throws {
        try withDaemon { daemon, client in
            func isOutdated() throws -> Bool? {
                try client.fetch(.modules, as: ResourceList<ModuleRecord>.self).items
                    .first { $0.name == "module.so" }?.isOutdated
            }
            #expect(try daemon.request("/module/plain", host: "two").status == 200)
            #expect(try isOutdated() == false)
            let octets = try #require(Files.octets(Build.path("libFixtureModule.so")))
            try daemon.folder.write("module.so", octets, mode: 0o755)
            #expect(try isOutdated() == true)
            _ = try client.fetch(.reload(wait: true), as: ReloadResult.self)
            #expect(try isOutdated() == true, "a reload does not load it again")
            #expect(try daemon.request("/module/plain", host: "two").status == 200)
        }
    }

    // MARK: Without a daemon

    private func request(_ id: UInt64, elapsed: UInt64) -> RunningRequest {
        RunningRequest(
            id: id, connection: id, method: "GET", url: "/", host: "h", site: "s", siteID: 1, pool: "s",
            localAddress: "::1", localPort: 80, clientAddress: "::1", elapsedMilliseconds: elapsed, place: .queued,
            placeMilliseconds: elapsed, module: nil)
    }

    @Test("the oldest of all loops are shown, as many as one answer holds", arguments: [-1, 0, 1])
    func bound(_ more: Int) {
        let now = MonotonicInstant(nanoseconds: 1)
        let collection = RequestCollection(loops: 2, at: now)
        let count = RequestCollection.requestsMax + more
        collection.take(
            RequestListing(
                number: 1, requests: (0..<count - 1).map { request(UInt64($0), elapsed: UInt64($0)) },
                isTruncated: false)
        )
        #expect(!collection.isComplete(at: now))
        collection.take(RequestListing(number: 1, requests: [request(7, elapsed: 1 << 40)], isTruncated: false))
        #expect(collection.isComplete(at: now))
        let (records, isTruncated) = collection.records(RequestFilter())
        #expect(records.count == min(count, RequestCollection.requestsMax))
        #expect(records.first?.elapsedMilliseconds == 1 << 40)
        #expect(isTruncated == (more > 0))
    }

    @Test("a loop that does not answer in time is left out, and the answer says so")
    func late() {
        let now = MonotonicInstant(nanoseconds: 1)
        let collection = RequestCollection(loops: 2, at: now)
        collection.take(RequestListing(number: 1, requests: [request(7, elapsed: 5)], isTruncated: false))
        let last = now.adding(seconds: RequestCollection.secondsMax)
        #expect(!collection.isComplete(at: MonotonicInstant(nanoseconds: last.nanoseconds - 1)))
        #expect(collection.isComplete(at: last))
        let (records, isTruncated) = collection.records(RequestFilter())
        #expect(records.count == 1 && isTruncated)
    }
}
