import Glibc

/// A real `berthd` on folders, a port and sockets of its own.
///
/// Texts of site files and of berth.toml may hold `$PORT`, `$BIN` (where the examples were built) and `$FOLDER`.
public final class Daemon: @unchecked Sendable {
    public let folder: TemporaryFolder
    public let port: Int
    public let process: ChildProcess
    public let notify: NotifySocket
    private let bin: String

    /// Starts it and waits for READY=1.
    ///
    /// - Parameters:
    ///   - sites: text by name.
    ///   - settings: what else berth.toml holds.
    ///   - watches: whether it watches its configuration, as it does unless told otherwise; most tests choose the moment.
    ///   - files: text by path in `folder`, there before it starts.
    ///   - wrapper: what to start it with, before its own path.
    public init(
        sites: [String: String], settings: String = "", watches: Bool = false, files: [String: String] = [:],
        environment: [String: String?] = [:],
        folder: TemporaryFolder? = nil, port: Int? = nil, wrapper: [String] = [], bin: String = Build.folder,
        program: String? = nil
    ) throws {
        let folder = try folder ?? TemporaryFolder()
        let port = try port ?? FreePort.take()
        (self.folder, self.port, self.bin) = (folder, port, bin)
        try Self.write(settings: settings, watches: watches, to: folder, port, bin)
        for (name, text) in files { try folder.write(name, text) }
        for (name, text) in sites { try folder.write("sites.d/\(name).toml", Self.fill(text, folder, port, bin)) }
        notify = try NotifySocket(in: folder)
        var variables = environment
        variables["NOTIFY_SOCKET"] = .some(notify.path)
        process = try ChildProcess(
            wrapper + [program ?? bin + "/berthd", "--config", folder.path], environment: variables)
    }

    /// One that is ready.
    public static func started(
        sites: [String: String], settings: String = "", watches: Bool = false, files: [String: String] = [:],
        environment: [String: String?] = [:]
    ) throws -> Daemon {
        let daemon = try Daemon(
            sites: sites, settings: settings, watches: watches, files: files, environment: environment)
        try daemon.waitUntilReady()
        return daemon
    }

    public func waitUntilReady(seconds: Double = Deadline.patience) throws {
        try notify.wait(for: "READY=1", from: process, seconds: seconds)
    }

    private static func write(
        settings: String, watches: Bool, to folder: TemporaryFolder, _ port: Int, _ bin: String
    ) throws {
        for name in ["sites.d", "state", "run", "log"] { try folder.make(name) }
        // `settings` may begin with keys of [daemon].
        try folder.write(
            "berth.toml",
            """
            [daemon]
            control_socket = "\(folder.path)/control.sock"
            state_directory = "\(folder.path)/state"
            runtime_directory = "\(folder.path)/run"
            log_directory = "\(folder.path)/log"
            \(watches ? "" : "watch = false")
            \(fill(settings, folder, port, bin))
            """)
    }

    private static func fill(_ text: String, _ folder: TemporaryFolder, _ port: Int, _ bin: String) -> String {
        replace("$FOLDER", by: folder.path, in: replace("$BIN", by: bin, in: replace("$PORT", by: "\(port)", in: text)))
    }

    private static func replace(_ what: String, by value: String, in text: String) -> String {
        var parts: [Substring] = []
        var rest = text[...]
        while let found = rest.firstRange(of: what) {
            parts.append(rest[..<found.lowerBound])
            rest = rest[found.upperBound...]
        }
        return (parts + [rest]).joined(separator: value)
    }

    // MARK: Its configuration

    /// Writes a site file; `reload` puts it in force.
    public func write(site name: String, _ text: String) throws {
        try folder.write("sites.d/\(name).toml", Self.fill(text, folder, port, bin))
    }

    public func write(settings: String, watches: Bool = false) throws {
        try Self.write(settings: settings, watches: watches, to: folder, port, bin)
    }

    /// Asks for the configuration to be read again and waits until that is done.
    public func reload() throws {
        process.signal(SIGHUP)
        try notify.wait(for: "RELOADING=1", from: process)
        try notify.wait(for: "READY=1", from: process)
    }

    // MARK: Requests

    public func connect(receiveBuffer: Int32? = nil) throws -> Client {
        try Client(port: port, receiveBuffer: receiveBuffer)
    }

    /// One request on a connection of its own.
    public func request(
        _ method: String, _ target: String, host: String = "localhost", fields: [String] = [], content: [UInt8]? = nil
    ) throws -> Response {
        try connect().request(method, target, host: host, fields: fields, content: content)
    }

    public func request(_ target: String, host: String = "localhost", fields: [String] = []) throws -> Response {
        try connect().request(target, host: host, fields: fields)
    }

    /// Asks until the answer is as expected. A new configuration is in force when READY=1 is said, but each loop takes it
    /// up in its own time.
    @discardableResult
    public func eventually(
        _ target: String, host: String = "localhost", _ what: String, where matches: (Response) -> Bool
    ) throws -> Response {
        var last = "nothing"
        do {
            return try Deadline().look(what) {
                let response = try request(target, host: host)
                last = "\(response.status) \(response.text)"
                return matches(response) ? response : nil
            }
        } catch { throw Failure("\(error); the last answer was \(last)") }
    }

    /// Runs berthctl on it, which must succeed.
    public func control(_ words: String...) throws {
        let process = try ChildProcess(
            [Build.path("berthctl")] + words + ["--socket", folder.path + "/control.sock"])
        let end = try process.wait()
        guard end == .status(0) else {
            throw Failure("berthctl \(words.joined(separator: " ")): \(end)\n\(process.output.text)")
        }
    }

    // MARK: Its processes and files

    /// Its workers, and what it started else.
    public var workers: [Int32] { ProcessTable.children(of: process.pid) }

    /// Lets the EchoWorker at `/` crash in a request, and waits until the daemon has seen it.
    public func crashWorker() throws {
        let seen = process.output.all.count
        let response = try request("POST", "/crash", content: [])
        guard response.status == 502 else { throw Failure("a crash was answered \(response.status)") }
        try process.output.wait(containing: "ended unasked with SIGABRT", from: seen)
    }

    /// Kills a worker and waits until the daemon has seen it.
    public func kill(worker: Int32) throws {
        let seen = process.output.all.count
        guard Glibc.kill(worker, SIGKILL) == 0 else { throw Failure.system("kill \(worker)") }
        try process.output.wait(for: "line about pid \(worker)", from: seen) { $0.contains("\(worker)") }
    }

    /// Lines of the HTTPERR log.
    public var errorLog: [Substring] {
        (folder.read("log/HTTPERR/httperr1.log") ?? "").split(separator: "\n").filter { !$0.hasPrefix("#") }
    }

    /// Waits for a line of the HTTPERR log.
    @discardableResult
    public func waitForErrorLog(_ what: String, where matches: (Substring) -> Bool) throws -> String {
        do {
            return try Deadline().look("\(what) in the HTTPERR log") {
                errorLog.first(where: matches).map { String($0) }
            }
        } catch { throw Failure("\(error):\n\(errorLog.joined(separator: "\n"))") }
    }

    /// Asks it to end, and waits.
    @discardableResult
    public func stop(seconds: Double = Deadline.patience) throws -> ChildProcess.End {
        process.signal(SIGTERM)
        return try process.wait(seconds: seconds)
    }
}
