public import CBerthModule
import Glibc

/// One use of a module: an application's handler, or one entry of a site's chain; with a context for each loop.
///
/// Made off the loops (`create` may block and may be slow); lives until no snapshot and no request holds it any more.
public final class ModuleInstance: @unchecked Sendable {
    /// As the module calls itself.
    public let name: String
    public let version: String
    private let module: berth_module
    private let instance: UnsafeMutableRawPointer?
    private let contexts: [UnsafeMutableRawPointer?]

    private init(
        name: String, version: String, module: berth_module, instance: UnsafeMutableRawPointer?,
        contexts: [UnsafeMutableRawPointer?]
    ) {
        (self.name, self.version, self.module, self.instance, self.contexts) = (
            name, version, module, instance, contexts
        )
    }

    deinit {
        if let destroy = module.destroy_context, module.create_context != nil {
            for context in contexts { destroy(context) }
        }
        module.destroy_instance?(instance)
    }

    /// Asks the library who it is. Any thread.
    ///
    /// - Parameter label: how messages name the module: its path, or its built-in name.
    public static func register(
        _ function: berth_module_register_function, label: String
    ) -> Result<berth_module, ModuleFailure> {
        var module = berth_module()
        module.size = UInt32(MemoryLayout<berth_module>.size)
        var failure = emptyFailure()
        let result = function(HostCallTable.table, &module, &failure)
        if result != 0 {
            return .failure(ModuleFailure(.wrongABI, "\(label) refused to register (\(result)): \(text(of: failure))"))
        }
        if module.abi_version != BERTH_ABI_VERSION {
            return .failure(
                ModuleFailure(
                    .wrongABI,
                    "\(label) was built for version \(module.abi_version) of the module ABI, this host has version "
                        + "\(BERTH_ABI_VERSION); build it against the berth_module.h of this release"))
        }
        return .success(module)
    }

    /// Makes an instance and its contexts. Runs code of the module: not on a loop, and under a time limit.
    public static func create(
        _ module: berth_module, label: String, configuration: ModuleConfiguration, loops: Int
    ) -> Result<ModuleInstance, ModuleFailure> {
        var instance: UnsafeMutableRawPointer?
        var failure = emptyFailure()
        if let create = module.create_instance {
            let result = withSettings(configuration, loops) { create(HostCallTable.table, $0, &instance, &failure) }
            if result != 0 {
                return .failure(ModuleFailure(.initialisationFailed, "\(label): \(text(of: failure, result))"))
            }
        }
        var contexts: [UnsafeMutableRawPointer?] = []
        if let create = module.create_context {
            for loop in 0..<loops {
                var context: UnsafeMutableRawPointer?
                let result = create(instance, UInt32(loop), &context, &failure)
                if result != 0 {
                    if let destroy = module.destroy_context { for made in contexts { destroy(made) } }
                    module.destroy_instance?(instance)
                    return .failure(ModuleFailure(.initialisationFailed, "\(label): \(text(of: failure, result))"))
                }
                contexts.append(context)
            }
        } else {
            contexts = Array(repeating: instance, count: loops)
        }
        return .success(
            ModuleInstance(
                name: module.name.map { String(cString: $0) } ?? label,
                version: module.version.map { String(cString: $0) } ?? "",
                module: module, instance: instance, contexts: contexts))
    }

    /// Whether it has a say at a stage.
    public func takesPart(in stage: PipelineStage) -> Bool { function(at: stage) != nil }

    /// Its entry at a stage on one loop, or nil when it takes no part.
    public func entry(at stage: PipelineStage, loop: Int, module number: UInt32) -> ChainEntry? {
        guard let function = function(at: stage) else { return nil }
        return ChainEntry(function: function, resumed: module.resumed, context: contexts[loop], module: number)
    }

    /// Its once-a-second call on one loop, or nil.
    public func tick(loop: Int) -> ModuleTick? {
        guard let function = module.tick else { return nil }
        return ModuleTick(function: function, context: contexts[loop])
    }

    private func function(at stage: PipelineStage) -> berth_stage_function? {
        withUnsafeBytes(of: module.stages) { $0.bindMemory(to: berth_stage_function?.self)[stage.rawValue] }
    }

    // MARK: Crossing the boundary

    private static func emptyFailure() -> berth_failure {
        var failure = berth_failure()
        failure.size = UInt32(MemoryLayout<berth_failure>.size)
        return failure
    }

    private static func text(of failure: berth_failure, _ result: Int32 = 0) -> String {
        let text = withUnsafeBytes(of: failure.text) { bytes in
            String(decoding: bytes.prefix(min(Int(failure.length), bytes.count)).prefix { $0 != 0 }, as: UTF8.self)
        }
        return text.isEmpty ? "it gave no reason (result \(result))" : text
    }

    private static func withSettings<T>(
        _ configuration: ModuleConfiguration, _ loops: Int, _ body: (UnsafePointer<berth_settings>) -> T
    ) -> T {
        // Everything in one block of octets, so that one lifetime covers all pointers.
        var octets: [UInt8] = []
        func add(_ text: String) -> (Int, Int) {
            let start = octets.count
            octets.append(contentsOf: text.utf8)
            octets.append(0)
            return (start, octets.count - start - 1)
        }
        let places = configuration.settings.map { (add($0.name), add($0.value), add($0.location)) }
        let site = add(configuration.site)
        let path = add(configuration.applicationPath)
        let root = add(configuration.root)
        return octets.withUnsafeBufferPointer { buffer in
            func run(_ place: (Int, Int)) -> berth_octets {
                berth_octets(start: buffer.baseAddress.map { $0 + place.0 }, count: UInt64(place.1))
            }
            let list = places.map { berth_setting(name: run($0.0), value: run($0.1), location: run($0.2)) }
            return list.withUnsafeBufferPointer { settings in
                var all = berth_settings()
                all.size = UInt32(MemoryLayout<berth_settings>.size)
                all.count = UInt32(settings.count)
                all.settings = settings.baseAddress
                all.site = run(site)
                all.application_path = run(path)
                all.root = run(root)
                all.site_id = configuration.siteID
                all.loop_count = UInt32(loops)
                return body(&all)
            }
        }
    }
}
