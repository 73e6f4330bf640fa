internal import CBerthModule
internal import CBerthSystem
internal import Glibc

/// The files of one application on one loop. Loop thread only.
struct StaticFilesContext {
    /// Time an entry is believed without a look, in nanoseconds. With that of a folder it makes the second after which
    /// every change is seen.
    static let validity: UInt64 = 500_000_000
    /// Time an open file is believed to be as its head says, in nanoseconds: one that is written anew in its place may become
    /// shorter than was announced. Ours: short beside the writing of a file, long beside a hundred thousand requests a second.
    static let intactValidity: UInt64 = 10_000_000
    /// Time a folder's descriptor is believed to be the folder of that name, in nanoseconds.
    static let folderValidity: UInt64 = 500_000_000
    /// Time between two looks for files that nobody asked for meanwhile, in nanoseconds: such a file is let go after that
    /// time or twice that. Source: IIS `ObjectCacheTTL`, 30 seconds.
    static let unusedTime: UInt64 = 30_000_000_000

    /// A folder as it was found last.
    private struct OpenFolder {
        var fd: Int32 = -1
        var openedAt: UInt64 = 0
    }

    let host: HostTable
    // Retained by the instance, which outlives every context.
    let instance: Unmanaged<StaticFilesInstance>
    let hashSeed: UInt64
    var cache: FileCache
    private var lookedForUnused: UInt64 = 0
    private let folders: UnsafeMutablePointer<OpenFolder>
    private let folderCount: Int
    private(set) var openFolderCount = 0

    init(_ instance: Unmanaged<StaticFilesInstance>) {
        self.instance = instance
        (host, hashSeed, folderCount) = instance._withUnsafeGuaranteedRef { ($0.host, $0.hashSeed, $0.folders.count) }
        cache = instance._withUnsafeGuaranteedRef { FileCache($0.budget) }
        folders = .allocate(capacity: folderCount)
        folders.initialize(repeating: OpenFolder(), count: folderCount)
    }

    /// Gives everything back. No request is left.
    mutating func end() {
        cache.removeAll()
        cache.deallocate()
        for index in 0..<folderCount { closeFolder(index) }
        folders.deallocate()
    }

    /// Once a second: a site that nobody visits holds no descriptor after a second, and no file after a minute.
    mutating func tick() {
        guard openFolderCount > 0 || cache.count > 0 else { return }
        let now = host.pointee.monotonic_nanoseconds()
        for index in 0..<folderCount where Self.isOver(Self.folderValidity, since: folders[index].openedAt, now) {
            closeFolder(index)
        }
        if Self.isOver(Self.unusedTime, since: lookedForUnused, now) {
            lookedForUnused = now
            cache.removeUnused()
        }
    }

    private mutating func closeFolder(_ index: Int) {
        guard folders[index].fd >= 0 else { return }
        close(folders[index].fd)
        folders[index].fd = -1
        openFolderCount -= 1
        instance._withUnsafeGuaranteedRef { $0.budget.giveFolderBack() }
    }

    /// Takes over a folder's descriptor; closes it where all caches together keep too many.
    private mutating func keepFolder(_ index: Int, _ fd: Int32, _ now: UInt64) {
        closeFolder(index)
        guard instance._withUnsafeGuaranteedRef({ $0.budget.takeFolder() }) else { return close(fd) }
        folders[index] = OpenFolder(fd: fd, openedAt: now)
        openFolderCount += 1
    }

    private func close(_ fd: Int32) {
        guard fd >= 0 else { return }
        let system = cberth_system_linux()
        _ = system.pointee.close(system, fd)
    }

    // MARK: Stages

    mutating func execute(_ request: RequestPointer) -> Int32 {
        let isHead = request.isMethod("HEAD")
        guard isHead || request.isMethod("GET") else { return otherMethod(request) }
        let path = request.pointee.path
        let hash = FileCache.hash(path, seed: hashSeed)
        // Good enough for a file, and no clock is read. It may lie before the time of an entry that another request has read.
        let now = request.pointee.received_at
        guard let entry = cache.find(path, hash) else { return look(request, path, hash, now, nil) }
        if Self.isOver(Self.validity, since: entry.pointee.validatedAt, now), !validate(entry, now) {
            return look(request, path, hash, now, entry)
        }
        if entry.pointee.fd >= 0, Self.isOver(Self.intactValidity, since: entry.pointee.intactAt, now) {
            if !FileLoader.isIntact(entry) { return look(request, path, hash, now, entry) }
            entry.pointee.intactAt = now
        }
        entry.pointee.wasUsed = true
        return send(request, entry, isHead: isHead)
    }

