/// Help for people, from the table of commands.
package struct HelpText: Sendable {
    /// Where the terminal does not say.
    package static let widthDefault = 80

    private let parser: CommandLineParser
    private let width: Int

    package init(parser: CommandLineParser = .standard, width: Int = widthDefault) {
        self.parser = parser
        // In a narrower one the longest word (a path) does not fit beside its option; a wider one is hard to read.
        self.width = min(max(width, 50), 100)
    }

    package func text(for command: Command?) -> String {
        (command.map(lines) ?? overview).map { $0 + "\n" }.joined()
    }

    private var overview: [String] {
        let commands = parser.commands.filter { !$0.isHidden }
        return [
            "berthctl administers the Berth daemon.", "", "Usage: berthctl COMMAND [OPTIONS] [ARGUMENTS]", "",
            "Commands:",
        ]
            + pairs(commands.map { (([$0.name] + $0.arguments.map(\.usage)).joined(separator: " "), $0.summary) })
            + ["", "Options of every command:"] + pairs(parser.globalOptions.map { ($0.usage, $0.summary) })
            + ["", "Exit status:"] + pairs(ExitStatus.allCases.map { (String($0.rawValue), $0.meaning) })
            + ["", "More about a command: berthctl help COMMAND"]
    }

    private func lines(_ command: Command) -> [String] {
        var lines = wrap(command.summary + ".") + ["", "Usage: \(command.usage)"]
        for paragraph in command.discussion.split(separator: "\n\n") {
            lines += [""] + wrap(String(paragraph))
        }
        if !command.options.isEmpty {
            lines += ["", "Options:"] + pairs(command.options.map { ($0.usage, $0.summary) })
        }
        lines += ["", "Options of every command:"] + pairs(parser.globalOptions.map { ($0.usage, $0.summary) })
        if !command.examples.isEmpty {
            lines += ["", "Examples:"]
            for example in command.examples { lines += ["  \(example.line)", "      \(example.meaning)"] }
        }
        let statuses = ExitStatus.allCases.filter { $0.rawValue <= 4 || command.statuses.contains($0) }
        return lines + ["", "Exit status:"] + pairs(statuses.map { (String($0.rawValue), $0.meaning) })
    }

    /// Two columns: what is explained, and its explanation, wrapped.
    private func pairs(_ pairs: [(String, String)]) -> [String] {
        let left = min(pairs.map { $0.0.count }.max() ?? 0, 26)
        return pairs.flatMap { name, meaning -> [String] in
            let indent = String(repeating: " ", count: left + 4)
            var lines = wrap(meaning, width: width - left - 4)
            let first = "  " + name
            if name.count > left { return [first] + lines.map { indent + $0 } }
            lines[0] = first + String(repeating: " ", count: left + 4 - first.count) + lines[0]
            return [lines[0]] + lines.dropFirst().map { indent + $0 }
        }
    }

    private func wrap(_ text: String, width: Int? = nil) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(whereSeparator: \.isWhitespace) {
            if !line.isEmpty, line.count + 1 + word.count > width ?? self.width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return lines + [line]
    }
}
