/// When a pool whose workers keep crashing is taken out of service. Source: IIS `<failure>`.
public struct RapidFailSettings: Sendable, Hashable {
    public var enabled: Bool = true
    /// Crashes within the window that stop the pool, 1 through 100.
    public var crashes: Int = 5
    /// 1 min through 100 days.
    public var window: Duration = .seconds(300)

    public init() {}
}
