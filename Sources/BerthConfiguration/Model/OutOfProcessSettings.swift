/// An application that is a program of its own, speaking HTTP.
public struct OutOfProcessSettings: Sendable, Hashable {
    public enum Worker: Sendable, Hashable {
        /// Started, watched and stopped by Berth.
        case command(WorkerCommand)
        /// Run by somebody else.
        case external(WorkerAddress)
    }

    public var worker: Worker
    /// Whether a start that failed is explained to the client by a bare 502 only. Source: ANCM `disableStartUpErrorPage`.
    public var disableStartupErrorPage: Bool = false

    public init(worker: Worker) { self.worker = worker }
}
