internal import CBerthModule
internal import Synchronization

/// What `create_instance` calls. Set by `register`, before the first instance, and never again.
private let starting = Mutex<(@Sendable (Settings, Host) throws(ModuleFailure) -> AnyInstance)?>(nil)

/// Fills the host's table. The part of `registerModule` that does not know the author's type.
@usableFromInline
func registerModule(
    _ host: HostTable, _ module: ModuleTable, _ failure: FailureText, name: StaticString, version: StaticString,
    stages: Stages, start: @escaping @Sendable (Settings, Host) throws(ModuleFailure) -> AnyInstance
) -> Int32 {
    guard host.pointee.abi_version == BERTH_ABI_VERSION else {
        return write(ModuleFailure("the host speaks another version of the module ABI"), failure)
    }
    starting.withLock { $0 = start }

    module.pointee.abi_version = UInt32(BERTH_ABI_VERSION)
    // A static string ends in NUL and lives as long as the process.
    module.pointee.name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    module.pointee.version = UnsafeRawPointer(version.utf8Start).assumingMemoryBound(to: CChar.self)
    module.pointee.kinds = stages.contains(.execute) ? UInt32(BERTH_KIND_HANDLER) : 0
    if !stages.subtracting(.execute.union(.end).union(.tick)).isEmpty || !stages.contains(.execute) {
        module.pointee.kinds |= UInt32(BERTH_KIND_CHAIN)
    }
    module.pointee.create_instance = createInstance
    module.pointee.destroy_instance = destroyInstance
    module.pointee.create_context = createContext
    module.pointee.destroy_context = destroyContext
    module.pointee.resumed = resumed
    if stages.contains(.tick) { module.pointee.tick = tick }
    fillStages(module, stages)
    return 0
}

/// One literal closure a stage: a C function pointer can't capture the number of its stage.
private func fillStages(_ module: ModuleTable, _ stages: Stages) {
    if stages.contains(.begin) { module.pointee.stages.0 = { run($0, $1, .begin) } }
    if stages.contains(.authenticate) { module.pointee.stages.1 = { run($0, $1, .authenticate) } }
    if stages.contains(.authorize) { module.pointee.stages.2 = { run($0, $1, .authorize) } }
    if stages.contains(.mapHandler) { module.pointee.stages.4 = { run($0, $1, .mapHandler) } }
    if stages.contains(.execute) { module.pointee.stages.7 = handle }
    if stages.contains(.log) { module.pointee.stages.10 = { run($0, $1, .log) } }
    if stages.contains(.end) { module.pointee.stages.11 = { run($0, $1, .end) } }
    if stages.contains(.sendResponse) { module.pointee.stages.12 = { run($0, $1, .sendResponse) } }
    if stages.contains(.readEntity) { module.pointee.stages.13 = { run($0, $1, .readEntity) } }
}

// MARK: What the host calls

private let handle: berth_stage_function = { context, request in
    guard let context else { return Outcome.error.rawValue }
    return Unmanaged<AnyContext>.fromOpaque(context)._withUnsafeGuaranteedRef {
        $0.handle(Request(raw: request, host: $0.host))
    }
}

@inline(__always)
private func run(
    _ context: UnsafeMutableRawPointer?, _ request: UnsafeMutablePointer<berth_request>, _ stage: Stage
) -> Int32 {
    guard let context else { return Outcome.error.rawValue }
    return Unmanaged<AnyContext>.fromOpaque(context)._withUnsafeGuaranteedRef {
        $0.run(stage, Request(raw: request, host: $0.host))
    }
}

private func resumed(
    _ context: UnsafeMutableRawPointer?, _ request: UnsafeMutablePointer<berth_request>, _ event: UInt32, _ value: Int64
) -> Int32 {
    guard let context else { return Outcome.error.rawValue }
    return Unmanaged<AnyContext>.fromOpaque(context)._withUnsafeGuaranteedRef {
        $0.resume(Request(raw: request, host: $0.host), Event(event, value))
    }
}

private func tick(_ context: UnsafeMutableRawPointer?, _ wallSeconds: Int64) {
    guard let context else { return }
    Unmanaged<AnyContext>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.tick(wallSeconds) }
}

private func createInstance(
    _ host: HostTable, _ settings: UnsafePointer<berth_settings>,
    _ instance: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ failure: FailureText
) -> Int32 {
    guard let start = starting.withLock({ $0 }) else {
        return write(ModuleFailure("the module was not registered"), failure)
    }
    do throws(ModuleFailure) {
        instance.pointee = Unmanaged.passRetained(try start(Settings(settings), Host(host))).toOpaque()
        return 0
    } catch {
        return write(error, failure)
    }
}

private func destroyInstance(_ instance: UnsafeMutableRawPointer?) {
    guard let instance else { return }
    Unmanaged<AnyInstance>.fromOpaque(instance).release()
}

private func createContext(
    _ instance: UnsafeMutableRawPointer?, _ loop: UInt32, _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>,
    _ failure: FailureText
) -> Int32 {
    guard let instance else { return write(ModuleFailure("the host gave no instance"), failure) }
    let made = Unmanaged<AnyInstance>.fromOpaque(instance).takeUnretainedValue()
    do throws(ModuleFailure) {
        context.pointee = Unmanaged.passRetained(try made.makeContext(Int(loop))).toOpaque()
        return 0
    } catch {
        return write(error, failure)
    }
}

private func destroyContext(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<AnyContext>.fromOpaque(context).release()
}

/// Copies as much of the text as the host has room for. Answers what a failing function answers.
private func write(_ error: ModuleFailure, _ failure: FailureText) -> Int32 {
    var text = error.text
    failure.pointee.length = text.withUTF8 { utf8 in
        withUnsafeMutableBytes(of: &failure.pointee.text) { room in
            let count = min(utf8.count, room.count)
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[0..<count]))
            return UInt32(count)
        }
    }
    return -1
}
