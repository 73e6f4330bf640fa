/// Whether and how a worker is asked if it still lives.
public struct PingSettings: Sendable, Hashable {
    /// Source: IIS `pingingEnabled`, default true.
    public var enabled: Bool = true
    /// 1 s through 1 day. Source: IIS `pingInterval`.
    public var interval: Duration = .seconds(30)
    /// 1 s through 1 day. Source: IIS `pingResponseTime`.
    public var responseTime: Duration = .seconds(90)

    public init() {}
}
