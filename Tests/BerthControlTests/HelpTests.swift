import Testing
import berthctl

@Suite("help, completion and the manual page")
struct HelpTests {
    private let commands = CommandLineParser.standard.commands.filter { !$0.isHidden }

    @Test("the overview names every command, every common option and every exit status, and no hidden command")
    func overview() {
        let text = HelpText().text(for: nil)
        for command in commands { #expect(text.contains("  \(command.name)") && text.contains(command.summary)) }
        for option in CommandLineParser.standard.globalOptions { #expect(text.contains("--" + option.name)) }
        for status in berthctl.ExitStatus.allCases {
            #expect(text.contains("  \(status.rawValue)  \(status.meaning)\n"))
        }
        #expect(!text.contains("__complete"))
    }

    @Test("the help of a command has all of its options, and fits the width", arguments: [50, 60, 80, 100])
    func command(width: Int) {
        for command in commands {
            let text = HelpText(width: width).text(for: command)
            #expect(text.contains("Usage: \(command.usage)\n"))
            for option in command.options { #expect(text.contains(option.usage)) }
            for line in text.split(separator: "\n") where !line.contains("  berthctl ") && !line.contains("Usage:") {
                #expect(line.count <= width, "\(line)")
            }
        }
    }

    @Test("completion offers every command and option, in every shell", arguments: CompletionScript.Shell.allCases)
    func completion(shell: CompletionScript.Shell) {
        let script = CompletionScript(parser: .standard).text(for: shell)
        for command in commands {
            #expect(script.contains(command.name))
            for option in command.options {
                #expect(script.contains(shell == .fish ? "-l \(option.name)" : "--\(option.name)"))
            }
        }
        #expect(script.contains(shell == .zsh ? "_berthctl_names site" : "berthctl __complete site"))
    }

    @Test("the manual page has every command, option and exit status, and no line that troff misreads")
    func manual() {
        let text = ManualPage(parser: .standard).text
        let macros: Set<Substring> = [
            ".TH", ".SH", ".SS", ".B", ".I", ".BR", ".PP", ".TP", ".EX", ".EE",
        ]
        for line in text.split(separator: "\n") where line.hasPrefix(".") || line.hasPrefix("'") {
            #expect(macros.contains(line.prefix { $0 != " " }), "\(line)")
        }
        for command in commands { #expect(text.contains(".SS \\fB\(command.name)\\fR")) }
        for status in berthctl.ExitStatus.allCases { #expect(text.contains(".B \(status.rawValue)\n")) }
        #expect(text.contains("\\-\\-slower\\-than"))
    }
}
