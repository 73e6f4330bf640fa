import Glibc
import TestSupport

/// Counts what requests cost a release daemon.
struct Meter: Sendable {
    /// Programs and libraries as a package installs them: without debug information, which valgrind of Debian 12 cannot read.
    private let programs: TemporaryFolder

    init() throws {
        guard let release = Build.releaseFolder else {
            throw Failure("there is no release build; swift build -c release makes one")
        }
        programs = try TemporaryFolder()
        for name in ["berthd", "libHelloModule.so", "libEchoModule.so", "libValgrindShim.so"] {
            try Self.run("strip", ["-g", "-o", "\(programs.path)/\(name)", "\(release)/\(name)"])
        }
    }

    /// What a request of `workload` costs, by name of call or function.
    func cost(of workload: Workload, under tool: CountingTool, batches: Int) throws -> [String: Double] {
        let counts: [String: Int] =
            switch tool {
            case .strace: try systemCalls(of: workload, batches: batches)
            case .callgrind:
                // The control thread has work of its own every second.
                try profile(of: workload, controlThread: false) { daemon in
                    let client = try daemon.connect()
                    client.patience = 60
                    // What only the first requests of a connection do is not counted.
                    try workload.run(batches: 20, on: client)
                    return { try workload.run(batches: batches, on: client) }
                }
            }
        // The one that a workload begins with is not part of a batch.
        let requests = Double(batches * workload.depth + (tool == .callgrind ? 1 : 0))
        return counts.mapValues { Double($0) / requests }
    }

    /// System calls of that many batches: the difference of two runs, so that start, end and a connection's first request
    /// cancel out.
    private func systemCalls(of workload: Workload, batches: Int) throws -> [String: Int] {
        func run(_ batches: Int) throws -> [String: Int] {
            let folder = try TemporaryFolder()
            let output = folder.path + "/counts"
            try withDaemon(workload, in: folder, under: .strace, output: output) { daemon in
                let client = try daemon.connect()
                client.patience = 60
                try workload.run(batches: batches, on: client)
                client.close()
            }
            guard let text = Files.text(output) else { throw Failure("strace wrote nothing") }
            return try CountingTool.systemCalls(text)
        }
        let few = try run(100)
        return try run(100 + batches).merging(few) { $0 - $1 }.filter { $0.value != 0 }
    }

    /// What the daemon does, kernel aside, in a piece of work and nothing else.
    ///
    /// - Parameters:
    ///   - controlThread: whether to count what the main thread does as well.
    ///   - prepare: brings the daemon there; the result is the work.
    func profile(
        of workload: Workload, controlThread: Bool, _ prepare: (Daemon) throws -> () throws -> Void
    ) throws -> [String: Int] {
        let folder = try TemporaryFolder()
        let output = folder.path + "/profile"
        try withDaemon(workload, in: folder, under: .callgrind, output: output) { daemon in
            func tell(_ command: String...) throws {
                try Self.run("vgdb", ["--pid=\(daemon.process.pid)", "--vgdb-prefix=\(output)-vgdb"] + command)
            }
            try tell("instrumentation", "on")
            let work = try prepare(daemon)
            // Writes what was counted so far and begins at 0.
            try tell("dump")
            try work()
            try tell("dump")
        }
        // One file a thread, with its number; the main thread is the first.
        var counts: [String: Int] = [:]
        for name in Files.names(in: folder.path)
        where name.hasPrefix("profile.2-") && (controlThread || name != "profile.2-01") {
            guard let octets = Files.octets(folder.path + "/" + name) else { throw Failure("\(name) cannot be read") }
            counts.merge(try CallgrindProfile(octets).counts) { $0 + $1 }
        }
        guard counts[CallgrindProfile.instructions, default: 0] > 0 else {
            throw Failure("callgrind counted nothing: \(Files.names(in: folder.path))")
        }
        return counts
    }

    /// Runs `body` with a daemon under the tool, and ends the daemon.
    private func withDaemon(
        _ workload: Workload, in folder: TemporaryFolder, under tool: CountingTool, output: String,
        _ body: (Daemon) throws -> Void
    ) throws {
        let worker = try FixedWorker(path: folder.path + "/worker.sock")
        defer { worker.stop() }
        let file = try folder.write("www/file.txt", [UInt8](repeating: UInt8(ascii: "f"), count: workload.fileSize))
        // A file that has just changed is looked at more often.
        let then = timeval(tv_sec: 1_700_000_000, tv_usec: 0)
        guard utimes(file, [then, then]) == 0 else { throw Failure.system("utimes \(file)") }
        let daemon = try Daemon(
            sites: ["site": workload.site], settings: "loops = 1\n[timeouts]\nshutdown_drain = \"1s\"\n",
            environment: tool == .callgrind ? ["LD_PRELOAD": programs.path + "/libValgrindShim.so"] : [:],
            folder: folder, wrapper: tool.wrapper(output: output), bin: programs.path)
        do {
            try daemon.waitUntilReady(seconds: 60)
            try body(daemon)
        } catch {
            // What the tool watches would outlive it.
            kill(-daemon.process.pid, SIGKILL)
            throw Failure("\(error)\n\(daemon.process.output.text)")
        }
        // strace is told nothing: it ends with the last process that it watches.
        let watched = tool == .strace ? ProcessTable.children(of: daemon.process.pid) : [daemon.process.pid]
        for pid in watched { kill(pid, SIGTERM) }
        let end = try daemon.process.wait(seconds: 60)
        guard end == .status(0) else { throw Failure("the daemon ended with \(end):\n\(daemon.process.output.text)") }
    }

    /// Runs a program of the test packages to its end.
    private static func run(_ name: String, _ arguments: [String]) throws {
        guard let program = Files.program(name) else { throw Failure("\(name) is missing: scripts/setup test") }
        let process = try ChildProcess([program] + arguments)
        guard try process.wait(seconds: 60) == .status(0) else { throw Failure("\(name): \(process.output.text)") }
    }
}
