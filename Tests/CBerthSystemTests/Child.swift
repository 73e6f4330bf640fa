import CBerthSystem
import Glibc
import Testing

/// A child process under test: started through the table, its output read to the end, its exit awaited.
struct Child {
    let system = cberth_system_linux()
    var spawned = cberth_spawned()
    var result: Int32 = 0
    private var output: Int32 = -1

    /// How to start it; everything has the value that changes nothing.
    struct Settings {
        var path: String?
        var environment = ["PATH=/usr/bin:/bin"]
        var directory: String?
        var user = UInt32.max
        var group = UInt32.max
        var flags = 0
        var listener: Int32 = -1
        var capturesError = false
    }

    init(_ arguments: [String], _ settings: Settings = Settings()) throws {
        var ends: [Int32] = [-1, -1]
        try #require(system.pointee.pipe_create(system, &ends, 0) == 0)
        output = ends[0]
        let arguments = arguments.map { strdup($0) }
        let environment = settings.environment.map { strdup($0) }
        let path = strdup(settings.path ?? "")
        let directory = settings.directory.map { strdup($0) }
        defer {
            for text in arguments + environment { free(text) }
            free(path)
            if let directory { free(directory) }
        }
        var argumentPointers = arguments.map { $0.map { UnsafePointer($0) } } + [nil]
        var environmentPointers = environment.map { $0.map { UnsafePointer($0) } } + [nil]
        let executable = try #require(settings.path == nil ? arguments[0] : path)
        argumentPointers.withUnsafeMutableBufferPointer { arguments in
            environmentPointers.withUnsafeMutableBufferPointer { environment in
                guard let arguments = arguments.baseAddress, let environment = environment.baseAddress else { return }
                var request = cberth_spawn_request(
                    path: executable, arguments: arguments, environment: environment,
                    working_directory: (directory ?? nil).map { UnsafePointer($0) }, standard_input: -1,
                    standard_output: ends[1], standard_error: settings.capturesError ? ends[1] : -1,
                    listen_descriptor: settings.listener, user: settings.user, group: settings.group,
                    flags: UInt32(settings.flags), reserved: 0)
                result = system.pointee.spawn(system, &request, &spawned)
            }
        }
        close(ends[1])
    }

    /// All that it wrote, and how it ended. Waits for the end of both, 20 s at most.
    func finish() throws -> (output: String, exit: cberth_exit) {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while try isReadable(output) {
            let count = read(output, &buffer, buffer.count)
            if count <= 0 { break }
            text += buffer[..<count]
        }
        close(output)
        try #require(try isReadable(spawned.pidfd))
        var exit = cberth_exit()
        #expect(system.pointee.reap(system, spawned.pidfd, &exit) == 1)
        close(spawned.pidfd)
        return (String(decoding: text, as: UTF8.self), exit)
    }

    /// Waits until something can be read, 20 s at most.
    func isReadable(_ fd: Int32) throws -> Bool {
        var poll = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        let count = Glibc.poll(&poll, 1, 20_000)
        try #require(count != 0, "nothing within 20 s")
        return count == 1
    }
}
