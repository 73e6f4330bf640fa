import BerthControl
import Testing
import berthctl

@Suite("berthctl as a whole")
struct BerthCtlTests {
    private static let time = Timestamp(millisecondsSinceEpoch: 1_795_253_400_125)

    private static func json(_ value: some Encodable) -> ScriptedServer.Reply {
        .response("200 OK", (try? ControlJSON.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "")
    }

    private static func problem(_ kind: ProblemDocument.Kind, _ detail: String, next: String? = nil)
        -> ScriptedServer.Reply
    {
        let document = ProblemDocument(kind, detail: detail, nextStep: next)
        let content = (try? ControlJSON.encode(document)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return .response("\(kind.status) X", type: ControlJSON.problemMediaType, content)
    }

    private static let shop = SiteRecord(
        name: "shop", id: 1, state: .started, condition: .ok, bindings: ["http://*:80/"],
        applications: [ApplicationRecord(site: "shop", path: "/", hosting: .outOfProcess, pool: "shop-pool")])

    /// A daemon with one site, `shop`, and one pool, `shop-pool`.
    private static func daemon(_ request: String) -> ScriptedServer.Reply {
        let words = request.split(separator: " ")
        guard words.count > 2, let route = try? ControlRoute(method: String(words[0]), target: String(words[1])) else {
            return problem(.resourceNotFound, "no such resource")
        }
        switch route {
        case .sites: return json(ResourceList(generation: 1, items: [shop]))
        case .site("shop"): return json(shop)
        case .pools:
            let pool = PoolRecord(
                name: "shop-pool", state: .started, applications: ["shop/"], requestsQueuedMax: 1000)
            return json(ResourceList(generation: 1, items: [pool]))
        case .workers: return json(ResourceList<WorkerRecord>(generation: 1, items: []))
        case .startSite("shop"):
            return json(ActionResult(subject: .site, name: "shop", previousState: .stopped, state: .started))
        case .stopSite("shop"): return problem(.notPermitted, "you may look, but not stop", next: "ask root")
        case .stopPool("shop-pool"):
            return json(ActionResult(subject: .pool, name: "shop-pool", previousState: .stopped, state: .stopped))
        case .recyclePool("shop-pool"): return problem(.stateConflict, "the pool is stopped")
        case .site(let name), .startSite(let name), .stopSite(let name),
            .logs(let name, _, _) where name != "shop":
            return problem(.siteNotFound, "there is no site named \(name)")
        case .pool(let name), .startPool(let name), .stopPool(let name), .recyclePool(let name):
            return problem(.poolNotFound, "there is no pool named \(name)")
        case .check:
            let error = DiagnosticRecord(severity: .error, file: "a.toml", line: 1, column: 1, message: "bad")
            return json(
                CheckResult(filesChecked: 1, sitesChecked: 1, diagnostics: request.contains("bad") ? [error] : []))
        case .reload(let wait):
            let error = DiagnosticRecord(severity: .error, message: "bad")
            return json(
                ReloadResult(isComplete: wait, generation: 2, stale: ["shop"], diagnostics: wait ? [error] : []))
        case .logs:
            return .init(
                "HTTP/1.1 200 OK\r\n\r\n" + LogRecord(time: time, pid: 7, stream: .err, text: "a\u{1B}[2Jb").line + "\n"
            )
        case .events(let follow, _):
            let event = EventRecord(
                number: 12, time: time, severity: .error, kind: .poolDisabled, pool: "p", message: "stopped", cause: 11)
            guard follow else { return json(ResourceList(generation: 1, items: [event])) }
            let octets = (try? ServerSentEvent(event).octets) ?? []
            return .init("HTTP/1.1 200 OK\r\n\r\n" + String(decoding: octets, as: UTF8.self))
        default: return problem(.internalError, "not in this script")
        }
    }

    private struct Outcome {
        var status: berthctl.ExitStatus
        var output: String
        var errors: String
    }

    private func run(_ words: String..., isInteractive: Bool = false) throws -> Outcome {
        let server = try ScriptedServer(reply: Self.daemon)
        let capture = CapturedTerminal()
        let status = BerthCtl.run(
            words, ProcessEnvironment(socketPath: server.path), capture.terminal(isInteractive: isInteractive))
        return Outcome(status: status, output: capture.output, errors: capture.errors)
    }

    @Test("a list is a table; with --json it is what the daemon said, octet by octet")
    func list() throws {
        let outcome = try run("sites")
        #expect(outcome.status == .ok)
        #expect(
            outcome.output.split(separator: "\n")[1].split(separator: " ") == [
                "shop", "1", "started", "ok", "0", "0", "0", "http://*:80/",
            ])
        let list = ResourceList(generation: 1, items: [Self.shop])
        #expect(try run("sites", "--json").output == String(decoding: ControlJSON.encode(list), as: UTF8.self) + "\n")
        #expect(try run("workers").output.hasPrefix("no worker is running"))
    }

    @Test("the exit status tells what kind of failure it was")
    func statuses() throws {
        #expect(try run("start", "shop").status == .ok)
        #expect(try run("recycle", "shop-pool").status == .failed)
        #expect(try run("frobnicate").status == .usage)
        #expect(try run("logs", "shop", "-n", "10001").status == .usage)
        #expect(try run("status", "--timeout", "5").status == .usage)
        #expect(try run("stop", "shop").status == .notPermitted)
        #expect(try run("why", "shpo").status == .notFound)
        #expect(try run("check", "/nonexistent.toml").status == .notFound)
        #expect(try run("check").status == .ok)
        #expect(try run("reload").status == .ok)
        #expect(try run("reload", "--wait").status == .configurationHasErrors)
        let capture = CapturedTerminal()
        let environment = ProcessEnvironment(socketPath: "/nonexistent/control.sock")
        #expect(BerthCtl.run(["status"], environment, capture.terminal()) == .notReachable)
        #expect(
            capture.errors
                == "berthctl: berthd does not answer on /nonexistent/control.sock: there is no such socket\n"
                + "  is it running? try: systemctl status berth (another socket: --socket PATH or BERTH_CONTROL_SOCKET)\n"
        )
    }

