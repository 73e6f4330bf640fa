import Testing

@testable import BerthServer

@Suite("The command line of berthd")
struct ProgramInvocationTests {
    @Test("without a word it is the daemon, on the files of an installed Berth")
    func daemon() throws {
        #expect(try ProgramInvocation.parse([]) == .run(.init()))
        #expect(try ProgramInvocation.parse(["--foreground"]) == .run(.init()))
    }

    @Test(
        "an option's value is the next word, or stands behind =",
        arguments: [["--config", "/c"], ["--config=/c"]])
    func values(words: [String]) throws {
        #expect(try ProgramInvocation.parse(words) == .run(.init(place: .init(directory: "/c"))))
        #expect(try ProgramInvocation.parse(["check"] + words) == .check(.init(directory: "/c")))
        #expect(try ProgramInvocation.parse(words + ["check"]) == .check(.init(directory: "/c")))
    }

    @Test("all places of the daemon can be said")
    func places() throws {
        let words = ["--config", "a", "--sites", "b", "--control", "c", "--state", "d"]
        #expect(
            try ProgramInvocation.parse(words)
                == .run(.init(place: .init(directory: "a", sites: "b"), controlSocket: "c", stateDirectory: "d")))
    }

    @Test("serve takes a folder, and everything behind -- as it is")
    func serve() throws {
        var expected = ProgramInvocation.Serve(target: ".")
        #expect(try ProgramInvocation.parse(["serve", "."]) == .serve(expected))
        expected.port = 8080
        expected.address = "::1"
        expected.command = ["node", "--port", "1", "--", "x"]
        let words = ["serve", "--port", "8080", ".", "--address=::1", "--", "node", "--port", "1", "--", "x"]
        #expect(try ProgramInvocation.parse(words) == .serve(expected))
    }

    @Test("a port is a number from 1 through 65535", arguments: ["0", "65536", "-1", "+1", "http", "8080 "])
    func noPort(text: String) {
        #expect(throws: ProgramInvocation.Mistake.self) {
            try ProgramInvocation.parse(["serve", ".", "--port=\(text)"])
        }
    }

    @Test("the smallest and the largest port are taken", arguments: ["1", "65535"])
    func ports(text: String) throws {
        guard case .serve(let serve) = try ProgramInvocation.parse(["serve", ".", "--port", text]) else {
            Issue.record("not understood as serve")
            return
        }
        #expect(serve.port == UInt16(text))
    }

    @Test(
        "what cannot be understood is said with what was meant",
        arguments: [
            (["--confg", "/c"], "did you mean --config?"), (["--site=x"], "did you mean --sites?"),
            (["sreve", "."], "did you mean serve?"), (["chek"], "did you mean check?"),
            (["-p"], "berthd --help lists the options"), (["--config"], "write --config DIR"),
            (["--config="], "write --config DIR"), (["--foreground=yes"], "write --foreground"),
            (["--config", "a", "--config", "b"], "leave one of them out"),
            (["serve"], "write berthd serve . for the one you are in"),
            (["serve", ".", "--"], "write berthd serve FOLDER -- PROGRAM"),
            (["--", "node"], "write berthd serve FOLDER -- PROGRAM"),
            (["serve", ".", "--config", "a"], "it belongs to berthd and berthd check"),
            (["check", "--port", "1"], "it belongs to berthd serve"),
            (["serve", "a", "b"], "berthd --help shows what goes where"),
            (["serve", ".", "--address", "localhost"], "write one like 127.0.0.1, 0.0.0.0 or ::1"),
        ])
    func mistakes(words: [String], advice: String) {
        do throws(ProgramInvocation.Mistake) {
            let request = try ProgramInvocation.parse(words)
            Issue.record("understood as \(request)")
        } catch {
            #expect(error.advice == advice)
        }
    }

    @Test("help and version are answered whatever else is there", arguments: ["--help", "-h", "--version"])
    func questions(word: String) throws {
        let expected: ProgramInvocation.Request = word == "--version" ? .version : .help
        #expect(try ProgramInvocation.parse(["serve", ".", word]) == expected)
        #expect(try ProgramInvocation.parse([word]) == expected)
    }

    @Test("help names every option and every exit status")
    func help() {
        for option in ProgramOption.all { #expect(ProgramHelp.text.contains("--\(option.name)")) }
        for status in ProgramStatus.allCases { #expect(ProgramHelp.text.contains("  \(status.rawValue)  ")) }
        #expect(ProgramHelp.text.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }
}
