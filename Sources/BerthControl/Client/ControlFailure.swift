/// Why a client got no usable answer from the daemon.
public enum ControlFailure: Error, Equatable, Sendable {
    /// Nobody answers on the socket: nothing was asked, and asking again later is safe.
    case notReachable(path: String, reason: String)
    /// The socket is there, and the caller may not open it. `owner` says who may.
    case notPermitted(path: String, owner: String?)
    /// The daemon took the connection and did not answer in time; what was asked for may have happened.
    case timedOut(path: String, seconds: Double)
    /// The connection ended in the middle of the answer; what was asked for may have happened.
    case connectionLost(path: String, reason: String)
    /// What answers is no Berth daemon, or one this client does not understand.
    case malformedAnswer(path: String, what: String)
    /// The answer is larger than the client reads.
    case answerTooLarge(sizeMax: Int)
    /// The daemon understood, and says no.
    case refused(ProblemDocument)

    /// What happened, as a sentence without its full stop.
    public var message: String {
        switch self {
        case .notReachable(let path, let reason): "berthd does not answer on \(path): \(reason)"
        case .notPermitted(let path, _): "you may not open \(path): permission denied"
        case .timedOut(let path, let seconds): "berthd did not answer on \(path) within \(Self.text(seconds)) s"
        case .connectionLost(let path, let reason): "berthd left before its answer on \(path) was complete: \(reason)"
        case .malformedAnswer(let path, let what): "what answers on \(path) is not understood: \(what)"
        case .answerTooLarge(let sizeMax): "the answer of berthd is larger than \(sizeMax) octets"
        case .refused(let problem): problem.detail.isEmpty ? problem.title : problem.detail
        }
    }

    /// What the reader can do about it.
    public var hint: String? {
        switch self {
        case .notReachable:
            "is it running? try: systemctl status berth (another socket: --socket PATH or BERTH_CONTROL_SOCKET)"
        case .notPermitted(_, let owner): owner
        case .timedOut: "what was asked for may still happen; berthctl status says how things stand"
        case .connectionLost: "what was asked for may have happened; look at: journalctl -u berth"
        case .malformedAnswer: "berthctl and berthd may be of different releases; compare: berthctl version"
        case .answerTooLarge: nil
        case .refused(let problem): problem.nextStep
        }
    }

    /// Seconds without a fraction that says nothing.
    private static func text(_ seconds: Double) -> String {
        seconds == seconds.rounded() && seconds.magnitude < 1e9 ? String(Int(seconds)) : String(seconds)
    }
}
