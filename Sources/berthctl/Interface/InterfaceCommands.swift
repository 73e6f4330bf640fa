/// The commands that speak about `berthctl` itself.
enum InterfaceCommands {
    /// The parser answers `help` by itself; the table needs the command for its help and completion.
    static func help(_ session: Session) throws(CommandFailure) -> ExitStatus {
        session.terminal.write(HelpText(width: session.terminal.width ?? HelpText.widthDefault).text(for: nil))
        return .ok
    }

    static func completion(_ session: Session) throws(CommandFailure) -> ExitStatus {
        guard let shell = CompletionScript.Shell(rawValue: session.invocation.arguments[0]) else {
            throw CommandFailure(usage: "completion knows bash, zsh and fish, not \(session.invocation.arguments[0])")
        }
        session.terminal.write(CompletionScript(parser: .standard).text(for: shell))
        return .ok
    }

    static func manual(_ session: Session) throws(CommandFailure) -> ExitStatus {
        session.terminal.write(ManualPage(parser: .standard).text)
        return .ok
    }

    /// Names, one a line; silence where the daemon does not tell: a completion is no place for errors.
    static func names(_ session: Session) throws(CommandFailure) -> ExitStatus {
        let subjects: [NameSuggestion.Subject] =
            switch session.invocation.arguments[0] {
            case "site": [.site]
            case "pool": [.pool]
            default: [.site, .pool]
            }
        for name in NameSuggestion.names(subjects, session) { session.terminal.write(DisplayText.clean(name) + "\n") }
        return .ok
    }
}
