import BerthListener
import BerthPipeline
import TestSupport
import Testing

@testable import BerthHosting

/// Requests that are under way while the configuration is replaced.
@Suite struct ReloadTests {
    /// A snapshot that serves what the front's first one serves.
    private static func snapshot(of front: Front, generation: UInt64) -> UnsafeMutablePointer<ListenerSnapshot> {
        let table = RoutingTable([(URLPrefix(host: .weakWildcard, port: UInt32(front.port), path: "/"), 0)])
        let chain = ModuleChain.make(
            [
                .executeRequestHandler: [
                    ForwardingHandler.entry(front.forwarder, application: Front.application, module: 0)
                ]
            ], siteName: "test")
        let target = RouteTarget(
            site: SiteCounters(), queue: front.queue, chain: chain, siteID: 1, applicationPathLength: 0)
        return ListenerSnapshot.make(
            generation: generation, table: table, targets: [target],
            ports: [Int32(table.indexOfPort(UInt32(front.port)) ?? -1)])
    }

    @Test func `a head that began before a reload holds the snapshot that routes it, and no other`() throws {
        let front = try Front()
        let client = Wire(port: front.port)
        client.send("GET /a HTTP/1.1\r\nHo")
        try Deadline().look("the head has begun") { front.ask({ front.listener.requestCount }) == 1 ? true : nil }
        let pins = front.ask {
            // Raw pointers do not cross threads by themselves; their addresses do.
            let next = Self.snapshot(of: front, generation: 2)
            return [front.listener.replaceSnapshot(next), next].map { Int(bitPattern: $0) }
        }
        let snapshots = try #require(pins).compactMap { UnsafeMutablePointer<ListenerSnapshot>(bitPattern: $0) }
        try #require(snapshots.count == 2)
        func held() -> [Int]? {
            let addresses = snapshots.map { Int(bitPattern: $0) }
            return front.ask {
                addresses.map { UnsafeMutablePointer<ListenerSnapshot>(bitPattern: $0)?.pointee.pins ?? -1 }
            }
        }
        #expect(held() == [1, 0])
        client.send("st: x\r\n\r\n")
        #expect(front.controlMessage(Front.workerWanted) != nil)
        #expect(held() == [0, 1])
        let worker = ScriptedWorker()
        front.publish([worker.ready()])
        #expect(client.response()?.text == "ok")
        #expect(front.stop() == (0, 0))
        #expect(snapshots.map(\.pointee.pins) == [0, 0])
    }
}
