/// One request as a loop had it at one moment, for an administrator. Texts are cut at `textMax` octets.
public struct RunningRequest: Sendable {
    /// Where the request is.
    public enum Place: Sendable {
        /// In its pool's queue.
        case queued
        /// A module of this stage has it.
        case stage(PipelineStage)
        /// The modules are done, the client has not taken all of the response yet.
        case sending
    }

    /// Octets of a method, a URL or a host that are shown. HTTPERR cuts a URL there.
    static let textMax = 4096

    public var id: UInt64
    public var connection: UInt64
    public var method: String
    /// As the client sent it.
    public var url: String
    public var host: String
    public var site: String
    public var siteID: UInt32
    public var pool: String
    public var localAddress: String
    public var localPort: UInt16
    public var clientAddress: String
    public var elapsedMilliseconds: UInt64
    public var place: Place
    /// How long the module that has it has waited.
    public var placeMilliseconds: UInt64
    public var module: String?

    public init(
        id: UInt64, connection: UInt64, method: String, url: String, host: String, site: String, siteID: UInt32,
        pool: String, localAddress: String, localPort: UInt16, clientAddress: String, elapsedMilliseconds: UInt64,
        place: Place, placeMilliseconds: UInt64, module: String?
    ) {
        (self.id, self.connection, self.method, self.url, self.host) = (id, connection, method, url, host)
        (self.site, self.siteID, self.pool) = (site, siteID, pool)
        (self.localAddress, self.localPort, self.clientAddress) = (localAddress, localPort, clientAddress)
        (self.elapsedMilliseconds, self.place) = (elapsedMilliseconds, place)
        (self.placeMilliseconds, self.module) = (placeMilliseconds, module)
    }
}
