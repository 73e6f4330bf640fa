/// What one loop has counted since the start. Each number is right by itself; two of them need not be of one moment.
public struct ListenerCounters: BitwiseCopyable, Sendable {
    public var connectionsAccepted: UInt64 = 0
    public var connectionsRefused: UInt64 = 0
    public var requests: UInt64 = 0
    public var rejections: UInt64 = 0
    public var octetsReceived: UInt64 = 0
    public var octetsSent: UInt64 = 0

    public init() {}

    /// Its words, of which the loop keeps one each: written by the loop, read by any thread.
    enum Word: Int, CaseIterable {
        case connectionsAccepted, connectionsRefused, requests, rejections, octetsReceived, octetsSent
    }
}
