import BerthControl
import Testing
import berthctl

@Suite("why a site answers, or does not")
struct ExplanationTests {
    private var site = SiteRecord(
        name: "shop", id: 1, state: .started, condition: .ok, file: "/etc/berth/sites.d/shop.toml",
        bindings: ["http://*:80/"],
        applications: [ApplicationRecord(site: "shop", path: "/", hosting: .outOfProcess, pool: "shop")])
    private var pool = PoolRecord(
        name: "shop", state: .started, applications: ["shop/"], workers: [7], requestsQueuedMax: 1000)
    private var binding = BindingRecord(
        prefix: "http://*:80/", tier: .weakWildcard, site: "shop", application: "/", endpoint: "0.0.0.0:80",
        isServing: true)
    private var endpoint = EndpointRecord(address: "0.0.0.0:80", origin: .berth)
    private var events: [EventRecord] = []

    private var explanation: Explanation {
        let info = DaemonInfo(
            version: "1", pid: 1, startedAt: Timestamp(millisecondsSinceEpoch: 0), uptimeSeconds: 1, loops: 1,
            generation: 1, endpoints: [endpoint], connections: .init(open: 0, accepted: 0),
            requests: .init(running: 0, queued: 0, served: 0, refused: 0))
        return Explanation(site: site, info: info, bindings: [binding], pools: [pool], events: events)
    }

    private func says(_ text: String) -> Bool {
        explanation.findings.contains { $0.message.contains(text) || $0.hint?.contains(text) ?? false }
    }

    @Test("a healthy site answers, and everything on the way is well")
    func healthy() {
        #expect(explanation.verdict == .answers)
        #expect(explanation.findings.allSatisfy { $0.level == .well })
        #expect(says("http://*:80/"))
    }

    @Test("a site whose worker is not started yet answers")
    mutating func onDemand() {
        pool.workers = []
        #expect(explanation.verdict == .answers)
        #expect(says("the next request starts one"))
    }

    @Test("a rejected site does not answer, and its diagnostics are shown")
    mutating func rejected() {
        (site.condition, site.state, binding.isServing) = (.rejected, .stopped, false)
        site.diagnostics = [DiagnosticRecord(severity: .error, message: "bad")]
        #expect(explanation.verdict == .doesNotAnswer)
        #expect(explanation.diagnostics == site.diagnostics)
        // To start it would not help, and is not what is said.
        #expect(!says("berthctl start"))
    }

    @Test("a stale site answers with its last good configuration")
    mutating func stale() {
        (site.condition, site.generation) = (.stale, 3)
        #expect(explanation.verdict == .answersInPart)
        #expect(says("generation 3"))
    }

    @Test("a stopped site does not answer until somebody starts it")
    mutating func stopped() {
        (site.state, binding.isServing) = (.stopped, false)
        #expect(explanation.verdict == .doesNotAnswer)
        #expect(says("berthctl start --site shop"))
        #expect(!says("is not served"))
    }

    @Test("a site whose only endpoint could not be opened does not answer, and the reason is named")
    mutating func endpointFailed() {
        (binding.isServing, endpoint.failure) = (false, "address already in use")
        #expect(explanation.verdict == .doesNotAnswer)
        #expect(says("http://*:80/ is not served: address already in use"))
    }

    @Test("a site without bindings does not answer")
    mutating func noBinding() {
        site.bindings = []
        #expect(explanation.verdict == .doesNotAnswer)
    }

    @Test("a pool stopped by rapid-fail protection ends its applications, and the way back is named")
    mutating func rapidFail() {
        (pool.state, pool.stopCause) = (.stopped, .rapidFail)
        pool.rapidFail = .init(crashes: 5, crashesMax: 5, windowSeconds: 300)
        #expect(explanation.verdict == .doesNotAnswer)
        #expect(says("after 5 crashes") && says("berthctl start --pool shop"))
    }

    @Test("one of two applications failing leaves the site answering in part")
    mutating func inPart() {
        site.applications.append(
            ApplicationRecord(
                site: "shop", path: "/api", hosting: .inProcess, pool: "api", availability: .failing,
                failure: FailureRecord(status: "500.32", message: "no such file", hint: "install it")))
        #expect(explanation.verdict == .answersInPart)
        #expect(says("shop/api fails with 500.32: no such file") && says("install it"))
    }

    @Test("app_offline.htm, a full queue and recent crashes are told")
    mutating func others() {
        pool.requestsQueued = 999
        #expect(explanation.verdict == .answers)
        pool.requestsQueued = 1000
        #expect(explanation.verdict == .answersInPart && says("full"))
        pool.requestsQueued = 0
        pool.rapidFail = .init(crashes: 1, crashesMax: 5, windowSeconds: 300)
        #expect(explanation.verdict == .answersInPart && says("1 crash lately"))
        site.applications[0].availability = .offline
        #expect(explanation.verdict == .doesNotAnswer && says("app_offline.htm"))
    }

    @Test("the latest events of the site and its pools are shown, and of nobody else")
    mutating func latestEvents() {
        for number in 1...20 {
            let isOurs = number % 2 == 0
            events.append(
                EventRecord(
                    number: UInt64(number), time: Timestamp(millisecondsSinceEpoch: 0), kind: .workerStarted,
                    site: isOurs ? nil : "other", pool: isOurs ? "shop" : "other", message: "m"))
        }
        #expect(explanation.events.map(\.number) == [10, 12, 14, 16, 18, 20])
        #expect(explanation.events.count == Explanation.eventsMax)
    }
}
