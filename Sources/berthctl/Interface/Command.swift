/// One command of `berthctl`: everything that the parser, the help, the completion and the manual page know about it.
package struct Command: Sendable {
    package var name: String
    package var arguments: [Argument] = []
    package var options: [Option] = []
    /// One line, without a full stop.
    package var summary: String
    /// What one line cannot say. Paragraphs are separated by empty lines.
    package var discussion: String = ""
    package var examples: [Example] = []
    /// The exit statuses that it can have beside those that every command can have (0 through 4).
    package var statuses: [ExitStatus] = []
    /// Not shown to people.
    package var isHidden = false
    package var run: @Sendable (Session) throws(CommandFailure) -> ExitStatus

    package struct Argument: Sendable {
        /// What the shell offers in its place.
        package enum Kind: Sendable, Equatable {
            case site
            case pool
            case siteOrPool
            case file
            case command
            case word([String])
        }

        package var name: String
        package var kind: Kind
        package var isOptional = false
        package var isRepeated = false

        package init(_ name: String, _ kind: Kind, isOptional: Bool = false, isRepeated: Bool = false) {
            (self.name, self.kind, self.isOptional, self.isRepeated) = (name, kind, isOptional, isRepeated)
        }

        /// `NAME`, `[NAME]`, `[NAME ...]`.
        package var usage: String {
            let text = isRepeated ? name + " ..." : name
            return isOptional ? "[\(text)]" : text
        }
    }

    package struct Option: Sendable {
        /// Without the hyphens.
        package var name: String
        package var letter: Character?
        /// The name of its value in help; `nil` for a switch.
        package var value: String?
        package var kind: Argument.Kind?
        package var summary: String

        package init(
            _ name: String, letter: Character? = nil, value: String? = nil, kind: Argument.Kind? = nil,
            _ summary: String
        ) {
            (self.name, self.letter, self.value, self.kind) = (name, letter, value, kind)
            self.summary = summary
        }

        /// `-n, --lines N`
        package var usage: String {
            (letter.map { "-\($0), " } ?? "    ") + "--\(name)" + (value.map { " \($0)" } ?? "")
        }
    }

    package struct Example: Sendable {
        package var line: String
        package var meaning: String

        package init(_ line: String, _ meaning: String) { (self.line, self.meaning) = (line, meaning) }
    }

    /// `berthctl logs [OPTIONS] SITE`
    package var usage: String {
        (["berthctl", name, "[OPTIONS]"] + arguments.map(\.usage)).joined(separator: " ")
    }

    package var argumentsMin: Int { arguments.count { !$0.isOptional } }
    package var argumentsMax: Int { arguments.contains(where: \.isRepeated) ? .max : arguments.count }
}
