public import CBerthModule

/// Lets everybody in whom no other module knew: the caller has no name, and authentication is done.
///
/// After the authenticate stage the host demands that somebody said who the caller is; this module says "nobody in
/// particular" (`authentication_type` "Anonymous", no user). Source: IIS AnonymousAuthentication, which acts as the
/// fall-back when no other scheme produced a user.
public enum AnonymousAuthentication {
    public static let register: berth_module_register_function = { host, module, failure in
        module.describe("anonymous-authentication")
        module.pointee.create_instance = { host, settings, instance, failure in
            let reader = SettingsReader(settings)
            if let text = reader.failure() { return failure.write(text) }
            // All the module needs; no memory of its own.
            instance.pointee = UnsafeMutableRawPointer(mutating: host)
            return 0
        }
        module.pointee.stages.1 = authenticate
        return 0
    }
}

private let authenticate: berth_stage_function = { context, request in
    guard request.pointee.authentication_type.count == 0 else { return StageAnswer.proceed }
    guard let context else { return StageAnswer.error }
    let host = UnsafePointer(context.assumingMemoryBound(to: berth_host.self))
    let result = host.pointee.set_user(request, berth_octets(nil, 0), berth_octets("Anonymous"))
    return result == 0 ? StageAnswer.proceed : StageAnswer.error
}
