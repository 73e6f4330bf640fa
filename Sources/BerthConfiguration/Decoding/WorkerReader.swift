/// Reads who answers for an out-of-process application: a command to start, or an address somebody else serves.
struct WorkerReader {
    let reader: TableReader
    let root: String?
    let webConfig: WebConfig.Module?
    let files: FileAccess
    let variable: (String) -> String?

    private var diagnostics: DiagnosticCollector { reader.diagnostics }

    /// Keys that say something about a process, and nothing about an address.
    private static let keysOfCommand = [
        "arguments", "environment", "working_directory", "user", "group", "endpoint", "stdout_log_file",
    ]

    /// Every key this reads.
    static let keys = ["address", "command"] + keysOfCommand

    func read() -> OutOfProcessSettings.Worker? {
        if let address = reader.string("address") {
            for key in ["command"] + Self.keysOfCommand {
                guard let entry = reader.entry(key) else { continue }
                diagnostics.error(
                    .conflictingKeys, at: entry.location,
                    "\(quoted(key)) has no meaning beside \"address\", whose worker is run by somebody else",
                    "leave one of them out")
            }
            return readAddress(address).map { .external($0) }
        }
        if reader.has("address") {
            // Wrong, and said so; what else is there may be meant for a command or not.
            for key in Self.keys { _ = reader.entry(key) }
            return nil
        }
        let words = readWords()
        let workingDirectory = reader.absolutePath("working_directory")?.value ?? root
        var environment = environmentOfWebConfig()
        EnvironmentReader.read(reader, into: &environment)
        let user = reader.string("user", octetsMax: 256)?.value
        let group = reader.string("group", octetsMax: 256)?.value
        let endpoint = readEndpoint()
        let stdoutLogFile = readStdoutLogFile(workingDirectory)
        guard let words, let program = words.value.first else { return nil }
        guard let workingDirectory else {
            if !reader.has("root") {
                reader.missing("root", "write root = \"/srv/NAME\", the folder that the worker runs in")
            }
            return nil
        }
        let executable = CommandLine.executable(program, root: root ?? workingDirectory, kind: files.kind)
        return .command(
            WorkerCommand(
                executable: executable, arguments: Array(words.value.dropFirst()), environment: environment,
                workingDirectory: workingDirectory, user: user, group: group, endpoint: endpoint,
                stdoutLogFile: stdoutLogFile, location: words.location))
    }

    // MARK: The command

    /// Program and arguments; nil after an error.
    private func readWords() -> Located<[String]>? {
        let arguments = reader.strings("arguments", emptyAllowed: true)?.map(\.value)
        guard let entry = reader.entry("command") else {
            guard let webConfig else {
                reader.missing(
                    "command",
                    "write command = [\"./NAME\"] to have it started, or address = \"unix:/run/NAME.sock\" where somebody else runs it"
                )
                return nil
            }
            let program = CommandLine.withSlashes(expanded(webConfig.processPath ?? ""))
            guard !program.isEmpty else { return nil }
            if program.hasPrefix("%") {
                diagnostics.error(
                    .webConfig, at: webConfig.location,
                    "processPath is \(quoted(program)), which only Visual Studio fills in",
                    "publish the application, or write a \"command\"")
                return nil
            }
            let words = CommandLine.split(expanded(webConfig.arguments ?? "")).map(CommandLine.argumentWithSlashes)
            return checked([program] + (arguments ?? words), at: webConfig.location)
        }
        if case .string = entry.value.content {
            guard let line = reader.text(of: entry.value, key: "command", octetsMax: 32768) else { return nil }
            return checked(CommandLine.split(line.value) + (arguments ?? []), at: line.location)
        }
        guard let words = reader.strings("command", emptyAllowed: true) else { return nil }
        return checked(words.map(\.value) + (arguments ?? []), at: entry.value.location)
    }

    private func checked(_ words: [String], at location: SourceLocation) -> Located<[String]>? {
        guard let program = words.first, !program.isEmpty else {
            diagnostics.error(.wrongValue, at: location, "\"command\" is empty", "write command = [\"./NAME\"]")
            return nil
        }
        guard words.count <= CommandLine.argumentsMax else {
            diagnostics.error(
                .outOfRange, at: location, "\"command\" has more than \(CommandLine.argumentsMax) arguments")
            return nil
        }
        return Located(words, at: location)
    }

    private func environmentOfWebConfig() -> [EnvironmentVariable] {
        (webConfig?.environment ?? []).map { EnvironmentVariable(name: $0.name, value: expanded($0.value)) }
    }

    private func expanded(_ text: String) -> String { CommandLine.expand(text, with: variable) }

    private func readStdoutLogFile(_ workingDirectory: String?) -> String? {
        if let file = reader.string("stdout_log_file") {
            return FilePath.joined(root ?? workingDirectory ?? "/", file.value)
        }
        guard let webConfig, webConfig.stdoutLogEnabled else { return nil }
        let file = CommandLine.withSlashes(expanded(webConfig.stdoutLogFile ?? ".\\aspnetcore-stdout"))
        return FilePath.joined(root ?? "/", file)
    }

    // MARK: Where it listens

    private func readEndpoint() -> WorkerCommand.Endpoint {
        guard let entry = reader.entry("endpoint") else { return .port }
        let advice = "write \"port\", \"unix\", \"inherited\", or a port number"
        switch entry.value.content {
        case .integer(let port):
            if let port = UInt16(exactly: port), port > 0 { return .fixedPort(port) }
            diagnostics.error(.outOfRange, at: entry.value.location, "\"endpoint\" is \(port)", "write 1 through 65535")
        case .string(let word):
            switch looseSpelling(word) {
            case "port": return .port
            case "unix": return .unixSocket
            case "inherited": return .inherited
            default:
                diagnostics.error(.wrongValue, at: entry.value.location, "\(quoted(word)) is no endpoint", advice)
            }
        default:
            diagnostics.error(
                .wrongType, at: entry.value.location,
                "\"endpoint\" must be a word or a port, not \(entry.value.typeName)",
                advice)
        }
        return .port
    }

    /// `unix:/run/x.sock`, `127.0.0.1:9000`, `[::1]:9000`.
    private func readAddress(_ text: Located<String>) -> WorkerAddress? {
        if text.value.hasPrefix("unix:") {
            let path = String(text.value.dropFirst(5))
            if path.hasPrefix("/"), path.utf8.count <= FilePath.socketPathMax { return .unixSocket(path) }
            diagnostics.error(
                .wrongValue, at: text.location,
                "\(quoted(path)) is no path of a Unix socket, absolute and at most \(FilePath.socketPathMax) octets long",
                "write it like \"unix:/run/NAME.sock\"")
            return nil
        }
        var host = text.value[...]
        if let colon = host.lastIndex(of: ":") {
            let port = host[host.index(after: colon)...]
            host = host[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
            if port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(port), port > 0,
                let address = IPAddress(String(host)), address.isIPv4 || text.value.hasPrefix("[")
            {
                return .tcp(address, port: port)
            }
        }
        let isLocal = host == "localhost" || text.value.hasPrefix("http://localhost")
        diagnostics.error(
            .wrongValue, at: text.location, "\(quoted(text.value)) is no address of a worker",
            isLocal
                ? "write the address itself, like \"127.0.0.1:9000\""
                : "write \"unix:/run/NAME.sock\", \"127.0.0.1:9000\" or \"[::1]:9000\"")
        return nil
    }
}
