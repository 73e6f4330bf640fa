import BerthControl

/// The manual page berthctl(1), from the table of commands, in the macros of man(7).
package struct ManualPage: Sendable {
    private let parser: CommandLineParser

    package init(parser: CommandLineParser) { self.parser = parser }

    package var text: String {
        var lines = [
            #".TH BERTHCTL 1 "" "Berth \#(BerthRelease.version)" "Berth""#, ".SH NAME",
            #"berthctl \- administer the Berth application host"#, ".SH SYNOPSIS", ".B berthctl",
            ".I COMMAND", #"[\fIOPTIONS\fR] [\fIARGUMENTS\fR]"#, ".SH DESCRIPTION",
            "Asks the daemon", ".BR berthd (8),",
            "over its control socket, how its sites, application pools and workers are,",
            "and tells it what to do with them.", ".SH COMMANDS",
        ]
        for command in parser.commands where !command.isHidden { lines += section(command) }
        lines += [".SH OPTIONS", "Every command knows these."]
        lines += parser.globalOptions.flatMap(item)
        lines += item(Command.Option("help", letter: "h", "explain the command"))
        lines += [".SH EXIT STATUS"]
        for status in ExitStatus.allCases { lines += [".TP", ".B \(status.rawValue)", Self.escape(status.meaning)] }
        lines += [
            ".SH ENVIRONMENT", ".TP", ".B \(ControlClient.socketPathVariable)",
            "The control socket, where --socket does not name one.", ".TP", ".B NO_COLOR",
            "If it is not empty, nothing is coloured. Output that goes to no terminal never is.", ".TP", ".B COLUMNS",
            "The width of the terminal, where it does not say so itself.", ".SH FILES", ".TP",
            ".I \(ControlClient.socketPathDefault)", "The control socket.", ".TP", ".I /etc/berth/sites.d/*.toml",
            "The sites, a file each.", ".SH SEE ALSO", ".BR berthd (8),", ".BR systemctl (1)",
        ]
        return lines.map { $0 + "\n" }.joined()
    }

    private func section(_ command: Command) -> [String] {
        let arguments = command.arguments.map { " \\fI\(Self.escape($0.usage))\\fR" }.joined()
        var lines = [".SS \\fB\(Self.escape(command.name))\\fR\(arguments)", Self.escape(command.summary) + "."]
        for paragraph in command.discussion.split(separator: "\n\n") {
            lines += [".PP", Self.escape(String(paragraph))]
        }
        lines += command.options.flatMap(item)
        for example in command.examples {
            lines += [
                ".PP", "Example, \(Self.escape(example.meaning)):", ".PP", ".EX", Self.escape(example.line), ".EE",
            ]
        }
        return lines
    }

    private func item(_ option: Command.Option) -> [String] {
        let letter = option.letter.map { "\\-\($0), " } ?? ""
        let value = option.value.map { " \\fI\(Self.escape($0))\\fR" } ?? ""
        return [".TP", "\\fB\(letter)\\-\\-\(Self.escape(option.name))\\fR\(value)", Self.escape(option.summary)]
    }

    /// Backslashes and hyphens mean something else to troff, and so does a line that begins with a full stop or quote.
    private static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\e"
            case "-": escaped += "\\-"
            case "\n": escaped += " "
            default: escaped.append(character)
            }
        }
        return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
    }
}
