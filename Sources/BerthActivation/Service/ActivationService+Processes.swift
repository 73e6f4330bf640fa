import BerthEventLoop
import CBerthSystem
import Glibc

// Carries out what the machines decided, and tells them what became of it.
extension ActivationService {
    func carryOut(_ action: ActivationEffects.Action) {
        switch action {
        case .worker(let id, let application, .spawn): spawn(id, application)
        case .worker(let id, _, let step):
            guard let record = records[id] else { return }
            switch step {
            case .probe:
                let sightings = lookout.sightings(for: record)
                perform { $0.act(id, now: $1) { [now = $1] in $0.observed(sightings, now: now) } }
                watchOwner(id, among: sightings)
            case .terminate: terminate(record)
            case .kill, .clear: tree.kill(record)
            case .spawn, .drain, .sendShutdownMessage, .report: break
            }
        case .forget(let id): forget(id)
        }
    }

    private func spawn(_ id: WorkerID, _ application: ApplicationID) {
        // It may have been told to stop since it asked.
        guard let worker = core.worker(id), case .spawning = worker.state,
            let rules = core.applications[application]?.rules,
            let program = rules.program
        else { return }
        closePipe(id, .standardOutput)
        closePipe(id, .standardError)
        do throws(LaunchError) {
            let (assigned, listener) = try launcher.assignEndpoint(rules, id, attempt: worker.attempts).get()
            var record: WorkerRecord
            if let old = records[id] { record = old } else { record = try newRecord(id, rules, program, assigned) }
            close(&record.listener)
            if let path = record.socketPath, record.assigned != assigned {
                _ = system.pointee.remove_file(system, path)
            }
            (record.assigned, record.listener) = (assigned, listener)
            // Kept also if the launch fails: its socket and its token are the worker's until it is forgotten.
            defer { records[id] = record }
            try launcher.launch(program, place: rules.place, &record)
            watch(record)
        } catch {
            perform { $0.act(id, now: $1) { $0.spawnFailed(error.cause) } }
            return
        }
        guard let record = records[id] else { return }
        // A start takes a while: the probe's clock begins now.
        loop.updateTime()
        var listensAlready: WorkerEndpoint?
        if case .inherited(let path) = record.assigned { listensAlready = .unix(path: path) }
        let wall = system.pointee.wall_nanoseconds(system)
        perform { core, now in
            core.act(id, now: now) {
                $0.spawned(
                    pid: record.pid, token: record.token, place: record.assigned.description,
                    listensAlready: listensAlready, now: now, wall: wall)
            }
        }
    }

    private func newRecord(
        _ id: WorkerID, _ rules: ApplicationRules, _ program: WorkerProgram, _ assigned: AssignedEndpoint
    ) throws(LaunchError) -> WorkerRecord {
        do throws(SystemError) {
            let marker = try PairingToken.random().text
            let chosen = WorkerEnvironment.chosenToken(in: program.environment)
            let token: PairingToken
            if let chosen { token = chosen } else { token = try PairingToken.random() }
            return WorkerRecord(
                id: id, application: rules.id, marker: marker, token: token,
                user: program.identity?.user, assigned: assigned)
        } catch {
            throw LaunchError(.noEndpoint("\(error)"))
        }
    }

    private func watch(_ record: WorkerRecord) {
        let descriptors: [(Int32, Watched)] = [
            (record.pidfd, .process), (record.standardOutput, .standardOutput), (record.standardError, .standardError),
        ]
        for (fd, watched) in descriptors where loop.register(fd, EPOLLIN.rawValue, token(watched, record.id)) < 0 {
            // Only for lack of kernel memory: a process that cannot be watched is not kept.
            _ = system.pointee.signal_process(system, record.pidfd, SIGKILL)
        }
    }

    /// Where another process than the one that was started holds the socket, its end matters too.
    private func watchOwner(_ id: WorkerID, among sightings: [StartupProbe.Sighting]) {
        guard var record = records[id], let worker = core.worker(id), worker.isRunning else { return }
        unwatchOwner(&record)
        let owners = sightings.compactMap { sighting -> Int32? in
            guard case .worker(let pid) = sighting.ownership, sighting.endpoint == worker.endpoint else { return nil }
            return pid
        }
        if let pid = owners.first, pid != record.pid {
            let fd = system.pointee.process_open(system, pid)
            if fd >= 0 {
                (record.owner, record.ownerPidfd) = (pid, fd)
                _ = loop.register(fd, EPOLLIN.rawValue, token(.owner, id))  // ENOMEM: its end is seen by the requests
            }
        }
        records[id] = record
    }

