public import BerthPipeline
public import CBerthModule
import Glibc
import Synchronization

/// A shared library with a module in it. Loaded once, never unmapped: metadata of a Swift module points into its image.
public enum ModuleLibrary {
    /// Whose turn it is to ask a library: one application after the other, since a library may keep what it is told.
    /// Made once for each library there is, and kept.
    private final class Turn: @unchecked Sendable {
        private let mutex: UnsafeMutablePointer<pthread_mutex_t>

        init() {
            mutex = .allocate(capacity: 1)
            pthread_mutex_init(mutex, nil)
        }

        func begin() { pthread_mutex_lock(mutex) }
        func end() { pthread_mutex_unlock(mutex) }
    }

    /// By handle. A library that hangs holds up those who wait for that library, until their own time is over.
    private static let turns = Mutex<[UInt: Turn]>([:])

    /// Loads the file at `path` and asks it who it is. Runs the library's initialisers: not on a loop.
    public static func load(_ path: String) -> Result<berth_module, ModuleFailure> {
        if let problem = SharedObjectFile.problem(of: path) {
            return .failure(ModuleFailure(.notLoadable, "\(path) cannot be loaded: \(problem); build or copy it again"))
        }
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
            let reason = dlerror().map { String(cString: $0) } ?? "no reason given"
            return .failure(ModuleFailure(.notLoadable, "\(path) cannot be loaded: \(reason)\(advice(path))"))
        }
        guard let symbol = dlsym(handle, BERTH_MODULE_REGISTER_SYMBOL) else {
            return .failure(
                ModuleFailure(
                    .wrongABI,
                    "\(path) exports no \(BERTH_MODULE_REGISTER_SYMBOL); it is no Berth module, or the function is not public"
                ))
        }
        let register = unsafeBitCast(symbol, to: berth_module_register_function.self)
        let turn = turns.withLock { turns in
            let turn = turns[UInt(bitPattern: handle)] ?? Turn()
            turns[UInt(bitPattern: handle)] = turn
            return turn
        }
        turn.begin()
        defer { turn.end() }
        return ModuleInstance.register(register, label: path)
    }

    /// What to do next, where the usual reasons can be told apart.
    private static func advice(_ path: String) -> String {
        if access(path, F_OK) != 0 { return "; the file does not exist, correct `module` or build it" }
        if access(path, R_OK) != 0 { return "; the daemon's user may not read it" }
        return "; check its architecture and its libraries with: ldd \(path)"
    }
}
