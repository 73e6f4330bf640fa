import BerthConfiguration
import Testing

@testable import BerthServer

@Suite("What berthd serve finds in a folder")
struct ServePlanTests {
    /// A folder that exists on every machine, with the given files in it.
    private let folder = "/usr"

    private func plan(
        _ files: [String: String], command: [String] = [], modules: Set<String> = []
    ) throws(ProgramFailure) -> ServePlan {
        var texts = ["\(folder)/.keep": ""]
        for (name, text) in files { texts["\(folder)/\(name)"] = text }
        return try ServePlan.make(target: folder, command: command, files: .over(texts: texts)) {
            modules.contains(String($0.dropFirst(folder.utf8.count + 1)))
        }
    }

    private func application(
        _ plan: ServePlan, _ files: [String: String] = [:], address: String = "127.0.0.1"
    ) throws -> Application {
        var texts: [String: String] = [:]
        for (name, text) in files { texts["\(folder)/\(name)"] = text }
        let snapshot = plan.configuration(address: address, port: 8080, scratch: "/tmp/x", files: .over(texts: texts))
        #expect(snapshot.diagnostics.filter { $0.severity == .error } == [])
        return try #require(snapshot.sites.first?.applications.first)
    }

    @Test("files are served where there is nothing else")
    func files() throws {
        let application = try application(try plan(["index.html": "x"]))
        #expect(application.hostingModel == .staticFiles)
        #expect(application.root == folder)
    }

    @Test("a program behind -- runs in the folder, quotes and all")
    func command() throws {
        let words = ["./a b", "say \"hi\"", "\\", "", "$HOME", "ü"]
        let application = try application(try plan(["web.config": "<aspNetCore"], command: words))
        guard case .outOfProcess(let settings) = application.hosting, case .command(let command) = settings.worker
        else {
            Issue.record("not a program")
            return
        }
        #expect(command.arguments == Array(words.dropFirst()))
        #expect(command.workingDirectory == folder)
    }

    private let webConfig = """
        <configuration><system.webServer>
        <aspNetCore processPath="dotnet" arguments=".\\Shop.dll" hostingModel="inprocess"/>
        </system.webServer></configuration>
        """

    @Test("a web.config with aspNetCore says what runs, and in-process becomes out-of-process with a word about it")
    func webConfigDecides() throws {
        let plan = try plan(["web.config": webConfig, "Other.runtimeconfig.json": "{}"])
        let snapshot = plan.configuration(
            address: "127.0.0.1", port: 8080, scratch: "/tmp/x",
            files: .over(texts: ["\(folder)/web.config": webConfig]))
        #expect(snapshot.sites.first?.applications.first?.hostingModel == .outOfProcess)
        #expect(
            snapshot.diagnostics.map { ServePlan.text(of: $0) } == [
                "\(folder)/web.config:2:1: hostingModel=\"inprocess\" is hosted out-of-process"
            ])
    }

    @Test("a web.config of something else is no application")
    func otherWebConfig() throws {
        let application = try application(try plan(["web.config": "<configuration/>"]))
        #expect(application.hostingModel == .staticFiles)
    }

    @Test(
        "a runtimeconfig.json is started with dotnet, or by itself where it brings its runtime",
        arguments: [
            ("{}", "dotnet", ["Shop.dll"]), ("{\"includedFrameworks\": []}", "/usr/Shop", []),
        ])
    func runtimeConfiguration(text: String, executable: String, arguments: [String]) throws {
        let files = ["Shop.runtimeconfig.json": text, "Shop": "", "Shop.dll": ""]
        let application = try application(try plan(files), files)
        guard case .outOfProcess(let settings) = application.hosting, case .command(let command) = settings.worker
        else {
            Issue.record("not a program")
            return
        }
        #expect(command.executable == executable)
        #expect(command.arguments == arguments)
    }

    @Test("a library that exports the module ABI is loaded into this process; others are files")
    func module() throws {
        let files = ["libA.so": "", "libB.so": ""]
        let application = try application(try plan(files, modules: ["libB.so"]))
        guard case .inProcess(let settings) = application.hosting else {
            Issue.record("not a module")
            return
        }
        #expect(settings.module == "\(folder)/libB.so")
        #expect(settings.isolation == .none)
        #expect(try self.application(try plan(files)).hostingModel == .staticFiles)
    }

    @Test("where two would do, nothing is guessed")
    func ambiguity() {
        do throws(ProgramFailure) {
            _ = try plan(["libA.so": "", "libB.so": ""], modules: ["libA.so", "libB.so"])
            Issue.record("one was chosen")
        } catch { #expect(error.status == .noSite) }
        do throws(ProgramFailure) {
            _ = try plan(["A.runtimeconfig.json": "", "B.runtimeconfig.json": ""])
            Issue.record("one was chosen")
        } catch { #expect(error.status == .noSite) }
    }

    @Test("what is not there is no folder")
    func absent() {
        do throws(ProgramFailure) {
            _ = try ServePlan.make(target: "/nonexistent/x", command: [])
            Issue.record("it was found")
        } catch { #expect(error.status == .noFolder) }
    }

    @Test(
        "the prefix fits the address",
        arguments: [
            ("127.0.0.1", "http://127.0.0.1:8080/"), ("::1", "http://[::1]:8080/"), ("0.0.0.0", "http://*:8080/"),
            ("::", "http://*:8080/"),
        ])
    func prefix(address: String, expected: String) throws {
        let snapshot = try plan([:]).configuration(
            address: address, port: 8080, scratch: "/tmp/x", files: .over(texts: [:]))
        #expect(snapshot.sites.first?.bindings.map(\.urlPrefix) == [expected])
    }
}