    private func unwatchOwner(_ record: inout WorkerRecord) {
        close(&record.ownerPidfd)
        record.owner = -1
    }

    /// SIGTERM to the group, as a service manager does it: a shell that waits for the real program passes nothing on.
    private func terminate(_ record: WorkerRecord) {
        _ = system.pointee.signal_group(system, record.pid, SIGTERM)  // ESRCH: it went by itself
        if record.ownerPidfd >= 0 { _ = system.pointee.signal_process(system, record.ownerPidfd, SIGTERM) }
    }

    // MARK: Ends

    func processEnded(_ record: WorkerRecord) {
        var status = cberth_exit()
        let result = system.pointee.reap(system, record.pidfd, &status)
        if result == 0 { return }
        let exit: WorkerExit =
            result < 0
            ? .unknown
            : status.signal != 0
                ? .signalled(status.signal, coreDumped: status.core_dumped != 0) : .exited(status: status.status)
        read(record, .standardOutput, octetsMax: Self.lastReadMax)
        read(record, .standardError, octetsMax: Self.lastReadMax)
        guard var current = records[record.id] else { return }
        close(&current.pidfd)
        records[record.id] = current
        if current.isForgotten { return forget(record.id) }
        let sightings = core.worker(record.id)?.isRunning == true ? lookout.sightings(for: current) : []
        let stillServed = sightings.contains {
            if case .worker(let pid) = $0.ownership { pid != current.pid } else { false }
        }
        perform { $0.act(record.id, now: $1) { $0.exited(exit, stillServed: stillServed) } }
        if stillServed { watchOwner(record.id, among: sightings) }
    }

    func ownerEnded(_ record: WorkerRecord) {
        var record = record
        unwatchOwner(&record)
        records[record.id] = record
        let sightings = lookout.sightings(for: record)
        let stillServed = sightings.contains { if case .worker = $0.ownership { true } else { false } }
        perform { $0.act(record.id, now: $1) { $0.ownerExited(stillServed: stillServed) } }
        if stillServed { watchOwner(record.id, among: sightings) }
    }

    /// Nothing of the worker is needed any more, but for its process, which may still have to be reaped.
    private func forget(_ id: WorkerID) {
        guard var record = records[id] else { return }
        close(&record.standardOutput)
        close(&record.standardError)
        close(&record.listener)
        if let path = record.socketPath { _ = system.pointee.remove_file(system, path) }  // ENOENT: it was never made
        unwatchOwner(&record)
        record.isForgotten = true
        records[id] = record.pidfd < 0 ? nil : record
    }

    // MARK: Output

    func read(_ record: WorkerRecord, _ stream: OutputStream, octetsMax: Int) {
        let fd = stream == .standardOutput ? record.standardOutput : record.standardError
        guard fd >= 0, let buffer = readBuffer.baseAddress else { return }
        var left = octetsMax
        while left > 0 {
            let count = system.pointee.read_some(system, fd, buffer, readBuffer.count)
            if count == -Int(EAGAIN) || count == -Int(EINTR) { return }
            if count <= 0 { return closePipe(record.id, stream) }
            left -= count
            core.wrote(
                UnsafeRawBufferPointer(start: buffer, count: count), to: stream, by: record.id, now: loop.now,
                wall: system.pointee.wall_nanoseconds(system))
            if count < readBuffer.count { return }
        }
    }

    private func closePipe(_ id: WorkerID, _ stream: OutputStream) {
        guard var record = records[id] else { return }
        switch stream {
        case .standardOutput: close(&record.standardOutput)
        case .standardError: close(&record.standardError)
        }
        records[id] = record
    }

    private func close(_ fd: inout Int32) {
        if fd >= 0 { _ = system.pointee.close(system, fd) }
        fd = -1
    }
}
