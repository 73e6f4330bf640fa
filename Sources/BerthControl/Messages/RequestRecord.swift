/// One request in flight: `GET /v1/requests`.
///
/// The shape is that of the original's `GetRequests`; its names stand in brackets where ours differ.
public struct RequestRecord: Codable, Sendable, Equatable {
    /// Names the request while it runs [requestId].
    public var id: UInt64
    /// [connectionId]
    public var connection: UInt64
    /// [verb]
    public var method: String
    /// Path and query as the client sent them.
    public var url: String
    /// [hostName]
    public var host: String
    /// `nil` before the request was routed.
    public var site: String?
    public var siteID: UInt32?
    public var pool: String?
    /// [localIpAddress]
    public var localAddress: String
    public var localPort: UInt16
    /// [clientIpAddress]
    public var clientAddress: String
    /// Since the first octet of the request arrived [timeElapsed].
    public var elapsedMilliseconds: UInt64
    /// The stage it is in: `executeRequestHandler`; `queued` while it waits for a worker [pipelineState].
    public var stage: String
    /// [timeInState]
    public var stageMilliseconds: UInt64
    /// The module that has it [currentModule].
    public var module: String?
    /// [timeInModule]
    public var moduleMilliseconds: UInt64?

    public init(
        id: UInt64, connection: UInt64, method: String, url: String, host: String, site: String? = nil,
        siteID: UInt32? = nil, pool: String? = nil, localAddress: String, localPort: UInt16, clientAddress: String,
        elapsedMilliseconds: UInt64, stage: String, stageMilliseconds: UInt64, module: String? = nil,
        moduleMilliseconds: UInt64? = nil
    ) {
        (self.id, self.connection, self.method, self.url, self.host) = (id, connection, method, url, host)
        (self.site, self.siteID, self.pool) = (site, siteID, pool)
        (self.localAddress, self.localPort, self.clientAddress) = (localAddress, localPort, clientAddress)
        (self.elapsedMilliseconds, self.stage) = (elapsedMilliseconds, stage)
        (self.stageMilliseconds, self.module) = (stageMilliseconds, module)
        self.moduleMilliseconds = moduleMilliseconds
    }
}
