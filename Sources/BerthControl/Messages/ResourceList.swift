/// Several resources of one kind, as every collection of the control socket is answered.
public struct ResourceList<Item: Codable & Sendable>: Codable, Sendable {
    /// The generation of the configuration that the items were read under.
    public var generation: UInt64
    /// In the order that suits a reader: by name, by number, oldest first.
    public var items: [Item]
    /// There were more items than the daemon shows at once; those that are missing are the last ones.
    public var truncated: Bool

    public init(generation: UInt64, items: [Item], truncated: Bool = false) {
        (self.generation, self.items, self.truncated) = (generation, items, truncated)
    }
}
