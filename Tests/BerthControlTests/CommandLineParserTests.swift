import Testing
import berthctl

@Suite("the command line of berthctl")
struct CommandLineParserTests {
    private func invocation(_ words: String...) throws -> Invocation {
        guard case .run(let invocation) = try CommandLineParser.standard.parse(words) else {
            throw UsageError("help, not a command", nil)
        }
        return invocation
    }

    private func error(_ words: String...) -> UsageError? {
        do throws(UsageError) {
            _ = try CommandLineParser.standard.parse(words)
            return nil
        } catch { return error }
    }

    @Test("a command is found with its arguments, and options stand anywhere")
    func anywhere() throws {
        for words in [
            ["--json", "logs", "shop", "-f"], ["logs", "-f", "shop", "--json"], ["logs", "--json", "-f", "shop"],
        ] {
            guard case .run(let invocation) = try CommandLineParser.standard.parse(words) else {
                Issue.record("\(words)")
                return
            }
            #expect(invocation.command.name == "logs")
            #expect(invocation.arguments == ["shop"])
            #expect(invocation.has("json") && invocation.has("follow") && !invocation.has("lines"))
        }
    }

    @Test("a value stands behind its option, or is attached to it; letters are put together")
    func values() throws {
        for words in [
            ["logs", "shop", "--lines", "20"], ["logs", "shop", "--lines=20"], ["logs", "shop", "-n", "20"],
            ["logs", "shop", "-n20"], ["logs", "-fn", "20", "shop"], ["logs", "-fn20", "shop"],
        ] {
            guard case .run(let invocation) = try CommandLineParser.standard.parse(words) else {
                Issue.record("\(words)")
                return
            }
            #expect(try invocation.number("lines", in: 0...100) == 20)
            #expect(invocation.arguments == ["shop"])
        }
        #expect(try invocation("status", "--socket=").text("socket") == "")
        #expect(try invocation("status", "--socket", "--json").text("socket") == "--json")
    }

    @Test("after two hyphens everything is an argument")
    func end() throws {
        #expect(try invocation("why", "--", "--json").arguments == ["--json"])
        #expect(try !invocation("why", "--", "--json").has("json"))
    }

    @Test("an unknown command or option is refused with the nearest one")
    func nearest() {
        #expect(error("stauts")?.hint == "did you mean status?")
        #expect(error("stat")?.hint == "did you mean status?")
        #expect(error("frobnicate")?.hint == "berthctl --help lists the commands")
        #expect(error("__completion")?.hint == "did you mean completion?")
        #expect(error("logs", "shop", "--folow") == UsageError("logs has no option --folow", "did you mean --follow?"))
        #expect(error("logs", "shop", "--xyzzy=1")?.hint == "berthctl logs --help lists the options")
        #expect(error("logs", "shop", "-fx")?.message == "logs has no option -x")
        #expect(error("status", "--lines", "3")?.message == "status has no option --lines")
    }

    @Test("too few and too many arguments are refused, exactly at the limits")
    func counts() throws {
        #expect(error("why") == UsageError("why needs SITE", "usage: berthctl why [OPTIONS] SITE"))
        #expect(error("why", "a") == nil)
        #expect(error("why", "a", "b")?.message == "why has no use for b")
        #expect(error("sites") == nil)
        #expect(error("sites", "a") == nil)
        #expect(error("sites", "a", "b") != nil)
        #expect(try invocation("check").arguments.isEmpty)
        #expect(try invocation("check", "a", "b", "c").arguments == ["a", "b", "c"])
    }

    @Test("a value that is missing, or that nobody asked for, is refused")
    func missingValue() {
        #expect(error("logs", "shop", "--lines")?.message == "--lines needs N")
        #expect(error("logs", "shop", "-fn")?.message == "--lines needs N")
        #expect(error("status", "--json=yes")?.message == "--json takes no value")
    }

    @Test("numbers end at their limits")
    func numbers() throws {
        #expect(try invocation("logs", "a", "-n", "0").number("lines", in: 0...10) == 0)
        #expect(try invocation("logs", "a", "-n", "10").number("lines", in: 0...10) == 10)
        #expect(try invocation("logs", "a").number("lines", in: 0...10) == nil)
        for text in ["11", "-1", "+1", "", "x", "1.5"] {
            #expect(throws: CommandFailure.self) {
                try invocation("logs", "a", "--lines=\(text)").number("lines", in: 0...10)
            }
        }
    }

    @Test("times are written with their unit")
    func times() throws {
        for (text, milliseconds) in [("250ms", 250), ("5s", 5000), ("2min", 120_000), ("1h", 3_600_000), ("0d", 0)] {
            #expect(
                try invocation("requests", "--slower-than", text).milliseconds("slower-than") == UInt64(milliseconds))
        }
        for text in ["5", "s", "", "-5s", "5 s", "5m", "1.5s", "1000000001s", "99999999999999999999s", "٥s"] {
            #expect(throws: CommandFailure.self) {
                try invocation("requests", "--slower-than=\(text)").milliseconds("slower-than")
            }
        }
    }

    @Test("help is found from everywhere, and nothing at all shows the overview")
    func help() throws {
        for words in [["logs", "--help"], ["--help", "logs"], ["logs", "-h"], ["help", "logs"]] {
            guard case .help(let command) = try CommandLineParser.standard.parse(words) else {
                Issue.record("\(words)")
                return
            }
            #expect(command?.name == "logs")
        }
        guard case .help(nil) = try CommandLineParser.standard.parse(["--help"]),
            case .help(nil) = try CommandLineParser.standard.parse(["help"]),
            case .overview = try CommandLineParser.standard.parse([]),
            case .run(let version) = try CommandLineParser.standard.parse(["--version"])
        else {
            Issue.record("no help")
            return
        }
        #expect(version.command.name == "version")
        #expect(error("help", "lgos")?.hint == "did you mean logs?")
    }

    @Test("no two commands, and no two options of a command, bear the same name")
    func unambiguous() {
        let parser = CommandLineParser.standard
        #expect(Set(parser.commands.map(\.name)).count == parser.commands.count)
        for command in parser.commands {
            let options = command.options + parser.globalOptions
            #expect(Set(options.map(\.name)).count == options.count, "\(command.name)")
            let letters = options.compactMap(\.letter)
            #expect(Set(letters).count == letters.count, "\(command.name)")
            #expect(!letters.contains("h"), "\(command.name)")
        }
    }

    @Test(
        "the nearest name is near enough, or there is none",
        arguments: [
            ("shpo", "shop"), ("SHOP", "shop"), ("shopp", "shop"), ("sho", "shop"), ("blgo", "blog"), ("xxxx", nil),
            ("", nil), ("s", nil), ("api", "apis"),
        ])
    func nearestName(word: String, nearest: String?) {
        #expect(NearestName.of(word, among: ["shop", "blog", "apis"]) == nearest)
    }
}
