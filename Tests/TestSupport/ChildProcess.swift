import CBerthSystem
import Glibc

/// A process that a test started: its output is kept, its end awaited, and it does not outlive the test.
public final class ChildProcess: @unchecked Sendable {
    /// How a process ended.
    public enum End: Equatable, Sendable {
        case status(Int32)
        case signal(Int32)
    }

    private let system = cberth_system_linux()
    public let pid: Int32
    private let pidfd: Int32
    /// Standard output and standard error.
    public let output: Lines
    private var ended: End?

    /// - Parameters:
    ///   - arguments: the program's path first.
    ///   - environment: on top of the usual; a variable without a value is taken out.
    public init(_ arguments: [String], environment: [String: String?] = [:], directory: String? = nil) throws {
        let system = system
        var ends: [Int32] = [-1, -1]
        guard system.pointee.pipe_create(system, &ends, 0) == 0 else { throw Failure.system("pipe") }
        // The reading end blocks: a thread of its own reads it.
        _ = fcntl(ends[0], F_SETFL, fcntl(ends[0], F_GETFL) & ~O_NONBLOCK)
        _ = fcntl(ends[1], F_SETFL, fcntl(ends[1], F_GETFL) & ~O_NONBLOCK)
        var variables = Self.environment
        for (name, value) in environment { variables[name] = value }
        let argumentTexts = arguments.map { strdup($0) }
        let environmentTexts = variables.map { strdup("\($0)=\($1)") }
        let folder = directory.map { strdup($0) }
        defer {
            for text in argumentTexts + environmentTexts { free(text) }
            if let folder { free(folder) }
        }
        let argumentPointers = argumentTexts.map { $0.map { UnsafePointer($0) } } + [nil]
        let environmentPointers = environmentTexts.map { $0.map { UnsafePointer($0) } } + [nil]
        var spawned = cberth_spawned()
        let writing = ends[1]
        let result: Int32 = argumentPointers.withUnsafeBufferPointer { arguments in
            environmentPointers.withUnsafeBufferPointer { environment in
                guard let first = arguments.baseAddress, let path = first[0], let variables = environment.baseAddress
                else {
                    return -EINVAL
                }
                var request = cberth_spawn_request(
                    path: path, arguments: first, environment: variables,
                    working_directory: (folder ?? nil).map { UnsafePointer($0) }, standard_input: -1,
                    standard_output: writing, standard_error: writing, listen_descriptor: -1, user: .max, group: .max,
                    flags: UInt32(CBERTH_SPAWN_NEW_GROUP | CBERTH_SPAWN_DIE_WITH_PARENT), reserved: 0)
                return system.pointee.spawn(system, &request, &spawned)
            }
        }
        close(ends[1])
        guard result == 0 else {
            close(ends[0])
            throw Failure.system("start \(arguments.first ?? "")", -result)
        }
        (pid, pidfd) = (spawned.pid, spawned.pidfd)
        output = try Lines(reading: ends[0])
    }

    deinit {
        if ended == nil {
            signal(SIGKILL)
            _ = try? wait()
        }
        close(pidfd)
    }

    private static let environment: [String: String] = {
        var variables = ["SWIFT_BACKTRACE": "enable=no", "LANG": "C.UTF-8"]
        for name in ["PATH", "HOME", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"] {
            if let value = getenv(name) { variables[name] = String(cString: value) }
        }
        return variables
    }()

    public func signal(_ number: Int32) {
        // One that has just ended by itself needs none.
        _ = system.pointee.signal_process(system, pidfd, number)
    }

    public var isRunning: Bool { ended == nil && !Deadline(seconds: 0).wait(for: POLLIN, of: pidfd) }

    /// Waits for its end.
    @discardableResult
    public func wait(seconds: Double = Deadline.patience) throws -> End {
        if let ended { return ended }
        guard Deadline(seconds: seconds).wait(for: POLLIN, of: pidfd) else {
            throw Failure(
                "process \(pid) runs on after \(seconds) s:\n\(output.all.suffix(20).joined(separator: "\n"))")
        }
        var exit = cberth_exit()
        guard system.pointee.reap(system, pidfd, &exit) == 1 else { throw Failure("process \(pid) cannot be reaped") }
        let end: End = exit.signal != 0 ? .signal(exit.signal) : .status(exit.status)
        ended = end
        return end
    }
}
