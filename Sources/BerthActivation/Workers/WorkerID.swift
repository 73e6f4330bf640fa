/// Names one start of a worker process, all its attempts included. Never used twice while the daemon runs.
public struct WorkerID: Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}
