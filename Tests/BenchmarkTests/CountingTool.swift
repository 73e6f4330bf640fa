import TestSupport

/// A tool under which the daemon runs and that counts what it does.
enum CountingTool: Sendable {
    /// System calls of all threads.
    case strace
    /// Instructions outside the kernel, and calls of functions.
    case callgrind

    /// What goes before the program's own path.
    func wrapper(output: String) throws -> [String] {
        let name = self == .strace ? "strace" : "valgrind"
        guard let program = Files.program(name) else { throw Failure("\(name) is missing: scripts/setup test") }
        switch self {
        case .strace:
            return [program, "-f", "-c", "--summary-columns=calls,name", "-o", output]
        case .callgrind:
            return [
                program, "--tool=callgrind", "--callgrind-out-file=\(output)", "--vgdb-prefix=\(output)-vgdb",
                "--instr-atstart=no", "--separate-threads=yes", "--quiet",
            ]
        }
    }

    /// Lines of two columns: calls, name.
    static func systemCalls(_ text: String) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let columns = line.split(separator: " ")
            guard columns.count == 2, let count = Int(columns[0]), columns[1] != "total" else { continue }
            counts[String(columns[1]), default: 0] += count
        }
        guard !counts.isEmpty else { throw Failure("strace counted nothing:\n\(text)") }
        return counts
    }
}
