/// Command lines as they are written for Windows, and what they mean here (ancm §3.2).
enum CommandLine {
    /// Arguments in one.
    static let argumentsMax = 1024

    /// Splits by the rules of `CommandLineToArgvW`, less its special case for the first word.
    ///
    /// Blanks separate; quotes keep blanks; `\"` is a quote; backslashes mean something only before a quote, where two
    /// make one; `""` inside quotes is a quote.
    static func split(_ line: String) -> [String] {
        var arguments: [String] = []
        var current = ""
        var isOpen = false
        var inQuotes = false
        var backslashes = 0
        var rest = line.unicodeScalars.makeIterator()
        var next = rest.next()
        while let scalar = next {
            next = rest.next()
            switch scalar {
            case "\\":
                backslashes += 1
                isOpen = true
            case "\"":
                current += String(repeating: "\\", count: backslashes / 2)
                if backslashes % 2 == 1 {
                    current.append("\"")
                } else if inQuotes, next == "\"" {
                    current.append("\"")
                    next = rest.next()
                } else {
                    inQuotes.toggle()
                }
                backslashes = 0
                isOpen = true
            default:
                current += String(repeating: "\\", count: backslashes)
                backslashes = 0
                if (scalar == " " || scalar == "\t") && !inQuotes {
                    if isOpen { arguments.append(current) }
                    current = ""
                    isOpen = false
                } else {
                    current.unicodeScalars.append(scalar)
                    isOpen = true
                }
            }
        }
        current += String(repeating: "\\", count: backslashes)
        if isOpen { arguments.append(current) }
        return arguments
    }

    /// Puts the values of variables in the place of `%NAME%`; an unknown one stays as it is.
    static func expand(_ text: String, with variable: (String) -> String?) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstIndex(of: "%") {
            result += rest[..<start]
            let behind = rest[rest.index(after: start)...]
            guard let end = behind.firstIndex(of: "%") else { return result + rest[start...] }
            let name = String(behind[..<end])
            if !name.isEmpty, let value = variable(name) {
                result += value
                rest = behind[behind.index(after: end)...]
            } else {
                // The second sign may begin a name of its own.
                result += rest[start..<end]
                rest = behind[end...]
            }
        }
        return result + rest
    }

    /// The program to start: a path from `root` on, or a bare name to look for in `PATH`.
    ///
    /// A name without a slash is a file of the application's folder where there is one. A trailing `.exe` that is not on
    /// disk is dropped.
    static func executable(_ command: String, root: String?, kind: (String) -> FileAccess.Kind) -> String {
        guard command.contains("/") else {
            for name in withoutExe(command) {
                if let root, kind(FilePath.joined(root, name)) == .file { return FilePath.joined(root, name) }
            }
            return withoutExe(command).last ?? command
        }
        let names = withoutExe(command).map { FilePath.joined(root ?? "/", $0) }
        return names.first { kind($0) == .file } ?? names.last ?? command
    }

    /// The name itself, and behind it the one without `.exe` where it ends in that.
    private static func withoutExe(_ name: String) -> [String] {
        guard name.utf8.count > 4, name.lowercased().hasSuffix(".exe") else { return [name] }
        return [name, String(name.dropLast(4))]
    }

    /// A path of Windows with the slashes of Linux.
    static func withSlashes(_ path: String) -> String {
        String(path.map { $0 == "\\" ? "/" : $0 })
    }

    /// An argument that begins like a relative path of Windows (`.\Shop.dll`), with the slashes of Linux.
    static func argumentWithSlashes(_ argument: String) -> String {
        argument.hasPrefix(".\\") || argument.hasPrefix("..\\") ? withSlashes(argument) : argument
    }
}
