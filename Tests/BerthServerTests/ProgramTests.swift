import Glibc
import TestSupport
import Testing

/// The real program: what it prints, how it ends, and what it leaves behind.
@Suite("berthd as a program")
struct ProgramTests {
    private struct Run {
        let end: ChildProcess.End
        let output: String
    }

    private func run(_ words: String...) throws -> Run {
        let process = try ChildProcess([Build.path("berthd")] + words)
        let end = try process.wait()
        try process.output.waitForEnd()
        return Run(end: end, output: process.output.text)
    }

    /// Runs `berthd serve`, and ends it with Ctrl-C. Everything it wrote is gone then.
    private func serve(
        _ words: [String], in folder: TemporaryFolder,
        _ body: (ChildProcess, _ port: Int, _ line: String) throws -> Void
    ) throws {
        try folder.make("scratch")
        let scratch = folder.path + "/scratch"
        let process = try ChildProcess(
            [Build.path("berthd"), "serve"] + words, environment: ["TMPDIR": scratch], directory: folder.path)
        let line = try process.output.wait(containing: "press Ctrl-C to stop")
        let port = try #require(line.firstMatch(of: /:([0-9]+)\//).flatMap { Int($0.1) })
        #expect(Files.names(in: scratch).count == 1)
        try body(process, port, line)
        process.signal(SIGINT)
        #expect(try process.wait() == .status(0))
        #expect(Files.names(in: scratch) == [])
    }

    @Test("serve prints where it serves a folder, and serves it")
    func files() throws {
        let folder = try TemporaryFolder()
        try folder.write("www/index.html", "hello")
        try serve(["www"], in: folder) { _, port, line in
            #expect(line.hasPrefix("Serving \(folder.path)/www at http://127.0.0.1:\(port)/ (static files);"))
            let (here, gone) = (
                try Client(port: port).request("/", host: "anything"), try Client(port: port).request("/none")
            )
            #expect(here.text == "hello")
            #expect(gone.status == 404)
        }
    }

    @Test("serve takes the port it is told")
    func port() throws {
        let folder = try TemporaryFolder()
        try folder.write("index.html", "hello")
        let wanted = try FreePort.take()
        try serve([".", "--port", "\(wanted)"], in: folder) { _, port, _ in #expect(port == wanted) }
    }

    @Test("serve starts the program behind -- in the folder")
    func program() throws {
        let folder = try TemporaryFolder()
        try serve([".", "--", Build.path("EchoWorker")], in: folder) { _, port, _ in
            let response = try Client(port: port).request("/")
            #expect(response.status == 200)
        }
    }

    @Test("serve loads a handler module into itself")
    func module() throws {
        let folder = try TemporaryFolder()
        try serve([Build.path("libHelloModule.so")], in: folder) { _, port, line in
            #expect(line.contains("(the handler module "))
            let response = try Client(port: port).request("/")
            #expect(response.text == "Hello, World!")
        }
    }

    @Test("a port that is taken ends serve with status 4 and one line")
    func takenPort() throws {
        let folder = try TemporaryFolder()
        try folder.write("index.html", "hello")
        try serve(["."], in: folder) { _, port, _ in
            let second = try run("serve", folder.path, "--port", "\(port)")
            #expect(second.end == .status(4))
            #expect(second.output.hasPrefix("berthd: cannot listen on 127.0.0.1:\(port): Address already in use"))
            #expect(!second.output.contains("\n"))
        }
    }

    @Test("an address that this machine does not have ends serve with status 4")
    func foreignAddress() throws {
        // RFC 5737: for documentation, so nobody's.
        #expect(try run("serve", "/usr", "--address", "192.0.2.1").end == .status(4))
    }

    @Test("what is no folder ends serve with status 5", arguments: ["/nonexistent", "/etc/passwd", "/dev/null"])
    func noFolder(path: String) throws {
        let run = try run("serve", path)
        #expect(run.end == .status(5))
        #expect(run.output.contains(path))
    }

    @Test("a folder whose web.config cannot be read ends serve with status 3 and the place")
    func brokenWebConfig() throws {
        let folder = try TemporaryFolder()
        try folder.write("web.config", "<configuration>\n<aspNetCore")
        let run = try run("serve", folder.path)
        #expect(run.end == .status(3))
        #expect(run.output.contains("web.config:2:"))
    }

    @Test("a mistake on the command line is status 2, with what was meant")
    func usage() throws {
        let run = try run("--confg", "/etc/berth")
        #expect(run.end == .status(2))
        #expect(run.output == "berthd: there is no option --confg; did you mean --config?")
    }

    @Test("a configuration folder that is not there is status 1")
    func noConfiguration() throws {
        let run = try run("--config", "/nonexistent")
        #expect(run.end == .status(1))
        #expect(run.output.contains("the folder /nonexistent does not exist"))
        #expect(try self.run("check", "--config", "/nonexistent").end == .status(1))
    }

    @Test("check shows every error with its place and a caret, and ends with status 6")
    func check() throws {
        let folder = try TemporaryFolder()
        try folder.write("sites.d/a.toml", "schema = 1\n[site]\nbinding = [\"http://*:80/\"]\n")
        let broken = try run("check", "--config", folder.path)
        #expect(broken.end == .status(6))
        #expect(broken.output.contains("sites.d/a.toml:3:1: error: unknown key \"binding\" in [site]"))
        #expect(broken.output.contains("\n      | ^\n"))
        try folder.write(
            "sites.d/a.toml",
            "schema = 1\n[site]\nbindings = [\"http://*:80/\"]\n[[application]]\nhosting = \"static\"\nroot = \"/\"\n")
        let good = try run("check", "--config", folder.path)
        #expect(good.end == .status(0))
        #expect(good.output == "1 site, 0 errors, 0 warnings")
    }

    @Test("a daemon without any site runs on, and serves what is dropped in later")
    func noSite() throws {
        let daemon = try Daemon.started(sites: [:])
        try daemon.process.output.wait(containing: "no site is served")
        try daemon.folder.write("www/index.html", "hello")
        try daemon.write(
            site: "late",
            "schema = 1\n[site]\nbindings = [\"http://*:$PORT/\"]\n[[application]]\nhosting = \"static\"\nroot = \"$FOLDER/www\"\n"
        )
        try daemon.reload()
        try daemon.eventually("/", "the new site") { $0.text == "hello" }
        #expect(try daemon.stop() == .status(0))
    }
}
