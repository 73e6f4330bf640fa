/// What one loop has counted since the start. Plain numbers, written by the loop; read by others as an indication.
public struct ListenerCounters: BitwiseCopyable, Sendable {
    public var connectionsAccepted: UInt64 = 0
    public var connectionsRefused: UInt64 = 0
    public var requests: UInt64 = 0
    public var rejections: UInt64 = 0
    public var octetsReceived: UInt64 = 0
    public var octetsSent: UInt64 = 0

    public init() {}
}