    mutating func resumed(_ request: RequestPointer, _ event: UInt32, _ value: Int64) -> Int32 {
        let slot = host.pointee.slot(request)
        guard let state = slot.pointee else { return StageAnswer.error }
        // The pool still works with the job when the client leaves: wait for it.
        guard event == UInt32(BERTH_EVENT_BLOCKING_DONE) else { return StageAnswer.pending }
        switch StaticFilesState(rawValue: state.load(as: UInt32.self)) {
        case .load:
            slot.pointee = nil
            return loaded(request, state.assumingMemoryBound(to: LoadJob.self))
        case .multipart:
            let body = state.assumingMemoryBound(to: MultipartBody.self)
            guard value == 0 else {
                return host.refuse(request, 500, 0, "static-files: the file became shorter while it was read")
            }
            return send(request, body)
        default: return StageAnswer.error
        }
    }

    /// The response is through: what it used is let go.
    func ended(_ request: RequestPointer) {
        let slot = host.pointee.slot(request)
        guard let state = slot.pointee else { return }
        slot.pointee = nil
        switch StaticFilesState(rawValue: state.load(as: UInt32.self)) {
        case .entry: state.assumingMemoryBound(to: FileEntry.self).release()
        case .multipart: state.assumingMemoryBound(to: MultipartBody.self).free()
        // A job is taken out of the slot before its request can end.
        case .load, nil: break
        }
    }

    // MARK: Looking

    /// Whether so much time has passed from one moment to another. Not when the second lies before the first.
    @inline(__always)
    private static func isOver(_ time: UInt64, since moment: UInt64, _ now: UInt64) -> Bool {
        Int64(bitPattern: now &- moment) >= Int64(bitPattern: time)
    }

    /// Looks without waiting whether the file of an entry is as it was. False: somebody who may wait must look.
    private mutating func validate(_ entry: UnsafeMutablePointer<FileEntry>, _ now: UInt64) -> Bool {
        let folder = folders[entry.pointee.folder]
        // A default document that isn't the first may have been overtaken by one that is new.
        guard folder.fd >= 0, !Self.isOver(Self.folderValidity, since: folder.openedAt, now),
            entry.pointee.documentIndex == 0,
            !entry.pointee.isRecent, FileLoader.isUnchanged(entry, in: folder.fd) == true
        else { return false }
        entry.pointee.validatedAt = now
        return true
    }

    /// Sends somebody to the disk who may wait.
    private mutating func look(
        _ request: RequestPointer, _ path: berth_octets, _ hash: UInt64, _ now: UInt64,
        _ entry: UnsafeMutablePointer<FileEntry>?
    ) -> Int32 {
        let local = request.pathInApplication
        let (folder, rest) = instance._withUnsafeGuaranteedRef { $0.locate(local) }
        if entry == nil {
            if rest.index(of: 0) != nil { return host.refuse(request, 404, 0, "static-files: the path holds NUL") }
            if !instance._withUnsafeGuaranteedRef({ $0.servesHiddenFiles }), Self.isHidden(rest) {
                return host.refuse(request, 404, 9, "static-files: the path holds a name that begins with a dot")
            }
            if let answer = answerFromMemory(request, folder, rest, now) { return answer }
        }
        let wantsDocument = path.start.map { $0[path.length - 1] == 0x2f } ?? false
        let expected = entry.flatMap { $0.pointee.isRecent ? nil : $0.pointee.identity }
        let job = LoadJob.make(instance, folder: folder, rest: rest, wantsDocument: wantsDocument, expected: expected)
        host.pointee.slot(request).pointee = UnsafeMutableRawPointer(job)
        let result = host.pointee.run_blocking(request, 2, LoadJob.run, UnsafeMutableRawPointer(job))
        guard result == 0 else {
            host.pointee.slot(request).pointee = nil
            job.free()
            return host.refuse(request, 503, 0, "static-files: too many files are being opened")
        }
        return StageAnswer.pending
    }

