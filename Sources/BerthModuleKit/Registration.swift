public import CBerthModule

/// What `berth_module_register` is given by the host.
public typealias HostTable = UnsafePointer<berth_host>
/// What `berth_module_register` fills.
public typealias ModuleTable = UnsafeMutablePointer<berth_module>
/// Where `berth_module_register` says why it refused.
public typealias FailureText = UnsafeMutablePointer<berth_failure>

/// Registers a module. The body of the one function a module exports:
///
/// ```swift
/// @c(berth_module_register)
/// public func register(host: HostTable, module: ModuleTable, failure: FailureText) -> Int32 {
///     registerModule(Hello.self, host, module, failure)
/// }
/// ```
///
/// Called once a process and type, by the host.
@inlinable
public func registerModule<Module: HandlerModule & ~Copyable>(
    _ type: Module.Type, _ host: HostTable, _ module: ModuleTable, _ failure: FailureText
) -> Int32 {
    registerModule(
        host, module, failure, name: Module.name, version: Module.version, stages: Module.stages,
        start: { settings, host throws(ModuleFailure) in
            let shared = try Module.start(settings)
            return AnyInstance { loop throws(ModuleFailure) in
                ModuleContext<Module>(try Module(shared: shared, loop: loop), host.table)
            }
        })
}

/// The host's table, for closures that run on other threads. It lives as long as the process and is never changed.
@usableFromInline
struct Host: @unchecked Sendable {
    @usableFromInline let table: HostTable

    @usableFromInline
    init(_ table: HostTable) { self.table = table }
}

/// One use of the library: what `create_instance` makes.
@usableFromInline
final class AnyInstance: Sendable {
    let makeContext: @Sendable (_ loop: Int) throws(ModuleFailure) -> AnyContext

    @usableFromInline
    init(makeContext: @escaping @Sendable (_ loop: Int) throws(ModuleFailure) -> AnyContext) {
        self.makeContext = makeContext
    }
}

/// One instance on one loop, whatever module it is: what the stage functions find behind their context pointer.
///
/// A C function can't be made of a generic one. So the stage functions are made once, for this class, and reach the
/// author's type through one virtual call. No reference is counted on the way.
@usableFromInline
class AnyContext {
    @usableFromInline let host: HostTable

    @usableFromInline
    init(_ host: HostTable) { self.host = host }

    @usableFromInline func handle(_ request: Request) -> Int32 { Outcome.error.rawValue }
    @usableFromInline func resume(_ request: Request, _ event: Event) -> Int32 { Outcome.error.rawValue }
    @usableFromInline func run(_ stage: Stage, _ request: Request) -> Int32 { Outcome.error.rawValue }
    @usableFromInline func tick(_ wallSeconds: Int64) {}
}

/// One instance of the author's module on one loop.
@usableFromInline
final class ModuleContext<Module: HandlerModule & ~Copyable>: AnyContext {
    // In memory of its own, since changing a stored property of a class is checked for exclusivity at run time.
    @usableFromInline let module: UnsafeMutablePointer<Module>

    @usableFromInline
    init(_ module: consuming Module, _ host: HostTable) {
        self.module = .allocate(capacity: 1)
        self.module.initialize(to: module)
        super.init(host)
    }

    deinit {
        module.deinitialize(count: 1)
        module.deallocate()
    }

    @usableFromInline
    override func handle(_ request: Request) -> Int32 { module.pointee.handle(request).rawValue }
    @usableFromInline
    override func resume(_ request: Request, _ event: Event) -> Int32 { module.pointee.resume(request, event).rawValue }
    @usableFromInline
    override func run(_ stage: Stage, _ request: Request) -> Int32 { module.pointee.run(stage, request).rawValue }
    @usableFromInline
    override func tick(_ wallSeconds: Int64) { module.pointee.tick(wallSeconds: wallSeconds) }
}
