public import CBerthSystem

/// A worker process that takes requests: where it listens, and how it knows that they come from us.
public struct ReadyWorker: @unchecked Sendable {
    /// Octets of the longest pairing token that is passed on. ANCM's is a GUID of 36.
    public static let pairingTokenMax = 128

    /// Names the worker between activation and the loops; never given twice.
    public var id: UInt64
    public var endpoint: cberth_endpoint
    /// Goes out in `MS-ASPNETCORE-TOKEN`; empty: none. Visible ASCII, cut after `pairingTokenMax` octets.
    public var pairingToken: String

    public init(id: UInt64, endpoint: cberth_endpoint, pairingToken: String) {
        (self.id, self.endpoint, self.pairingToken) = (id, endpoint, pairingToken)
    }
}
