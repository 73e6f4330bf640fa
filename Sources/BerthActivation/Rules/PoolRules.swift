/// The rules of an application pool that concern its workers. Source: IIS `<applicationPools><add>`.
public struct PoolRules: Equatable, Sendable {
    public var id: PoolID
    public var name: String
    /// Whether it starts with the daemon. Source: `autoStart`, default true.
    public var autoStart = true
    /// Whether its workers run without waiting for a request. Source: `startMode`, default OnDemand.
    public var alwaysRunning = false
    /// Time without requests after which an application's workers are stopped, in seconds, 0: never.
    /// Source: `idleTimeout`, default 20 minutes.
    public var idleTimeout: UInt64 = 20 * 60
    /// Source: `rapidFailProtection`, default true.
    public var rapidFailProtection = true
    /// 1 through 100. Source: `rapidFailProtectionMaxCrashes`, default 5.
    public var rapidFailCrashes = 5
    /// In seconds. Source: `rapidFailProtectionInterval`, default 5 minutes.
    public var rapidFailWindow: UInt64 = 300
    public var recycling = Recycling()
    /// Whether the old worker ends before the new one starts. Source: `disallowOverlappingRotation`, default false.
    public var disallowOverlappingRotation = false
    /// Whether changed rules leave running workers alone. Source: `disallowRotationOnConfigChange`, default false.
    public var disallowRotationOnConfigChange = false

    public init(id: PoolID, name: String) { (self.id, self.name) = (id, name) }
}
