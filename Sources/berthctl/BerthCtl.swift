import Glibc

/// The command `berthctl`: arguments in, exit status out.
package enum BerthCtl {
    static func main() -> Never {
        let environment = ProcessEnvironment.current
        let terminal = Terminal.standard(environment)
        exit(run(Array(CommandLine.arguments.dropFirst()), environment, terminal).rawValue)
    }

    package static func run(_ words: [String], _ environment: ProcessEnvironment, _ terminal: Terminal) -> ExitStatus {
        let request: ParsedCommandLine
        do throws(UsageError) { request = try CommandLineParser.standard.parse(words) } catch {
            terminal.complain(error.message, hint: error.hint)
            return .usage
        }
        switch request {
        case .help(let command):
            terminal.write(HelpText(width: terminal.width ?? HelpText.widthDefault).text(for: command))
            return .ok
        case .overview:
            terminal.writeError(HelpText(width: terminal.width ?? HelpText.widthDefault).text(for: nil))
            return .usage
        case .run(let invocation):
            do throws(CommandFailure) {
                let session = try Session(invocation, environment, terminal)
                return try invocation.command.run(session)
            } catch {
                if invocation.has("json") {
                    terminal.writeError(error.json + "\n")
                } else {
                    terminal.complain(error.message, hint: error.hint)
                }
                return error.status
            }
        }
    }
}
