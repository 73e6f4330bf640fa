import BerthEventLoop
import CBerthSystem
import Glibc

/// Makes the process of one attempt: gives it a place to listen, its environment, its pipes.
struct WorkerLauncher {
    /// Ports that are tried before there is none to be had. Source: ANCM `MAX_RETRY`.
    static let portAttemptsMax = 10
    /// Requests that may wait in an inherited socket while the worker starts; the kernel's own limit is lower by default.
    static let inheritedBacklog: Int32 = 1024

    let system: UnsafePointer<cberth_system>
    /// Of the daemon.
    let environment: [EnvironmentEntry]
    /// Where workers' sockets live: an absolute path, made by the owner.
    let socketDirectory: String
    /// Random numbers for ports and markers.
    let random: () -> UInt64

    // MARK: A place to listen

    /// A place as the rules want it, or why there is none. An inherited socket's descriptor comes with it, else -1.
    func assignEndpoint(
        _ rules: ApplicationRules, _ id: WorkerID, attempt: Int
    ) -> Result<(AssignedEndpoint, listener: Int32), LaunchError> {
        switch rules.endpoint {
        case .port(let fixed):
            if let fixed { return .success((.port(fixed), -1)) }
            switch WorkerEnvironment.portSetting(in: rules.program?.environment ?? []) {
            case .port(let port): return .success((.port(port), -1))
            case .invalid(let text): return .failure(LaunchError(.invalidPort(text)))
            case .unset: return freePort().map { (.port($0), -1) }
            }
        case .unixSocket:
            return prepareSocketPath(rules, id, attempt).map { (.unixSocket(path: $0), -1) }
        case .inherited:
            return prepareSocketPath(rules, id, attempt).flatMap { path in
                guard var endpoint = WorkerEndpoint.unix(path: path).systemEndpoint else {
                    return .failure(LaunchError(.noEndpoint("the path \(path) is too long for a socket")))
                }
                let fd = system.pointee.listen_on(system, &endpoint, Self.inheritedBacklog)
                if fd < 0 { return .failure(noEndpoint("listening on \(path)", fd)) }
                return .success((.inherited(path: path), fd))
            }
        case .external: return .failure(LaunchError(.noEndpoint("the application is run by somebody else")))
        }
    }

    /// A port at random on which nobody listens: bound, and let go of at once.
    private func freePort() -> Result<UInt16, LaunchError> {
        let range = EndpointChoice.portRange
        for _ in 0..<Self.portAttemptsMax {
            let port = range.lowerBound + UInt16(random() % UInt64(range.count))
            guard var endpoint = WorkerEndpoint.tcp(address: "127.0.0.1", port: port).systemEndpoint else { continue }
            let fd = system.pointee.listen_on(system, &endpoint, 1)
            if fd < 0 { continue }
            _ = system.pointee.close(system, fd)
            return .success(port)
        }
        return .failure(LaunchError(.noEndpoint("no free port on 127.0.0.1 after \(Self.portAttemptsMax) tries")))
    }

    /// A folder of the worker's own, so that it may make the socket and nobody else may reach it.
    private func prepareSocketPath(
        _ rules: ApplicationRules, _ id: WorkerID, _ attempt: Int
    ) -> Result<String, LaunchError> {
        let folder = "\(socketDirectory)/\(rules.id.rawValue)"
        let made = system.pointee.make_directory(system, folder, 0o700)
        if made < 0, made != -EEXIST { return .failure(noEndpoint("making \(folder)", made)) }
        // An earlier worker may have had another user.
        let identity = rules.program?.identity
        if let identity {
            let owned = system.pointee.change_owner(system, folder, identity.user, identity.group ?? .max)
            if owned < 0 { return .failure(noEndpoint("giving \(folder) to user \(identity.user)", owned)) }
        }
        let path = "\(folder)/\(id.rawValue)-\(attempt).sock"
        guard path.utf8.count <= WorkerEndpoint.unixPathMax else {
            return .failure(LaunchError(.noEndpoint("the path \(path) is too long for a socket")))
        }
        _ = system.pointee.remove_file(system, path)  // ENOENT is the rule: left over by a daemon that was killed
        return .success(path)
    }

