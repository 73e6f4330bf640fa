import BerthConfiguration
import BerthListener

/// The memory that the control groups around the daemon allow it (`MemoryMax=` of its unit), and how it is shared out.
///
/// Over it the kernel refuses nothing, it kills. So what clients and workers can make the daemon hold has to be bounded below
/// it beforehand: where a bound is met, a connection is refused or cut, and the daemon goes on.
struct MemoryCeiling: Equatable {
    /// Program, configuration and modules. Ours.
    static let ownOctets: UInt64 = 32 << 20
    /// A connection with its request, without blocks, in the daemon and in the kernel. Ours: 3 KiB and 4 KiB, rounded up.
    static let connectionOctets: UInt64 = 8192
    /// What the kernel keeps for a client that does not keep up, at most. Source: tcp(7), `tcp_wmem`.
    static let sendBufferOctets = 4 << 20
    /// Fewest connections that are left, however low the ceiling is. Ours.
    static let connectionsMin: UInt64 = 64

    let octets: UInt64

    /// What connections, blocks, files and the kernel share.
    private var shared: UInt64 { max(octets > Self.ownOctets ? octets - Self.ownOctets : 0, octets / 4) }

    /// Octets that static sites may keep of files, all together: an eighth. Files that are kept no longer are read again.
    var fileContentMax: Int { Int(clamping: shared / 8) }

    /// The lowest limit of the control group that this process is in and of those around it; nil where there is none.
    ///
    /// Source: cgroups(7), `memory.max` of version 2 and `memory.limit_in_bytes` of version 1, where they are usually mounted.
    static func find(_ files: FileAccess) -> MemoryCeiling? {
        var lowest: UInt64?
        for line in text(of: "/proc/self/cgroup", files).split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            if parts.count != 3 { continue }
            let roots: [String]
            let name: String
            if parts[0] == "0", parts[1].isEmpty {
                (roots, name) = (["/sys/fs/cgroup", "/sys/fs/cgroup/unified"], "memory.max")
            } else if parts[1].split(separator: ",").contains("memory") {
                (roots, name) = (["/sys/fs/cgroup/memory"], "memory.limit_in_bytes")
            } else {
                continue
            }
            for root in roots {
                // In a container the path may be one of the host: then the group is what is mounted.
                var folders = parts[2].split(separator: "/")
                while true {
                    let path = ([root[...]] + folders + [name[...]]).joined(separator: "/")
                    if let limit = number(text(of: path, files)) { lowest = min(lowest ?? limit, limit) }
                    if folders.popLast() == nil { break }
                }
            }
        }
        return lowest.map { MemoryCeiling(octets: $0) }
    }

    /// Lowers the limits that would let the loops together pass the ceiling.
    ///
    /// A quarter of what the process itself does not need is for connections, half for blocks (half of them for requests, a
    /// quarter for responses, an eighth each for modules and workers), an eighth for files (`fileContentMax`), the rest for the
    /// kernel and for what is not counted.
    /// - Parameters:
    ///   - loops: how many share it.
    ///   - keepsConnections: an administrator has said how many connections there may be.
    /// - Returns: what to tell about it, nil when nothing had to be lowered.
    func bound(_ limits: inout ListenerLimits, loops: Int, keepsConnections: Bool) -> String? {
        let before = limits
        if !keepsConnections {
            let connections = max(shared / 4 / Self.connectionOctets, Self.connectionsMin)
            limits.daemonConnectionsMax = min(limits.daemonConnectionsMax, connections)
            limits.connectionsMax = Int(min(UInt64(limits.connectionsMax), connections))
        }
        let blocks = Int(clamping: shared / 2 / UInt64(max(loops, 1)))
        let inputSize = Listener.inputBlockSize(limits.parser)
        limits.inputBlocksMax = min(limits.inputBlocksMax, blocks / 2 / inputSize)
        limits.outputBlocksMax = min(limits.outputBlocksMax, blocks / 4 / Listener.outputBlockSize)
        limits.arenaBlocksMax = min(limits.arenaBlocksMax, blocks / 8 / Listener.arenaBlockSize)
        limits.workerOctetsMax = min(limits.workerOctetsMax, blocks / 8)
        limits.largeSendBuffersMax = min(limits.largeSendBuffersMax, blocks / 8 / Self.sendBufferOctets)
        let isLower =
            limits.connectionsMax < before.connectionsMax || limits.outputBlocksMax < before.outputBlocksMax
            || limits.inputBlocksMax < before.connectionsMax
        if !isLower { return nil }
        return
            "the control group allows \(octets >> 20) MiB of memory: at most \(limits.daemonConnectionsMax) connections, "
            + "and on each loop \(max(limits.inputBlocksMax, 16)) blocks of \(inputSize >> 10) KiB for what clients send and "
            + "\(max(limits.outputBlocksMax, 64)) of \(Listener.outputBlockSize >> 10) KiB for what they do not read"
    }

    private static func text(of path: String, _ files: FileAccess) -> String {
        guard let octets = try? files.read(path, 65_536) else { return "" }
        return String(decoding: octets, as: UTF8.self)
    }

    /// Nil for `max`, for what is no number, and for what version 1 has where there is no limit.
    private static func number(_ text: String) -> UInt64? {
        guard let octets = UInt64(text.split(separator: "\n").first ?? ""), octets < 1 << 60 else { return nil }
        return octets
    }
}
