import Glibc
import Synchronization

/// A control group with a limit of memory, over which the kernel kills what is in it. For a daemon behind `wrapper`.
public final class MemoryGroup {
    public let folder: String
    private let names: Names

    private struct Names {
        let limit: String
        let limitWithSwap: String
        let events: String

        static let version1 = Names(
            limit: "memory.limit_in_bytes", limitWithSwap: "memory.memsw.limit_in_bytes", events: "memory.oom_control")
        static let version2 = Names(limit: "memory.max", limitWithSwap: "memory.swap.max", events: "memory.events")
    }

    private static let made = Atomic<Int>(0)

    /// - Parameter limit: octets.
    /// - Throws: why this machine lets no such group be made.
    public init(limit: Int) throws {
        var why: [String] = []
        let name = "berth-test-\(getpid())-\(Self.made.add(1, ordering: .relaxed).newValue)"
        for (parent, names) in Self.parents() where Files.exists("\(parent)/cgroup.procs") {
            let folder = "\(parent)/\(name)"
            guard mkdir(folder, 0o755) == 0 else {
                why.append("mkdir \(folder): \(String(cString: strerror(errno)))")
                continue
            }
            guard Self.write("\(limit)", to: "\(folder)/\(names.limit)") else {
                why.append("\(folder)/\(names.limit): \(String(cString: strerror(errno)))")
                rmdir(folder)
                continue
            }
            // Swap would put off what is to be seen. Not every kernel counts it.
            _ = Self.write(names.limit == "memory.max" ? "0" : "\(limit)", to: "\(folder)/\(names.limitWithSwap)")
            (self.folder, self.names) = (folder, names)
            return
        }
        throw Failure("no control group with a limit of memory: \(why.joined(separator: "; "))")
    }

    /// Whether such a group can be made here.
    public static let isAvailable: Bool = (try? MemoryGroup(limit: 1 << 30)) != nil

    deinit { rmdir(folder) }

    /// Enters the group, then becomes what follows.
    public var wrapper: [String] {
        [Files.program("sh") ?? "sh", "-c", "echo $$ >\"$0\" && exec \"$@\"", "\(folder)/cgroup.procs"]
    }

    /// How often the kernel has killed in it.
    public var kills: Int {
        for line in (Files.text("\(folder)/\(names.events)") ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == "oom_kill" { return Int(words[1]) ?? 0 }
        }
        return 0
    }

    /// Groups that a new one may be put into: those of this process, where the controller is.
    private static func parents() -> [(String, Names)] {
        var parents: [(String, Names)] = []
        for line in (Files.text("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let path = parts[2] == "/" ? "" : String(parts[2])
            if parts[1].split(separator: ",").contains("memory") {
                parents.append(("/sys/fs/cgroup/memory\(path)", .version1))
            } else if parts[0] == "0" {
                parents.append(("/sys/fs/cgroup\(path)", .version2))
            }
        }
        return parents
    }

    private static func write(_ text: String, to path: String) -> Bool {
        let fd = open(path, O_WRONLY | O_CLOEXEC)
        guard fd >= 0 else { return false }
        defer { Glibc.close(fd) }
        return Glibc.write(fd, text, text.utf8.count) == text.utf8.count
    }
}
