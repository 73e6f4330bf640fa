/// Completion for shells, from the table of commands. Names of sites and pools are asked of the daemon as they are needed.
package struct CompletionScript: Sendable {
    package enum Shell: String, Sendable, CaseIterable { case bash, zsh, fish }

    private let commands: [Command]
    private let globalOptions: [Command.Option]

    package init(parser: CommandLineParser) {
        (commands, globalOptions) = (parser.commands.filter { !$0.isHidden }, parser.globalOptions)
    }

    package func text(for shell: Shell) -> String {
        switch shell {
        case .bash: bash
        case .zsh: zsh
        case .fish: fish
        }
    }

    /// The word that `berthctl __complete` takes for a kind of argument; `nil` where the daemon is not asked.
    private static func asked(_ kind: Command.Argument.Kind) -> String? {
        switch kind {
        case .site: "site"
        case .pool: "pool"
        case .siteOrPool: "any"
        case .file, .command, .word: nil
        }
    }

    private func flags(_ options: [Command.Option]) -> String {
        (options.map { "--" + $0.name } + options.compactMap { $0.letter.map { "-\($0)" } } + ["--help"])
            .joined(separator: " ")
    }

    // MARK: bash

    private var bash: String {
        var script = """
            # bash completion for berthctl; made by: berthctl completion bash
            _berthctl() {
                local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= i
                for ((i = 1; i < COMP_CWORD; i++)); do
                    case ${COMP_WORDS[i]} in
                        \(globalOptions.filter { $0.value != nil }.map { "--" + $0.name }.joined(separator: "|"))) ((i++)) ;;
                        -*) ;;
                        *) command=${COMP_WORDS[i]}; break ;;
                    esac
                done
                local words= files=
                case $command/$before in

            """
        for option in globalOptions where option.value != nil { script += bashValue("*/--\(option.name)", option.kind) }
        for command in commands {
            for option in command.options where option.value != nil {
                var pattern = "\(command.name)/--\(option.name)"
                if let letter = option.letter { pattern += "|\(command.name)/-\(letter)" }
                script += bashValue(pattern, option.kind)
            }
        }
        script += "        /*) words='\(commands.map(\.name).joined(separator: " ")) \(flags(globalOptions))' ;;\n"
        for command in commands {
            let flags = flags(command.options + globalOptions)
            script += "        \(command.name)/*)\n            words='\(flags)'\n"
            if let kind = command.arguments.first?.kind {
                script += "            if [[ $word != -* ]]; then \(bashWords(kind)); fi\n"
            }
            script += "            ;;\n"
        }
        return script + """
                esac
                if [[ $files ]]; then
                    compopt -o filenames 2>/dev/null
                    COMPREPLY=($(compgen -f -- "$word"))
                else
                    COMPREPLY=($(compgen -W "$words" -- "$word"))
                fi
            }
            complete -F _berthctl berthctl

            """
    }

    private func bashValue(_ pattern: String, _ kind: Command.Argument.Kind?) -> String {
        "        \(pattern)) \(kind.map(bashWords) ?? "words=") ;;\n"
    }

    private func bashWords(_ kind: Command.Argument.Kind) -> String {
        if let asked = Self.asked(kind) { return "words=$(berthctl __complete \(asked) --timeout 1s 2>/dev/null)" }
        return switch kind {
        case .file: "files=yes"
        case .word(let words): "words='\(words.joined(separator: " "))'"
        default: "words='\(commands.map(\.name).joined(separator: " "))'"
        }
    }

    // MARK: zsh

    private var zsh: String {
        func quoted(_ text: String) -> String {
            "'" + text.map { $0 == "'" ? "'\\''" : String($0) }.joined() + "'"
        }
        func described(_ text: String) -> String { text.map { "[]:".contains($0) ? "\\\($0)" : String($0) }.joined() }
        func action(_ kind: Command.Argument.Kind?) -> String {
            guard let kind else { return " " }
            if let asked = Self.asked(kind) { return "{_berthctl_names \(asked)}" }
            return switch kind {
            case .file: "_files"
            case .word(let words): "(\(words.joined(separator: " ")))"
            default: "(\(commands.map(\.name).joined(separator: " ")))"
            }
        }
        func specification(_ option: Command.Option) -> [String] {
            let value = option.value.map { ":\($0):\(action(option.kind))" } ?? ""
            let long = quoted("--\(option.name)[\(described(option.summary))]\(value)")
            guard let letter = option.letter else { return [long] }
            return [long, quoted("-\(letter)[\(described(option.summary))]\(value)")]
        }
        let common = globalOptions.flatMap(specification) + [quoted("--help[explain the command]")]
        var script = """
            #compdef berthctl
            # zsh completion for berthctl; made by: berthctl completion zsh
            _berthctl_names() {
                local -a names
                names=(${(f)"$(berthctl __complete $1 --timeout 1s 2>/dev/null)"})
                compadd -a names
            }
            _berthctl() {
                local state line
                local -a commands
                commands=(

            """
        for command in commands {
            script += "        \(quoted("\(command.name):\(described(command.summary))"))\n"
        }
        script += "    )\n    _arguments -C \(common.joined(separator: " ")) '1: :->command' '*:: :->arguments'\n"
        script +=
            "    case $state in\n    command) _describe command commands ;;\n    arguments)\n        case $line[1] in\n"
        for command in commands {
            var words = command.options.flatMap(specification) + common
            for argument in command.arguments {
                words.append(quoted("\(argument.isRepeated ? "*" : "1"):\(argument.name):\(action(argument.kind))"))
            }
            script += "        \(command.name)) _arguments \(words.joined(separator: " ")) ;;\n"
        }
        return script + "        esac ;;\n    esac\n}\ncompdef _berthctl berthctl\n"
    }

    // MARK: fish

    private var fish: String {
        func quoted(_ text: String) -> String {
            "'" + text.map { "'\\".contains($0) ? "\\\($0)" : String($0) }.joined() + "'"
        }
        func offer(_ kind: Command.Argument.Kind?) -> String {
            guard let kind else { return "" }
            if let asked = Self.asked(kind) {
                return " -a \(quoted("(berthctl __complete \(asked) --timeout 1s 2>/dev/null)"))"
            }
            return switch kind {
            case .file: " -F"
            case .word(let words): " -a \(quoted(words.joined(separator: " ")))"
            default: " -a \(quoted(commands.map(\.name).joined(separator: " ")))"
            }
        }
        func line(_ condition: String, _ option: Command.Option) -> String {
            let letter = option.letter.map { " -s \($0)" } ?? ""
            let value = option.value == nil ? "" : " -r" + offer(option.kind)
            return "complete -c berthctl\(condition) -l \(option.name)\(letter)\(value) -d \(quoted(option.summary))\n"
        }
        var script = "# fish completion for berthctl; made by: berthctl completion fish\ncomplete -c berthctl -f\n"
        for option in globalOptions { script += line("", option) }
        script += "complete -c berthctl -l help -s h -d 'explain the command'\n"
        for command in commands {
            script +=
                "complete -c berthctl -n __fish_use_subcommand -a \(command.name) -d \(quoted(command.summary))\n"
        }
        for command in commands {
            let condition = " -n '__fish_seen_subcommand_from \(command.name)'"
            for option in command.options { script += line(condition, option) }
            if let kind = command.arguments.first?.kind { script += "complete -c berthctl\(condition)\(offer(kind))\n" }
        }
        return script
    }
}
