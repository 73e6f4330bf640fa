internal import CBerthModule
internal import CBerthSystem
internal import Glibc
internal import Synchronization

/// What all loops of one basic-authentication share: the users, read again when their file changed. Any thread.
final class PasswordStore: @unchecked Sendable {
    // Unchecked for `challenge`, whose memory is never changed.
    private struct State {
        var file: PasswordFile
        var identity: PasswordFile.Identity
        /// Of the reading: a changed file makes everything that was remembered void.
        var generation: UInt64 = 1
        /// The last attempt failed, and was reported.
        var isFailing = false
    }

    let host: LogHost
    let path: String
    /// `Basic realm="...", charset="UTF-8"` (RFC 7617 §2.1).
    let challenge: berth_octets
    /// Of this process, of this instance: known to nobody else.
    let keys: (UInt64, UInt64, UInt64, UInt64)
    /// Time verified credentials are remembered, in nanoseconds. Ours: 60 s.
    let cacheTime: UInt64
    private let state: Mutex<State>
    /// Copies of what the loops look at, without the lock: the generation, and when the file was last looked at.
    private let generationWord = Atomic<UInt64>(1)
    private let checkedAt: Atomic<UInt64>

    /// Nil, with the problems noted, when the settings are wrong or the file cannot be read.
    init?(_ host: HostTable, _ reader: inout SettingsReader) {
        let realm = reader.text("realm") ?? reader.site
        cacheTime = UInt64(reader.number("cache_time", default: 60_000, in: 0...3_600_000)) * 1_000_000
        guard let users = reader.file("users") else {
            if reader.list("users").isEmpty {
                reader.problem("basic-authentication needs 'users = \"file:PATH\"'", at: "")
            }
            return nil
        }
        if let setting = reader.setting("realm"), realm.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
            reader.problem("'realm' holds a control character", at: setting)
        }
        switch Self.read(users.path) {
        case .failure(let error):
            reader.problem("cannot read '\(users.path)': \(error.reason)", at: users.location)
            return nil
        case .success(let (file, identity)):
            state = Mutex(State(file: file, identity: identity))
            for problem in file.problems { host.log(Int(BERTH_LOG_WARNING), "basic-authentication: \(problem)") }
        }
        var keys: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        guard cberth_random(&keys, MemoryLayout.size(ofValue: keys)) == 0 else {
            reader.problem("the system gives no random octets", at: "")
            return nil
        }
        self.keys = keys
        self.host = LogHost(table: host)
        path = users.path
        checkedAt = Atomic(host.pointee.monotonic_nanoseconds())
        var quoted = ""
        for character in realm {
            if character == "\"" || character == "\\" { quoted.append("\\") }
            quoted.append(character)
        }
        challenge = .copy(of: "Basic realm=\"\(quoted)\", charset=\"UTF-8\"")
    }

    deinit { challenge.deallocate() }

    /// Of the reading that is valid now.
    var generation: UInt64 { generationWord.load(ordering: .acquiring) }

    /// Whether the file was looked at within the last second.
    func isFresh(at now: UInt64) -> Bool { now &- checkedAt.load(ordering: .relaxed) < 1_000_000_000 }

    /// Looks at the file if that is a second ago, then verifies. Answers the generation it is true for, or nil. Blocks.
    func verify(user: [UInt8], password: UnsafePointer<CChar>) -> UInt64? {
        refresh()
        let (file, generation) = state.withLock { ($0.file, $0.generation) }
        var hash = SipHash(keys.0, keys.3)
        for octet in user { hash.add(octet) }
        return file.verify(user: user, password: password, seed: hash.finish()) ? generation : nil
    }

    /// Reads the file again when it is another one than before; keeps the users when it cannot be read. Blocks.
    func refresh() {
        let now = host.table.pointee.monotonic_nanoseconds()
        guard !isFresh(at: now) else { return }
        state.withLock { state in
            guard !isFresh(at: now) else { return }
            // After the look, so that nobody trusts the old users meanwhile.
            defer { checkedAt.store(now, ordering: .relaxed) }
            if let identity = Self.identity(path), identity == state.identity { return }
            switch Self.read(path) {
            case .failure(let error):
                if !state.isFailing {
                    host.table.log(
                        Int(BERTH_LOG_ERROR),
                        "basic-authentication: cannot read '\(path)': \(error.reason); keeping the users as they were")
                }
                state.isFailing = true
            case .success(let (file, identity)):
                state.file = file
                state.identity = identity
                state.generation += 1
                state.isFailing = false
                generationWord.store(state.generation, ordering: .releasing)
                host.table.log(
                    Int(BERTH_LOG_NOTICE), "basic-authentication: read '\(path)' again, \(file.userCount) users")
                for problem in file.problems {
                    host.table.log(Int(BERTH_LOG_WARNING), "basic-authentication: \(problem)")
                }
            }
        }
    }

    private static func identity(_ path: String) -> PasswordFile.Identity? {
        let system = cberth_system_linux()
        let fd = path.withCString { system.pointee.open_read(system, $0) }
        guard fd >= 0 else { return nil }
        defer { _ = system.pointee.close(system, fd) }
        var status = cberth_file_status()
        guard system.pointee.file_status(system, fd, &status) == 0 else { return nil }
        return PasswordFile.Identity(status)
    }

    private static func read(_ path: String) -> Result<(PasswordFile, PasswordFile.Identity), SmallFile.Failure> {
        // The identity first: what changes in between is seen at the next look.
        let identity = identity(path) ?? PasswordFile.Identity()
        return SmallFile.read(path, octetsMax: PasswordFile.octetsMax).map { octets in
            (PasswordFile(octets, path: path), identity)
        }
    }
}
