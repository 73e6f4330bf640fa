public import BerthEventLoop

/// Why an application has no worker, told to whoever asks: the page of a 502.5, an event, `berthctl why`.
public struct StartFailure: Sendable, Equatable {
    /// What went wrong in the last attempt.
    public enum Cause: Sendable, Equatable {
        /// The program could not be executed: the step, and the errno.
        case notExecuted(ExecutionStep, errno: Int32)
        /// It ended before it listened.
        case exited(WorkerExit)
        /// It did not listen within `startupTimeLimit` seconds.
        case timedOut(seconds: UInt64, place: String)
        /// Somebody else listens where the worker should.
        case wrongOwner(WorkerEndpoint)
        /// `ASPNETCORE_PORT` among the application's variables is none, or out of range.
        case invalidPort(String)
        /// No port, socket, pipe or directory for the worker could be had.
        case noEndpoint(String)
        /// It has failed too often in this minute.
        case tooManyFailures(limit: Int, until: MonotonicInstant)
    }

    /// What a child was doing when it could not become the program.
    public enum ExecutionStep: String, Sendable {
        case fork = "creating the process"
        case user = "changing to its user"
        case directory = "entering its working directory"
        case descriptors = "arranging its descriptors"
        case execute = "executing the program"
    }

    /// `shop/api`.
    public var application: String
    public var cause: Cause
    /// As one would type it.
    public var command: String
    public var workingDirectory: String
    /// Of the last attempt; nil when no process was made.
    public var pid: Int32?
    public var attempts: Int
    /// The last lines it wrote, `lastLinesMax` at most.
    public var lastLines: [String]
    /// The first 30 000 octets it wrote, over all attempts.
    public var output: String

    public static let lastLinesMax = 20
}

extension StartFailure {
    /// One sentence: what happened.
    public var reason: String {
        switch cause {
        case .notExecuted(let step, let code):
            "\(command) could not be started: \(step.rawValue) failed: \(SystemError("spawn", code).reason) (errno \(code))"
        case .exited(let exit):
            "\(command)\(process) ended with \(exit) before it listened"
        case .timedOut(let seconds, let place):
            "\(command)\(process) did not listen on \(place) within the startup time limit of \(seconds) s"
        case .wrongOwner(let endpoint):
            "another process, not the worker\(process), listens on \(endpoint)"
        case .invalidPort(let text):
            "ASPNETCORE_PORT is \"\(text)\", which is no port from \(EndpointChoice.portRange.lowerBound) through \(EndpointChoice.portRange.upperBound)"
        case .noEndpoint(let text):
            "the worker could not be given a place to listen: \(text)"
        case .tooManyFailures(let limit, _):
            "the application failed more than \(limit) times in this minute and is not started again until the minute is over"
        }
    }

    /// The whole story, several lines, for a log.
    public var report: String {
        var text = "\(application): \(reason)"
        if attempts > 1 { text += "; \(attempts) attempts" }
        text += "\n  command: \(command)\n  working directory: \(workingDirectory)"
        if !lastLines.isEmpty {
            text += "\n  its last lines:"
            for line in lastLines { text += "\n    \(line)" }
        }
        return text + "\n  what to do: \(advice)"
    }

    private var process: String { pid.map { " (pid \($0))" } ?? "" }
}
