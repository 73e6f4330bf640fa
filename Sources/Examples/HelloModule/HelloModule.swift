public import BerthModuleKit

/// The shortest honest in-process application: answers every request with 13 octets of text.
struct Hello: HandlerModule {
    static let name: StaticString = "hello"

    init(shared: Settings, loop: Int) {}

    mutating func handle(_ request: Request) -> Outcome {
        request.respond("Hello, World!")
    }
}

/// The one symbol the host looks for.
@c(berth_module_register)
public func register(host: HostTable, module: ModuleTable, failure: FailureText) -> Int32 {
    registerModule(Hello.self, host, module, failure)
}
