/// What a command line asks for.
package enum ParsedCommandLine: Sendable {
    case run(Invocation)
    /// Help was asked for: that of a command, or of all.
    case help(Command?)
    /// Nothing was asked for.
    case overview
}

/// Reads a command line by the table of commands, the GNU way: options anywhere, `--name=value` or `--name value`,
/// letters together (`-fn 5`, `-n5`), and nothing but arguments after `--`.
package struct CommandLineParser: Sendable {
    package var commands: [Command]
    /// Options that every command knows.
    package var globalOptions: [Command.Option]

    package init(commands: [Command], globalOptions: [Command.Option]) {
        (self.commands, self.globalOptions) = (commands, globalOptions)
    }

    package static let standard = CommandLineParser(
        commands: Command.all, globalOptions: Command.Option.everywhere)

    package func parse(_ words: [String]) throws(UsageError) -> ParsedCommandLine {
        var command: Command?
        var arguments: [String] = []
        var values: [String: String] = [:]
        var wantsHelp = false
        var onlyArguments = false
        var rest = words[...]

        while let word = rest.popFirst() {
            if onlyArguments || word == "-" || !word.hasPrefix("-") {
                if command == nil {
                    command = try find(word)
                } else {
                    arguments.append(word)
                }
            } else if word == "--" {
                onlyArguments = true
            } else if word == "--help" || word == "-h" {
                wantsHelp = true
            } else if word == "--version" && command == nil {
                command = try find("version")
            } else if word.hasPrefix("--") {
                try readLong(word, &rest, command, &values)
            } else {
                try readLetters(word, &rest, command, &values)
            }
        }
        if command?.name == "help" {
            guard let name = arguments.first else { return .help(nil) }
            return .help(try find(name))
        }
        if wantsHelp { return .help(command) }
        guard let command else { return .overview }
        guard arguments.count >= command.argumentsMin else {
            let missing = command.arguments[arguments.count].name
            throw UsageError("\(command.name) needs \(missing)", "usage: \(command.usage)")
        }
        guard arguments.count <= command.argumentsMax else {
            throw UsageError(
                "\(command.name) has no use for \(arguments[command.argumentsMax])", "usage: \(command.usage)")
        }
        return .run(Invocation(command: command, arguments: arguments, values: values))
    }

    private func find(_ name: String) throws(UsageError) -> Command {
        if let command = commands.first(where: { $0.name == name }) { return command }
        let near = NearestName.of(name, among: commands.lazy.filter { !$0.isHidden }.map(\.name))
        throw UsageError(
            "there is no command \(name)", near.map { "did you mean \($0)?" } ?? "berthctl --help lists the commands")
    }

    private func readLong(
        _ word: String, _ rest: inout ArraySlice<String>, _ command: Command?, _ values: inout [String: String]
    ) throws(UsageError) {
        let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts.first ?? "")
        let known = globalOptions + (command?.options ?? [])
        guard let option = known.first(where: { $0.name == name }) else {
            let owner = command.map { "\($0.name) " } ?? "berthctl "
            let near = NearestName.of(name, among: known.map(\.name) + ["help"])
            throw UsageError(
                "\(owner)has no option --\(name)",
                near.map { "did you mean --\($0)?" }
                    ?? "berthctl \(command.map { "\($0.name) " } ?? "")--help lists the options")
        }
        guard option.value != nil else {
            guard parts.count == 1 else { throw UsageError("--\(name) takes no value", nil) }
            values[name] = ""
            return
        }
        values[name] = try value(of: option, parts.count == 2 ? String(parts[1]) : nil, &rest)
    }

    private func readLetters(
        _ word: String, _ rest: inout ArraySlice<String>, _ command: Command?, _ values: inout [String: String]
    ) throws(UsageError) {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            guard let option = (globalOptions + (command?.options ?? [])).first(where: { $0.letter == letter }) else {
                throw UsageError(
                    "\(command.map { $0.name } ?? "berthctl") has no option -\(letter)",
                    "berthctl \(command.map { "\($0.name) " } ?? "")--help lists the options")
            }
            guard option.value != nil else {
                values[option.name] = ""
                continue
            }
            values[option.name] = try value(of: option, letters.isEmpty ? nil : String(letters), &rest)
            return
        }
    }

    private func value(
        of option: Command.Option, _ attached: String?, _ rest: inout ArraySlice<String>
    ) throws(UsageError) -> String {
        guard let value = attached ?? rest.popFirst() else {
            throw UsageError("--\(option.name) needs \(option.value ?? "a value")", nil)
        }
        return value
    }
}