    private func noEndpoint(_ what: String, _ code: Int32) -> LaunchError {
        LaunchError(.noEndpoint("\(what): \(SystemError("launch", -code).reason)"))
    }

    // MARK: The process

    /// Makes the process; fills in the record's pid, pidfd and pipes.
    func launch(_ program: WorkerProgram, place: WorkerPlace, _ record: inout WorkerRecord) throws(LaunchError) {
        let block = WorkerEnvironment(
            daemon: environment, program: program, place: place, assigned: record.assigned, token: record.token,
            marker: record.marker)
        var output: [Int32] = [-1, -1]
        var error: [Int32] = [-1, -1]
        guard system.pointee.pipe_create(system, &output, 0) >= 0 else {
            throw LaunchError(.noEndpoint("no pipe could be made"))
        }
        guard system.pointee.pipe_create(system, &error, 0) >= 0 else {
            close(output)
            throw LaunchError(.noEndpoint("no pipe could be made"))
        }
        let path = resolve(program)
        let arguments = CStringArray([program.executable] + program.arguments.map { block.expanding($0) })
        let variables = CStringArray(block.entries.map { "\($0.name)=\($0.value)" })
        defer {
            arguments.free()
            variables.free()
        }
        var spawned = cberth_spawned()
        let result = path.withCString { path in
            program.workingDirectory.withCString { directory in
                var request = cberth_spawn_request(
                    path: path, arguments: arguments.pointers, environment: variables.pointers,
                    working_directory: directory, standard_input: -1, standard_output: output[1],
                    standard_error: error[1], listen_descriptor: record.listener,
                    user: program.identity?.user ?? .max, group: program.identity?.group ?? .max,
                    flags: UInt32(CBERTH_SPAWN_NEW_GROUP | CBERTH_SPAWN_DIE_WITH_PARENT), reserved: 0)
                return system.pointee.spawn(system, &request, &spawned)
            }
        }
        close([output[1], error[1]])
        if result < 0 {
            close([output[0], error[0]])
            throw LaunchError(.notExecuted(StartFailure.ExecutionStep(step: spawned.failed_step), errno: -result))
        }
        (record.pid, record.pidfd) = (spawned.pid, spawned.pidfd)
        (record.standardOutput, record.standardError) = (output[0], error[0])
    }

    /// A bare name that is a file of the working directory means that file, before `PATH` is looked at. Source: ANCM `processPath`.
    private func resolve(_ program: WorkerProgram) -> String {
        guard !program.executable.utf8.contains(UInt8(ascii: "/")) else { return program.executable }
        let local = "\(program.workingDirectory)/\(program.executable)"
        let fd = system.pointee.open_read(system, local)
        // What may be executed need not be readable.
        if fd == -EACCES { return local }
        guard fd >= 0 else { return program.executable }
        defer { _ = system.pointee.close(system, fd) }
        var status = cberth_file_status()
        let isFile = system.pointee.file_status(system, fd, &status) == 0 && status.mode & S_IFMT == S_IFREG
        return isFile ? local : program.executable
    }

    private func close(_ descriptors: [Int32]) {
        for fd in descriptors where fd >= 0 { _ = system.pointee.close(system, fd) }
    }
}

extension StartFailure.ExecutionStep {
    /// The step that the door names.
    init(step: Int32) {
        switch Int(step) {
        case CBERTH_SPAWN_STEP_USER: self = .user
        case CBERTH_SPAWN_STEP_DIRECTORY: self = .directory
        case CBERTH_SPAWN_STEP_DESCRIPTORS: self = .descriptors
        case CBERTH_SPAWN_STEP_EXECUTE: self = .execute
        default: self = .fork
        }
    }
}
