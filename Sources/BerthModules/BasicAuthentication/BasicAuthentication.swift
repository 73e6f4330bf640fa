public import CBerthModule
internal import Glibc

/// Asks for user and password and verifies them against a htpasswd file (RFC 7617).
///
/// Without credentials the request goes on unnamed, with a challenge in its response: where no other module names the
/// caller, the host answers 401.2. Wrong credentials are 401.1, malformed ones 400. Hashes are computed on the host's pool
/// of blocking work; a full pool is 503. Source: IIS BasicAuthentication.
public enum BasicAuthentication {
    public static let register: berth_module_register_function = { host, module, failure in
        module.describe("basic-authentication")
        module.pointee.create_instance = { host, settings, instance, failure in
            var reader = SettingsReader(settings)
            let store = PasswordStore(host, &reader)
            if let text = reader.failure() { return failure.write(text) }
            guard let store else { return failure.write("basic-authentication cannot start") }
            instance.pointee = Unmanaged.passRetained(store).toOpaque()
            return 0
        }
        module.pointee.destroy_instance = { instance in
            guard let instance else { return }
            Unmanaged<PasswordStore>.fromOpaque(instance).release()
        }
        module.pointee.create_context = { instance, _, context, failure in
            guard let instance else { return failure.write("the host gave no instance") }
            let store = Unmanaged<PasswordStore>.fromOpaque(instance)
            let made = UnsafeMutablePointer<BasicContext>.allocate(capacity: 1)
            made.initialize(to: BasicContext(store))
            context.pointee = UnsafeMutableRawPointer(made)
            return 0
        }
        module.pointee.destroy_context = { context in
            guard let context = context?.assumingMemoryBound(to: BasicContext.self) else { return }
            context.pointee.cache.deallocate()
            context.deallocate()
        }
        module.pointee.stages.1 = { context, request in
            guard let context else { return StageAnswer.error }
            return context.assumingMemoryBound(to: BasicContext.self).pointee.authenticate(request)
        }
        module.pointee.resumed = { context, request, event, value in
            guard let context else { return StageAnswer.error }
            // The pool still works with the request's memory when the client leaves: wait for it.
            guard event == UInt32(BERTH_EVENT_BLOCKING_DONE) else { return StageAnswer.pending }
            return context.assumingMemoryBound(to: BasicContext.self).pointee.verified(request, value)
        }
        return 0
    }
}

/// One basic-authentication on one loop. Loop thread only.
struct BasicContext {
    let host: HostTable
    // Retained by the instance, which outlives every context.
    let store: Unmanaged<PasswordStore>
    let challenge: berth_octets
    let keys: (UInt64, UInt64, UInt64, UInt64)
    let cache: VerifiedCache

    init(_ store: Unmanaged<PasswordStore>) {
        self.store = store
        (host, challenge, keys) = store._withUnsafeGuaranteedRef { ($0.host.table, $0.challenge, $0.keys) }
        cache = VerifiedCache(timeToLive: store._withUnsafeGuaranteedRef { $0.cacheTime })
    }

