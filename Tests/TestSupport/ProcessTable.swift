import Glibc

/// What /proc says about processes.
public enum ProcessTable {
    /// Whether it runs; one that ended and was not reaped does not.
    public static func isRunning(_ pid: Int32) -> Bool {
        guard let status = stat(pid) else { return false }
        return status.state != "Z" && status.state != "X"
    }

    /// The processes that `pid` started and that run; not the one a sanitizer asks for names of functions, which outlives it.
    public static func children(of pid: Int32) -> [Int32] {
        Files.names(in: "/proc").compactMap { Int32($0) }.filter { child in
            guard let status = stat(child) else { return false }
            return status.parent == pid && status.name != "llvm-symbolizer" && status.state != "Z"
                && status.state != "X"
        }
    }

    /// Octets of memory that are its own (resident, not of a file).
    public static func memory(of pid: Int32) -> Int {
        for line in (Files.text("/proc/\(pid)/status") ?? "").split(separator: "\n") where line.hasPrefix("RssAnon:") {
            return (Int(line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first ?? "") ?? 0) * 1024
        }
        return 0
    }

    /// What a process may grow by that is to grow by less than so many octets: with a sanitizer freed memory is held back, and all
    /// of it has a shadow.
    public static func growthMax(_ octets: Int) -> Int { Build.isSanitized ? 4 * octets : octets }

    /// What its descriptors lead to.
    public static func openFiles(of pid: Int32) -> [String] {
        Files.names(in: "/proc/\(pid)/fd").compactMap { name in
            var target = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/\(pid)/fd/\(name)", &target, target.count)
            return count < 0 ? nil : String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    private static func stat(_ pid: Int32) -> (name: Substring, state: String, parent: Int32)? {
        guard let text = Files.text("/proc/\(pid)/stat"), let start = text.firstIndex(of: "("),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let parts = text[end...].dropFirst().split(separator: " ")
        guard parts.count > 1, let parent = Int32(parts[1]) else { return nil }
        return (text[start..<end].dropFirst(), String(parts[0]), parent)
    }
}
