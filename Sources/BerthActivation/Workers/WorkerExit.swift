import Glibc

/// How a worker process ended.
public enum WorkerExit: Hashable, Sendable {
    case exited(status: Int32)
    case signalled(Int32, coreDumped: Bool)
    /// It was no child of ours: a process that the worker had started.
    case unknown

    /// The names of signals that an administrator meets.
    static func signalName(_ signal: Int32) -> String {
        let names: [Int32: String] = [
            SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGHUP: "SIGHUP", SIGILL: "SIGILL",
            SIGINT: "SIGINT",
            SIGKILL: "SIGKILL", SIGPIPE: "SIGPIPE", SIGQUIT: "SIGQUIT", SIGSEGV: "SIGSEGV", SIGSYS: "SIGSYS",
            SIGTERM: "SIGTERM", SIGTRAP: "SIGTRAP", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ",
        ]
        return names[signal] ?? "signal \(signal)"
    }
}

extension WorkerExit: CustomStringConvertible {
    public var description: String {
        switch self {
        case .exited(let status) where status > 128 && status < 160:
            "exit status \(status) (128 + \(Self.signalName(status - 128)))"
        case .exited(let status): "exit status \(status)"
        case .signalled(let signal, let dumped): "\(Self.signalName(signal))\(dumped ? ", core dumped" : "")"
        case .unknown: "an exit status nobody saw"
        }
    }
}
