/// When a pool's workers are replaced. Source: IIS `<recycling>`.
public struct RecyclingSettings: Sendable, Hashable {
    /// Age of a worker, 1 min through 300 days, or off. 29 h, so that the hour drifts.
    public var time: TimeLimit = .after(.seconds(29 * 3600))
    /// Requests a worker has served. Nil: no limit.
    public var requests: Int?
    /// Memory of a worker's own (resident, not shared), in octets. Nil: no limit. Source: `privateMemory`.
    public var privateMemory: Int?
    /// Its virtual memory, in octets. Nil: no limit. Source: `memory`.
    public var virtualMemory: Int?
    /// Times of day, in minutes after midnight of the machine's time zone, ascending.
    public var schedule: [Int] = []
    /// Whether the old worker ends before the new one starts. Source: `disallowOverlappingRotation`.
    public var disallowOverlappingRotation: Bool = false
    /// Whether a changed configuration leaves the workers alone. Source: `disallowRotationOnConfigChange`.
    public var disallowRotationOnConfigChange: Bool = false

    public init() {}
}