    func authenticate(_ request: RequestPointer) -> Int32 {
        guard request.pointee.authentication_type.count == 0 else { return StageAnswer.proceed }
        var value = berth_octets(nil, 0)
        if let fields = request.pointee.fields {
            for index in 0..<Int(request.pointee.field_count)
            where fields[index].name_length == 13 && request.fieldName(fields[index]).equalsLowered("authorization") {
                if value.start != nil {
                    return host.refuse(request, 400, 0, "basic-authentication: more than one Authorization field")
                }
                value = request.fieldValue(fields[index])
            }
        }
        guard value.start != nil else { return goOnUnnamed(request) }

        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: BasicCredentials.decodedMax + 3) { room in
            guard let octets = room.baseAddress else { return StageAnswer.error }
            defer { explicit_bzero(octets, room.count) }
            switch BasicCredentials.read(value, into: octets) {
            case .otherScheme: return goOnUnnamed(request)
            case .malformed: return host.refuse(request, 400, 0, "basic-authentication: malformed Authorization field")
            case .tooLong: return refuse(request)
            case .credentials(let user, let password): return check(request, octets, user, password)
            }
        }
    }

    /// What is remembered counts; the rest goes to the pool.
    private func check(
        _ request: RequestPointer, _ octets: UnsafePointer<UInt8>, _ user: Int, _ password: Int
    ) -> Int32 {
        let now = host.pointee.monotonic_nanoseconds()
        let count = user + 1 + password
        let (generation, isFresh) = store._withUnsafeGuaranteedRef { ($0.generation, $0.isFresh(at: now)) }
        let key = VerifiedCache.key(octets, count, generation: generation, keys)
        let isKnown = cache.contains(key, at: now)
        if isKnown, isFresh { return accept(request, berth_octets(octets, user)) }

        let size = MemoryLayout<VerifyJob>.stride + count + 1
        guard let memory = host.pointee.allocate(request, UInt64(size)) else {
            return host.refuse(request, 503, 0, "basic-authentication: no memory of the request left")
        }
        let job = memory.bindMemory(to: VerifyJob.self, capacity: 1)
        job.initialize(
            to: VerifyJob(
                store: store, userCount: user, passwordCount: password,
                // Nothing but the file's date is wanted when the credentials are known.
                knownIn: isKnown ? generation : 0))
        let copy = job.octets
        copy.update(from: octets, count: count)
        copy[count] = 0
        host.pointee.slot(request).pointee = memory
        let result = host.pointee.run_blocking(request, 1, VerifyJob.run, memory)
        guard result == 0 else {
            host.pointee.slot(request).pointee = nil
            explicit_bzero(copy, count)
            return host.refuse(request, 503, 0, "basic-authentication: too many passwords are being verified")
        }
        return StageAnswer.pending
    }

    /// The pool is done: `generation` of the file that has these credentials, or 0.
    func verified(_ request: RequestPointer, _ generation: Int64) -> Int32 {
        let slot = host.pointee.slot(request)
        guard let job = slot.pointee?.assumingMemoryBound(to: VerifyJob.self) else { return StageAnswer.error }
        slot.pointee = nil
        let count = job.pointee.userCount + 1 + job.pointee.passwordCount
        defer { explicit_bzero(job.octets, count) }
        guard generation > 0 else { return refuse(request) }
        let key = VerifiedCache.key(job.octets, count, generation: UInt64(generation), keys)
        // Credentials that were known stay known no longer than before.
        if job.pointee.knownIn != UInt64(generation) { cache.insert(key, at: host.pointee.monotonic_nanoseconds()) }
        return accept(request, berth_octets(job.octets, job.pointee.userCount))
    }

    private func accept(_ request: RequestPointer, _ user: berth_octets) -> Int32 {
        let result = host.pointee.set_user(request, user, berth_octets("Basic"))
        return result == 0 ? StageAnswer.proceed : StageAnswer.error
    }

    /// RFC 9110 §11.6.1 allows the challenge in any response; the host answers 401.2 unless somebody names the caller.
    private func goOnUnnamed(_ request: RequestPointer) -> Int32 {
        _ = host.pointee.add_response_field(request, berth_octets("WWW-Authenticate"), challenge)
        return StageAnswer.proceed
    }

    private func refuse(_ request: RequestPointer) -> Int32 {
        _ = host.pointee.add_response_field(request, berth_octets("WWW-Authenticate"), challenge)
        return host.refuse(request, 401, 1, "basic-authentication: unknown user or wrong password")
    }
}

/// What a thread of the pool needs, in the request's own memory; the credentials follow behind it.
struct VerifyJob {
    let store: Unmanaged<PasswordStore>
    let userCount: Int
    let passwordCount: Int
    /// The generation in which the credentials are remembered; 0: they are not.
    let knownIn: UInt64

    /// Answers the generation in which the credentials are right, or 0. Blocks.
    static let run: @convention(c) (UnsafeMutableRawPointer?) -> Int64 = { argument in
        guard let job = argument?.assumingMemoryBound(to: VerifyJob.self) else { return 0 }
        return job.pointee.store._withUnsafeGuaranteedRef { store in
            if job.pointee.knownIn != 0 {
                store.refresh()
                if store.generation == job.pointee.knownIn { return Int64(job.pointee.knownIn) }
            }
            let user = Array(UnsafeBufferPointer(start: job.octets, count: job.pointee.userCount))
            let password = UnsafeRawPointer(job.octets + job.pointee.userCount + 1).assumingMemoryBound(to: CChar.self)
            return store.verify(user: user, password: password).map { Int64($0) } ?? 0
        }
    }
}

extension UnsafeMutablePointer<VerifyJob> {
    /// `user:password` and a NUL.
    var octets: UnsafeMutablePointer<UInt8> {
        UnsafeMutableRawPointer(self + 1).assumingMemoryBound(to: UInt8.self)
    }
}
