import BerthEventLoop
import BerthHosting
import BerthPipeline
import CBerthSystem
import Glibc

/// Loads handler modules and makes their instances on threads of their own, so that a slow or stuck one delays nobody else.
///
/// A making that passes its time limit counts as failed (500.37); its thread is left alone, because code that runs cannot be
/// taken back, and what it makes later is not used. Control thread only, but for `run`.
final class ModuleMaker {
    /// Threads that make modules at the same time. Ours: initialisation is mostly waiting for disks and other services.
    static let threadsMax = 8

    /// One module on its way.
    final class Making: @unchecked Sendable {
        let path: String
        let configuration: ModuleConfiguration
        fileprivate let loops: Int
        fileprivate let limit: UInt64
        fileprivate let mailbox: Mailbox
        fileprivate let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        /// Guarded by `lock`.
        private var outcome: Result<ModuleInstance, ModuleFailure>?
        /// Control thread only.
        fileprivate var startedAt: MonotonicInstant?

        fileprivate init(path: String, configuration: ModuleConfiguration, loops: Int, limit: UInt64, mailbox: Mailbox)
        {
            (self.path, self.configuration, self.loops, self.limit, self.mailbox) = (
                path, configuration, loops, limit, mailbox
            )
            pthread_mutex_init(lock, nil)
        }

        deinit {
            pthread_mutex_destroy(lock)
            lock.deallocate()
        }

        /// Nil: not yet.
        var result: Result<ModuleInstance, ModuleFailure>? {
            pthread_mutex_lock(lock)
            defer { pthread_mutex_unlock(lock) }
            return outcome
        }

        /// The first word counts.
        fileprivate func end(_ result: Result<ModuleInstance, ModuleFailure>) {
            pthread_mutex_lock(lock)
            if outcome == nil { outcome = result }
            pthread_mutex_unlock(lock)
        }

        fileprivate func run() {
            switch ModuleLibrary.load(path) {
            case .failure(let failure): end(.failure(failure))
            case .success(let module):
                end(ModuleInstance.create(module, label: path, configuration: configuration, loops: loops))
            }
            mailbox.post(Message.make(kind: ControlMessage.moduleMade))
        }
    }

    private let system: UnsafePointer<cberth_system>
    private let mailbox: Mailbox
    private var waiting: ArraySlice<Making> = []
    private var running: [Making] = []

    init(system: UnsafePointer<cberth_system>, mailbox: Mailbox) { (self.system, self.mailbox) = (system, mailbox) }

    /// Begins to make an instance; a message of kind `moduleMade` follows.
    ///
    /// - Parameter limit: seconds for its initialisation.
    func make(path: String, configuration: ModuleConfiguration, loops: Int, limit: UInt64) -> Making {
        let making = Making(path: path, configuration: configuration, loops: loops, limit: limit, mailbox: mailbox)
        waiting.append(making)
        startWaiting()
        return making
    }

    /// Whether nothing is on its way any more.
    var isIdle: Bool { waiting.isEmpty && running.allSatisfy { $0.result != nil } }

    /// When the next making runs out of time.
    var nextDeadline: MonotonicInstant? {
        running.compactMap { making in making.startedAt.map { $0.adding(seconds: making.limit) } }.min()
    }

    /// Ends those whose time is up, forgets those that are done, and starts others in their place.
    func update() {
        let now = MonotonicInstant(nanoseconds: system.pointee.monotonic_nanoseconds(system))
        for making in running {
            guard let startedAt = making.startedAt, startedAt.adding(seconds: making.limit) <= now, making.result == nil
            else {
                continue
            }
            making.end(
                .failure(
                    ModuleFailure(
                        .initialisationTimedOut,
                        "\(making.path): its initialisation took longer than \(making.limit) s; raise startup_time_limit, or "
                            + "let the module do slow work later")))
        }
        running.removeAll { $0.result != nil }
        startWaiting()
    }

    private func startWaiting() {
        while running.count < Self.threadsMax, let making = waiting.popFirst() {
            making.startedAt = MonotonicInstant(nanoseconds: system.pointee.monotonic_nanoseconds(system))
            let argument = Unmanaged.passRetained(making)
            var thread: UInt64 = 0
            let result = system.pointee.thread_start(
                system, "berth-module",
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<Making>.fromOpaque(argument).takeRetainedValue().run()
                    return nil
                }, argument.toOpaque(), &thread)
            if result < 0 {
                argument.release()
                making.end(
                    .failure(
                        ModuleFailure(
                            .initialisationFailed,
                            "\(making.path): no thread for its initialisation: \(SystemError("pthread_create", -result))"
                        )))
            } else {
                pthread_detach(pthread_t(thread))
                running.append(making)
            }
        }
    }
}
