import BerthControl
import Testing

/// A value goes through JSON and comes back the same.
private func roundTrip<Value: Codable & Equatable>(_ value: Value) throws -> Bool {
    try ControlJSON.decode(Value.self, from: ControlJSON.encode(value)) == value
}

@Suite("messages of the control socket")
struct MessageTests {
    private let time = Timestamp(millisecondsSinceEpoch: 1_795_253_400_125)

    @Test("every resource survives the way through JSON")
    func resources() throws {
        let failure = FailureRecord(status: "502.5", message: "it ended", hint: "see its log", time: time)
        let diagnostic = DiagnosticRecord(
            severity: .error, file: "/etc/berth/sites.d/shop.toml", line: 3, column: 1, message: "unknown key",
            hint: "write bindings", sourceLine: "binding = []")
        let application = ApplicationRecord(
            site: "shop", path: "/api", hosting: .inProcess, pool: "api", isolation: "none", root: "/srv/shop",
            target: "/usr/lib/libShop.so", availability: .failing, failure: failure)
        #expect(
            try roundTrip(
                SiteRecord(
                    name: "shop", id: 1, state: .started, condition: .stale, file: "/etc/berth/sites.d/shop.toml",
                    generation: 3, bindings: ["http://shop.example:80/"], applications: [application],
                    diagnostics: [diagnostic], requestsServed: .max, requestsFailed: 1, requestsRunning: 2)))
        #expect(
            try roundTrip(
                PoolRecord(
                    name: "shop/api", state: .stopped, stopCause: .rapidFail, applications: ["shop/api"],
                    workers: [17], requestsQueued: 1, requestsQueuedMax: 1000,
                    rapidFail: .init(crashes: 5, crashesMax: 5, windowSeconds: 300), crashes: 5, failure: failure)))
        #expect(
            try roundTrip(
                WorkerRecord(
                    pid: 17, pool: "shop", applications: ["shop/"], state: .running, startedAt: time,
                    endpoint: "127.0.0.1:4000", command: ["./Shop", "--x"], user: "shop", requestsServed: 9)))
        #expect(
            try roundTrip(
                BindingRecord(
                    prefix: "http://*:8080/", tier: .weakWildcard, site: "shop", application: "/", isServing: true)))
        #expect(
            try roundTrip(
                ModuleRecord(
                    name: "basic-authentication", kind: .native, stages: ["authenticateRequest"], usedBy: ["shop"])))
        #expect(
            try roundTrip(
                RequestRecord(
                    id: 1, connection: 2, method: "GET", url: "/a?b=\"c\"", host: "shop.example", site: "shop",
                    localAddress: "::1", localPort: 80, clientAddress: "::1", elapsedMilliseconds: 5,
                    stage: "executeRequestHandler", stageMilliseconds: 4)))
        #expect(
            try roundTrip(
                EventRecord(
                    number: 4, time: time, severity: .error, kind: .workerCrashed, site: "shop", pool: "shop", pid: 17,
                    message: "it ended", cause: 3)))
        #expect(
            try roundTrip(
                DaemonInfo(
                    version: "1", pid: 1, startedAt: time, uptimeSeconds: 1, loops: 2, generation: 1,
                    endpoints: [EndpointRecord(address: "0.0.0.0:80", origin: .systemd, descriptorName: "http")],
                    connections: .init(open: 1, accepted: 2),
                    requests: .init(running: 1, queued: 0, served: 3, refused: 1))))
        #expect(try roundTrip(CheckRequest(files: [.init(path: "a.toml", content: "schema = 1\n")])))
        #expect(try roundTrip(CheckResult(filesChecked: 1, sitesChecked: 1, diagnostics: [diagnostic])))
        #expect(try roundTrip(ReloadResult(isComplete: true, generation: 2, added: ["shop"])))
        #expect(try roundTrip(ActionResult(subject: .pool, name: "api", previousState: .started, state: .stopping)))
        #expect(try roundTrip(LogRecord(time: time, pid: 1, stream: .err, text: "x")))
    }

    @Test("keys are sorted, slashes stand for themselves, and what is absent is left out")
    func form() throws {
        let text = String(
            decoding: try ControlJSON.encode(FailureRecord(message: "see /var/log")), as: UTF8.self)
        #expect(text == #"{"message":"see /var/log"}"#)
    }

    @Test("a state that a newer daemon invented decodes as unknown, and so does a member it added")
    func newerDaemon() throws {
        #expect(
            try ControlJSON.decode([RunState].self, from: Array(#"["started","hibernating"]"#.utf8)) == [
                .started, .unknown,
            ])
        let json = #"{"message":"m","severity":"fatal","colour":"red"}"#
        let diagnostic = try ControlJSON.decode(DiagnosticRecord.self, from: Array(json.utf8))
        #expect(diagnostic == DiagnosticRecord(severity: .unknown, message: "m"))
    }

    @Test("a check is valid as long as nothing worse than a warning was found")
    func validity() {
        let warning = DiagnosticRecord(severity: .warning, message: "w")
        let error = DiagnosticRecord(severity: .error, message: "e")
        #expect(CheckResult(filesChecked: 1, sitesChecked: 1, diagnostics: [warning]).isValid)
        #expect(!CheckResult(filesChecked: 1, sitesChecked: 1, diagnostics: [warning, error]).isValid)
    }

    @Test("the place of a diagnostic is written as far as it is known")
    func place() {
        var diagnostic = DiagnosticRecord(severity: .error, file: "a.toml", line: 3, column: 9, message: "m")
        #expect(diagnostic.place == "a.toml:3:9")
        diagnostic.column = nil
        #expect(diagnostic.place == "a.toml:3")
        diagnostic.line = nil
        #expect(diagnostic.place == "a.toml")
        diagnostic.file = nil
        #expect(diagnostic.place == nil)
    }

    @Test("every kind of problem has a type of its own, an error status, and is recognised again")
    func problems() throws {
        #expect(Set(ProblemDocument.Kind.allCases.map(\.type)).count == ProblemDocument.Kind.allCases.count)
        for kind in ProblemDocument.Kind.allCases {
            let problem = ProblemDocument(kind, detail: "d", nextStep: "n", file: "f", line: 1, column: 2)
            #expect((400...599).contains(problem.status))
            #expect(try roundTrip(problem))
            #expect(problem.kind == kind)
        }
        let json = #"{"type":"urn:berth:problem:from-the-future","title":"t","status":418,"detail":"d"}"#
        #expect(try ControlJSON.decode(ProblemDocument.self, from: Array(json.utf8)).kind == nil)
    }

    @Test("every event has a name of its own")
    func events() {
        #expect(Set(EventRecord.Kind.allCases.map(\.rawValue)).count == EventRecord.Kind.allCases.count)
    }
}
