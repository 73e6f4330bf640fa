import BerthConfiguration
import BerthEventLoop
import BerthListener

/// The HTTPERR log of all loops.
extension Server {
    /// Opens it, or goes on without it.
    func openErrorLog() {
        errorLog = ErrorLogFile(configuration.daemon, system)
        guard configuration.daemon.errorLog.enabled else { return }
        makeDirectories(errorLog?.folder ?? "")
        if let error = errorLog?.open(at: loop.wallSeconds) {
            DaemonLog.warning(
                "the error log \(errorLog?.path ?? "") cannot be opened: \(error.reason); going on without it")
        }
    }

    /// Once a second: begins the next file when this one is full, or its time is over.
    func rollErrorLog() {
        guard let log = errorLog, log.isOver(at: loop.wallSeconds) else { return }
        if let error = errorLog?.open(at: loop.wallSeconds) {
            if !errorLogIsStuck {
                DaemonLog.warning(
                    "the error log stays in its file: \(errorLog?.path ?? "") cannot be opened: \(error.reason)")
            }
            (errorLog, errorLogIsStuck) = (log, true)
            return
        }
        errorLogIsStuck = false
        handOutErrorLog(closing: log.descriptor)
    }

    /// The configuration was read again: another place, other fields, another rollover.
    func updateErrorLog() {
        let daemon = configuration.daemon
        if let log = errorLog, log.settings == daemon.errorLog, log.folder == ErrorLogFile.directory(daemon) { return }
        let old = errorLog
        openErrorLog()
        if let log = errorLog, log.descriptor >= 0, log.path == old?.path, log.fields != old?.fields {
            log.writeHeader(log.descriptor, loop.wallSeconds)
        }
        handOutErrorLog(closing: old?.descriptor ?? -1)
    }

    private func handOutErrorLog(closing old: Int32) {
        let (next, fields) = (errorLog?.descriptor ?? -1, errorLog?.fields ?? .standard)
        post {
            Message.make(kind: LoopMessage.errorLogFile, a: UInt64(bitPattern: Int64(next)), b: UInt64(fields.rawValue))
        }
        if old < 0 { return }
        // Closed when every loop has certainly taken the message: they wake at once.
        errorLogsToClose.append(old)
        if errorLogsToClose.count > 2 { _ = system.pointee.close(system, errorLogsToClose.removeFirst()) }
    }
}
