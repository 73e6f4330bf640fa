/// One generation of the configuration as one loop sees it. A request pins the one it began with. Loop thread only, but for
/// `init` and `destroy`.
public struct ListenerSnapshot {
    /// Endpoints a daemon can have.
    public static let endpointsMax = 256

    public let generation: UInt64
    let table: Unmanaged<RoutingTable>
    /// The same object without the reference count.
    let targets: UnsafeMutablePointer<RouteTarget>
    public let targetCount: Int
    /// By endpoint: index of its port in the table, -1: nothing is registered there any more.
    let ports: UnsafeMutablePointer<Int32>
    /// Requests that began with it and are not released.
    public internal(set) var pins = 0
    /// Another one has taken its place.
    public internal(set) var isRetired = false

    /// - Parameter ports: by endpoint number, from `RoutingTable.indexOfPort`.
    public static func make(
        generation: UInt64, table: RoutingTable, targets: [RouteTarget], ports: [Int32]
    ) -> UnsafeMutablePointer<ListenerSnapshot> {
        let targetMemory = UnsafeMutablePointer<RouteTarget>.allocate(capacity: max(targets.count, 1))
        for (i, target) in targets.enumerated() { (targetMemory + i).initialize(to: target) }
        let portMemory = UnsafeMutablePointer<Int32>.allocate(capacity: endpointsMax)
        portMemory.initialize(repeating: -1, count: endpointsMax)
        for (i, port) in ports.prefix(endpointsMax).enumerated() { portMemory[i] = port }
        let snapshot = UnsafeMutablePointer<ListenerSnapshot>.allocate(capacity: 1)
        snapshot.initialize(
            to: ListenerSnapshot(
                generation: generation, table: .passRetained(table), targets: targetMemory, targetCount: targets.count,
                ports: portMemory))
        return snapshot
    }

    /// When it is retired and no request holds it.
    public static func destroy(_ snapshot: UnsafeMutablePointer<ListenerSnapshot>) {
        precondition(snapshot.pointee.pins == 0, "a request still holds this snapshot")
        snapshot.pointee.table.release()
        snapshot.pointee.targets.deallocate()
        snapshot.pointee.ports.deallocate()
        snapshot.deinitialize(count: 1)
        snapshot.deallocate()
    }
}
