import TestSupport
import Testing

/// Runs `body` with a daemon that is ready; afterwards the daemon must still run, end when it is told to, and leave no child.
func withDaemon(
    sites: [String: String], settings: String = "", watches: Bool = false, files: [String: String] = [:],
    environment: [String: String?] = [:],
    sourceLocation: SourceLocation = #_sourceLocation, _ body: (Daemon) throws -> Void
) throws {
    // Tests leave connections open on purpose; a test of draining has settings of its own.
    let settings = settings.contains("[timeouts]") ? settings : settings + "\n[timeouts]\nshutdown_drain = \"1s\"\n"
    let daemon = try Daemon.started(
        sites: sites, settings: settings, watches: watches, files: files, environment: environment)
    do {
        try body(daemon)
    } catch {
        throw Failure("\(error)\nthe daemon said:\n\(daemon.process.output.all.suffix(30).joined(separator: "\n"))")
    }
    guard daemon.process.isRunning else {
        Issue.record(
            "the daemon ended: \(try daemon.process.wait())\n\(daemon.process.output.text)",
            sourceLocation: sourceLocation)
        return
    }
    let workers = daemon.workers
    #expect(try daemon.stop() == .status(0), sourceLocation: sourceLocation)
    #expect(workers.filter { ProcessTable.isRunning($0) } == [], sourceLocation: sourceLocation)
}