    /// What the kernel can say at once about a file we don't have: mostly that it isn't there. Nil: somebody must look.
    private func answerFromMemory(
        _ request: RequestPointer, _ folder: Int, _ rest: berth_octets, _ now: UInt64
    ) -> Int32? {
        let open = folders[folder]
        guard open.fd >= 0, !Self.isOver(Self.folderValidity, since: open.openedAt, now), rest.count > 0,
            rest.length < Int(PATH_MAX),
            let start = rest.start
        else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: rest.length + 1) { room -> Int32? in
            guard let path = room.baseAddress else { return nil }
            memcpy(path, start, rest.length)
            path[rest.length] = 0
            let system = cberth_system_linux()
            let fd = system.pointee.open_beneath(system, open.fd, path, UInt32(CBERTH_OPEN_BENEATH_CACHED))
            if fd >= 0 {
                // It is there: reading it may take longer, so leave that to the pool.
                close(fd)
                return nil
            }
            return fd == -EAGAIN ? nil : refuse(request, fd)
        }
    }

    /// Somebody has looked.
    private mutating func loaded(_ request: RequestPointer, _ job: UnsafeMutablePointer<LoadJob>) -> Int32 {
        let outcome = job.pointee.outcome
        let folder = job.pointee.folder
        let now = host.pointee.monotonic_nanoseconds()
        if job.pointee.folderFD >= 0 {
            keepFolder(folder, job.pointee.folderFD, now)
        }
        job.free()

        let path = request.pointee.path
        let hash = FileCache.hash(path, seed: hashSeed)
        let known = cache.find(path, hash)
        if case .failed(let error) = outcome, Self.isShortage(error), let known {
            // Nobody can look now. What was there a moment ago is a better answer than none.
            known.pointee.validatedAt = now
            return send(request, known, isHead: request.isMethod("HEAD"))
        }
        switch outcome {
        case .unchanged:
            guard let known else {
                // Thrown out meanwhile: look once more, this time for everything.
                return look(request, path, hash, now, nil)
            }
            known.pointee.validatedAt = now
            return send(request, known, isHead: request.isMethod("HEAD"))
        case .found(let found):
            let type = instance._withUnsafeGuaranteedRef { $0.types.type(of: found.diskPath) } ?? berth_octets(nil, 0)
            let key = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, path.length))
            if let start = path.start { key.update(from: start, count: path.length) }
            let (control, sendsETag) = instance._withUnsafeGuaranteedRef { ($0.cacheControl, $0.sendsETag) }
            let entry = FileEntry.make(
                found, key: berth_octets(UnsafePointer(key), path.length), hash: hash, folder: folder, type: type,
                cacheControl: control, sendsETag: sendsETag, wallSeconds: host.pointee.wall_seconds(), now: now)
            // Held here too: one that no cache has room for goes with its request.
            entry.pointee.references += 1
            defer { entry.release() }
            _ = cache.insert(entry)
            return send(request, entry, isHead: request.isMethod("HEAD"))
        default:
            if let known { cache.remove(known) }
            switch outcome {
            case .isDirectory: return redirect(request)
            case .noDocument: return host.refuse(request, 403, 14, "static-files: the folder has no default document")
            case .unknownType: return host.refuse(request, 404, 3, "static-files: no media type for this extension")
            case .failed(let error): return refuse(request, error)
            default: return StageAnswer.error
            }
        }
    }

    /// Names that begin with a dot, but for the folder of RFC 8615.
    static func isHidden(_ rest: berth_octets) -> Bool {
        guard let start = rest.start else { return false }
        let wellKnown: StaticString = ".well-known"
        for index in 0..<rest.length where start[index] == 0x2e && (index == 0 || start[index - 1] == 0x2f) {
            if index == 0 {
                let count = wellKnown.utf8CodeUnitCount
                if rest.prefix(count).equals(berth_octets(wellKnown)), rest.length == count || start[count] == 0x2f {
                    continue
                }
            }
            return true
        }
        return false
    }

    // MARK: Refusing

    /// Whether the daemon has no descriptor or memory left for a look at the disk.
    private static func isShortage(_ error: Int32) -> Bool { [-EMFILE, -ENFILE, -ENOMEM].contains(error) }

    private func refuse(_ request: RequestPointer, _ error: Int32) -> Int32 {
        switch -error {
        // EXDEV: the path, or a symbolic link on it, leads out of the folder.
        case ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP, EXDEV, ENXIO, ENODEV, EINVAL:
            return host.refuse(request, 404, 0, "static-files: there is no such file")
        case EACCES, EPERM: return host.refuse(request, 401, 3, "static-files: the file may not be read")
        case EMFILE, ENFILE, ENOMEM, EBUSY: return host.refuse(request, 503, 0, "static-files: out of descriptors")
        default:
            let reason = "static-files: the file cannot be read: \(SmallFile.reason(-error))"
            return host.refuse(request, 500, 0, because: reason)
        }
    }

    private func otherMethod(_ request: RequestPointer) -> Int32 {
        _ = host.pointee.add_response_field(request, berth_octets("Allow"), berth_octets("GET, HEAD, OPTIONS"))
        guard request.isMethod("OPTIONS") else {
            return host.refuse(request, 405, 0, "static-files: files take GET, HEAD and OPTIONS")
        }
        var head = berth_response_head()
        head.size = UInt32(MemoryLayout<berth_response_head>.size)
        head.status = 200
        return answer(host.pointee.respond(request, &head, nil, 0))
    }

    @inline(__always)
    func answer(_ result: Int32) -> Int32 {
        result == 0 || result == Int32(BERTH_GONE) ? StageAnswer.finish : StageAnswer.error
    }
}
