public import CBerthModule
internal import Glibc

/// Lets callers through, or not, by who they are, what they want to do and where.
///
/// A caller whom one `deny` rule names is refused, whatever else is said; so is one whom no `allow` rule names. Refused
/// callers who may still log in get 401.2, known ones 403. Source: IIS UrlAuthorization (deny first).
public enum URLAuthorization {
    public static let register: berth_module_register_function = { host, module, failure in
        module.describe("url-authorization")
        module.pointee.create_instance = { host, settings, instance, failure in
            var reader = SettingsReader(settings)
            let rules = AuthorizationRules.read(&reader)
            if let text = reader.failure() { return failure.write(text) }
            let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
            state.initialize(to: State(host: host, rules: AuthorizationRules(rules)))
            instance.pointee = UnsafeMutableRawPointer(state)
            return 0
        }
        module.pointee.destroy_instance = { instance in
            guard let state = instance?.assumingMemoryBound(to: State.self) else { return }
            state.pointee.rules.deallocate()
            state.deallocate()
        }
        // The rules never change, so all loops read the same ones: the instance is the context.
        module.pointee.stages.2 = authorize
        return 0
    }

    fileprivate struct State {
        let host: HostTable
        let rules: AuthorizationRules
    }
}

private let authorize: berth_stage_function = { context, request in
    guard let context else { return StageAnswer.error }
    let state = UnsafePointer(context.assumingMemoryBound(to: URLAuthorization.State.self))
    if state.pointee.rules.allow(request) { return StageAnswer.proceed }
    return request.pointee.user.count == 0
        ? state.pointee.host.refuse(request, 401, 2, "url-authorization: nobody may do this without logging in")
        : state.pointee.host.refuse(request, 403, 0, "url-authorization: the user may not do this")
}
