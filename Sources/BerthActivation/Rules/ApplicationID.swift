/// Names an application within the daemon; given by whoever registers it, and kept over reloads.
public struct ApplicationID: Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}
