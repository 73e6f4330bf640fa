public import CBerthSystem

/// A connection on its way from one loop to another: between two messages, with nothing unsent.
///
/// Whoever has it owns the descriptor. It stays counted for the daemon and its source until it is attached or given up.
public final class DetachedConnection {
    public let descriptor: Int32
    /// Number of the endpoint that it came in by, the same on every loop.
    public let endpoint: Int
    public let remote: cberth_address
    /// Octets that were read and belong to no message that has begun; not more than a block of input.
    public let unread: [UInt8]
    /// Requests that it has carried.
    public let requestCount: UInt32
    /// Whether daemon and source count it: not yet when it was accepted just now.
    let isCounted: Bool
    /// Whether its source counts it.
    let isSourceCounted: Bool

    /// One that was accepted just now.
    init(accepted descriptor: Int32, endpoint: Int, remote: cberth_address) {
        (self.descriptor, self.endpoint, self.remote) = (descriptor, endpoint, remote)
        (unread, requestCount, isCounted, isSourceCounted) = ([], 0, false, false)
    }

    init(_ connection: Connection, unread: [UInt8]) {
        (descriptor, endpoint, remote) = (connection.fd, Int(connection.endpoint), connection.remote)
        (self.unread, requestCount) = (unread, connection.requestCount)
        (isCounted, isSourceCounted) = (true, connection.flags.contains(.sourceCounted))
    }
}
