import BerthConfiguration
import BerthListener
import Testing

@testable import BerthServer

@Suite("The memory that control groups allow")
struct MemoryCeilingTests {
    private static func find(_ files: [String: String]) -> UInt64? {
        MemoryCeiling.find(
            FileAccess(
                read: { (path, _) throws(FileAccess.Failure) in
                    guard let text = files[path] else { throw .notFound }
                    return Array(text.utf8)
                }, list: { (_, _) throws(FileAccess.Failure) in throw .notFound }, kind: { _ in .absent }))?.octets
    }

    @Test("version 2: the lowest of the group and those around it")
    func version2() {
        let own = ["/proc/self/cgroup": "0::/system.slice/berth.service\n"]
        let group = "/sys/fs/cgroup/system.slice/berth.service/memory.max"
        #expect(Self.find(own) == nil)
        #expect(Self.find(own.merging([group: "max\n"]) { $1 }) == nil)
        #expect(Self.find(own.merging([group: "67108864\n"]) { $1 }) == 67_108_864)
        let both = [group: "max\n", "/sys/fs/cgroup/system.slice/memory.max": "1000\n"]
        #expect(Self.find(own.merging(both) { $1 }) == 1000)
        #expect(
            Self.find(own.merging([group: "500\n", "/sys/fs/cgroup/system.slice/memory.max": "1000\n"]) { $1 }) == 500)
        // The path of a container's host is not seen inside.
        #expect(Self.find(own.merging(["/sys/fs/cgroup/memory.max": "2000\n"]) { $1 }) == 2000)
        #expect(Self.find(own.merging(["/sys/fs/cgroup/unified/memory.max": "2000\n"]) { $1 }) == 2000)
    }

    @Test("version 1: the group of the memory controller")
    func version1() {
        let own = ["/proc/self/cgroup": "4:cpu,memory:/a/b\n3:cpuset:/c\n0::/\n"]
        let group = "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes"
        #expect(Self.find(own.merging([group: "9223372036854771712\n"]) { $1 }) == nil)
        #expect(Self.find(own.merging([group: "4096\n"]) { $1 }) == 4096)
        #expect(
            Self.find(own.merging([group: "4096\n", "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "64\n"]) { $1 })
                == 64)
        #expect(Self.find(own.merging(["/sys/fs/cgroup/memory/c/memory.limit_in_bytes": "64\n"]) { $1 }) == nil)
    }

    @Test("what is no such file, or no number, is no limit")
    func garbage() {
        #expect(Self.find([:]) == nil)
        #expect(Self.find(["/proc/self/cgroup": "nonsense\n:\n0:\n"]) == nil)
        #expect(Self.find(["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "\n"]) == nil)
        #expect(Self.find(["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "-1\n"]) == nil)
    }

    /// What the loops may hold together, by the limits.
    private func held(_ limits: ListenerLimits, loops: Int) -> UInt64 {
        let blocks =
            max(limits.inputBlocksMax, 16) * Listener.inputBlockSize(limits.parser)
            + max(limits.outputBlocksMax, 64) * Listener.outputBlockSize
            + max(limits.arenaBlocksMax, 16) * Listener.arenaBlockSize + limits.workerOctetsMax
        return limits.daemonConnectionsMax * MemoryCeiling.connectionOctets + UInt64(blocks * loops)
    }

    @Test(arguments: [1, 2, 4], [96, 128, 256, 512] as [UInt64])
    func `everything that is bounded stays below the ceiling`(_ loops: Int, _ mebibytes: UInt64) {
        var limits = ListenerLimits()
        limits.connectionsMax = 200_000
        limits.daemonConnectionsMax = 200_000
        let ceiling = MemoryCeiling(octets: mebibytes << 20)
        let told = ceiling.bound(&limits, loops: loops, keepsConnections: false)
        #expect(told?.hasPrefix("the control group allows \(mebibytes) MiB of memory: at most ") == true)
        #expect(
            held(limits, loops: loops) + UInt64(ceiling.fileContentMax) + MemoryCeiling.ownOctets <= mebibytes << 20)
        #expect(limits.connectionsMax >= 1024)
        #expect(UInt64(limits.connectionsMax) == limits.daemonConnectionsMax)
    }

    @Test func `a ceiling that nothing can reach changes nothing`() {
        var limits = ListenerLimits()
        #expect(MemoryCeiling(octets: 64 << 30).bound(&limits, loops: 2, keepsConnections: false) == nil)
        #expect(limits.connectionsMax == 16_384 && limits.daemonConnectionsMax == 16_384)
        #expect(limits.outputBlocksMax == 16_384)
        #expect(limits.inputBlocksMax >= limits.connectionsMax && limits.arenaBlocksMax >= limits.connectionsMax)
    }

    @Test func `however low the ceiling is, a few connections are left`() {
        var limits = ListenerLimits()
        #expect(MemoryCeiling(octets: 1).bound(&limits, loops: 2, keepsConnections: false) != nil)
        #expect(limits.daemonConnectionsMax == 64 && limits.connectionsMax == 64)
    }

    @Test func `as many connections as an administrator has said`() {
        var limits = ListenerLimits()
        #expect(MemoryCeiling(octets: 96 << 20).bound(&limits, loops: 1, keepsConnections: true) != nil)
        #expect(limits.daemonConnectionsMax == 16_384 && limits.connectionsMax == 16_384)
    }
}
