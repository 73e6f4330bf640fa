import BerthConfiguration
import BerthEventLoop
import BerthModules
import BerthPipeline
import CBerthModule

/// The instances of modules that are in use, by what they were made from, so that a reload makes only what has changed.
///
/// Built-in modules are made at once; loaded ones by `ModuleMaker`, meanwhile they are `.pending`. Control thread only.
final class ModuleStore {
    /// What makes two instances the same.
    struct Key: Hashable {
        var source: ModuleEntry.Source
        var configuration: ModuleConfiguration
    }

    enum State {
        case ready(ModuleInstance)
        case pending
        case failed(ModuleFailure)
    }

    private enum Entry {
        case done(Result<ModuleInstance, ModuleFailure>)
        case making(ModuleMaker.Making)
    }

    private let maker: ModuleMaker
    private let loops: Int
    private var entries: [Key: Entry] = [:]
    private var used: Set<Key> = []
    /// By path: the library as it was when it was loaded. One that was loaded stays what it is as long as the process.
    private var loadedFiles: [String: FileIdentity] = [:]
    private var builtIns: [String: Result<berth_module, ModuleFailure>] = [:]

    init(maker: ModuleMaker, loops: Int) { (self.maker, self.loops) = (maker, loops) }

    /// Begins a build: what is not asked for until `endBuild` is forgotten.
    func beginBuild() { used.removeAll(keepingCapacity: true) }

    func endBuild() { entries = entries.filter { used.contains($0.key) } }

    /// Whether any module is still being made.
    var isMaking: Bool { !maker.isIdle }

    /// Whether what lies at the path of a library is not what was loaded from there.
    func isOutdated(_ path: String) -> Bool {
        guard let loaded = loadedFiles[path] else { return false }
        return loaded != FileIdentity(path)
    }

    /// Lets everything that failed be tried again with the next build: an administrator asked for it.
    func forgetFailures() {
        for (key, entry) in entries {
            guard case .library(let path) = key.source, case .failed(let failure) = state(of: entry),
                failure.kind == .notLoadable
            else { continue }
            loadedFiles[path] = nil
        }
        entries = entries.filter { entry in
            switch entry.value {
            case .done(.failure): return false
            case .making(let making):
                if case .failure = making.result { return false }
                return true
            case .done: return true
            }
        }
    }

    /// An instance of a module of a chain, or of the handler of static files.
    ///
    /// - Parameter limit: seconds a loaded module may take.
    func module(_ source: ModuleEntry.Source, _ configuration: ModuleConfiguration, limit: UInt64) -> State {
        let key = Key(source: source, configuration: configuration)
        used.insert(key)
        if let entry = entries[key] { return state(of: entry) }
        let entry: Entry
        switch source {
        case .builtIn(let module): entry = .done(make(module.rawValue, configuration))
        case .library(let path):
            if loadedFiles[path] == nil { loadedFiles[path] = FileIdentity(path) }
            entry = .making(maker.make(path: path, configuration: configuration, loops: loops, limit: limit))
        }
        entries[key] = entry
        return state(of: entry)
    }

    /// The handler of static files of one application.
    func staticFiles(_ configuration: ModuleConfiguration) -> State {
        // Not a module of a chain, so it has no name of its own there.
        let key = Key(source: .library("static-files"), configuration: configuration)
        used.insert(key)
        if let entry = entries[key] { return state(of: entry) }
        let entry = Entry.done(make("static-files", configuration))
        entries[key] = entry
        return state(of: entry)
    }

    private func make(_ name: String, _ configuration: ModuleConfiguration) -> Result<ModuleInstance, ModuleFailure> {
        let module: Result<berth_module, ModuleFailure>
        if let known = builtIns[name] {
            module = known
        } else if let register = BuiltInModules.all.first(where: { $0.name == name })?.register {
            module = ModuleInstance.register(register, label: name)
            builtIns[name] = module
        } else {
            module = .failure(ModuleFailure(.notLoadable, "there is no module \(name)"))
        }
        return module.flatMap { ModuleInstance.create($0, label: name, configuration: configuration, loops: loops) }
    }

    private func state(of entry: Entry) -> State {
        let result: Result<ModuleInstance, ModuleFailure>?
        switch entry {
        case .done(let done): result = done
        case .making(let making): result = making.result
        }
        switch result {
        case .success(let instance)?: return .ready(instance)
        case .failure(let failure)?: return .failed(failure)
        case nil: return .pending
        }
    }
}