    @Test("--socket goes before the variable")
    func socketOption() throws {
        #expect(try run("sites", "--socket", "/nonexistent").status == .notReachable)
    }

    @Test("a refusal is shown with what to do next, on standard error, and nothing on standard output")
    func refusal() throws {
        let outcome = try run("stop", "shop")
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors == "berthctl: you may look, but not stop\n  ask root\n")
    }

    @Test("with --json a refusal is the daemon's problem document, and one of our own has the same shape")
    func jsonRefusal() throws {
        let refused = try ControlJSON.decode(
            ProblemDocument.self, from: Array(try run("stop", "shop", "--json").errors.utf8))
        #expect(refused.kind == .notPermitted)
        let own = try ControlJSON.decode(
            ProblemDocument.self, from: Array(try run("sites", "--json", "--socket", "/nonexistent").errors.utf8))
        #expect(own.type == "urn:berth:client:not-reachable" && own.title == "not reachable")
    }

    @Test("a name that is not there is answered with the nearest that is, of the kind that was looked for")
    func suggestions() throws {
        #expect(try run("why", "shpo").errors.contains("did you mean shop?"))
        #expect(try run("logs", "shopp").errors.contains("did you mean shop?"))
        #expect(try run("recycle", "shoppool").errors.contains("did you mean shop-pool?"))
        #expect(try run("recycle", "shop").errors.contains("shop is a site; its pools: shop-pool"))
        #expect(try run("start", "shop-pol").errors.contains("did you mean shop-pool?"))
        #expect(
            try run("start", "zzz").errors
                == "berthctl: there is no site and no pool named zzz\n  there are: shop, shop-pool\n")
    }

    @Test("start and stop look for a site first, then for a pool, unless they are told which")
    func siteOrPool() throws {
        #expect(try run("start", "shop").output == "site shop: stopped → started\n")
        #expect(try run("stop", "shop-pool").output == "pool shop-pool: was stopped already\n")
        #expect(try run("stop", "--pool", "shop-pool").status == .ok)
        #expect(try run("stop", "--site", "shop-pool").status == .notFound)
        #expect(try run("start", "--pool", "shop").status == .notFound)
    }

    @Test("log lines go to a pipe as they are, and to a terminal without what would steer it")
    func logs() throws {
        let line = "2026-11-21T09:30:00.125Z 7 err a\u{1B}[2Jb\n"
        #expect(try run("logs", "shop").output == line)
        #expect(try run("logs", "shop", isInteractive: true).output == "2026-11-21T09:30:00.125Z 7 a\u{FFFD}[2Jb\n")
        let record = try ControlJSON.decode(LogRecord.self, from: Array(try run("logs", "shop", "--json").output.utf8))
        #expect(record.text == "a\u{1B}[2Jb" && record.stream == .err)
    }

    @Test("events look the same whether they are listed or followed")
    func events() throws {
        let line = "2026-11-21T09:30:00.125Z #12 pool-disabled pool p: stopped (because of #11)\n"
        #expect(try run("events").output == line)
        #expect(try run("events", "-f").output == line)
        #expect(try run("events", "-f", "--json").output.hasPrefix(#"{"cause":11,"kind":"pool-disabled","#))
    }

    @Test("site files are checked without the daemon, and shown by the path that the caller gave")
    func checkFile() throws {
        let folder = try ScratchFolder()
        let good = try folder.write(
            "good.toml",
            "schema = 1\n[site]\nbindings = [\"http://*:8080/\"]\n[[application]]\npath = \"/\"\n"
                + "root = \"/srv/x\"\nhosting = \"static\"\n")
        let bad = try folder.write("bad.toml", "schema = 1\n[site]\nbinding = []\n")
        #expect(try run("check", good).output == "1 file with 1 site: no errors\n")
        let outcome = try run("check", good, bad, "--socket", "/nonexistent")
        #expect(outcome.status == .configurationHasErrors)
        #expect(outcome.output.contains("\(bad):3:1: error: "))
        #expect(outcome.output.contains("\n    binding = []\n    ^\n"))
        let result = try ControlJSON.decode(CheckResult.self, from: Array(try run("check", bad, "--json").output.utf8))
        #expect(!result.isValid && result.diagnostics.contains { $0.kind == "unknown-key" && $0.file == bad })
    }

    @Test("a folder is checked as a whole; what is neither a folder nor a site file is refused")
    func checkFolder() throws {
        let folder = try ScratchFolder()
        #expect(try run("check", folder.path).output.hasPrefix("there is nothing to check"))
        _ = try folder.write("berth.toml", "schema = 1\nnonsense = 1\n")
        let outcome = try run("check", folder.path)
        #expect(outcome.status == .configurationHasErrors && outcome.output.contains("berth.toml:2:1: error: "))
        let noText = try folder.write("text.toml", "\u{0}")
        #expect(try run("check", noText).status == .configurationHasErrors)
        #expect(try run("check", "/etc/passwd").status == .usage)
        #expect(try run("check", folder.path + "/.toml").status == .usage)
        #expect(try run("check", "/", "/").status == .usage)
        #expect(try run("check", "/nonexistent.toml").status == .notFound)
    }

    @Test("without files the daemon checks what it would read; where none answers, the installed files are checked")
    func checkInstalled() throws {
        #expect(try run("check").output == "1 file with 1 site: no errors\n")
        let outcome = try run("check", "--socket", "/nonexistent")
        #expect(outcome.errors.hasSuffix("there is no such socket: checked the installed files without it\n"))
        #expect(!outcome.output.isEmpty)
    }

    @Test("completion asks for names and stays silent when nobody answers")
    func names() throws {
        #expect(try run("__complete", "any").output == "shop\nshop-pool\n")
        let outcome = try run("__complete", "site", "--socket", "/nonexistent")
        #expect(outcome.status == .ok && outcome.output.isEmpty && outcome.errors.isEmpty)
    }

    @Test("help goes to standard output, the overview of an empty command line to standard error")
    func help() throws {
        #expect(try run("--help").status == .ok)
        #expect(try run("--help").output.hasPrefix("berthctl administers"))
        #expect(try run().status == .usage)
        #expect(try run().errors.hasPrefix("berthctl administers"))
    }
}
