import Glibc
import Synchronization

/// Work on threads of its own, because a test that waits must not hold one of the few that run tests.
public enum Threads {
    private final class Job: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// One that is not waited for.
    public static func detach(_ body: @escaping @Sendable () -> Void) throws {
        _ = pthread_detach(try start(body))
    }

    /// A piece of work that runs; its end can be awaited.
    public final class Running<T: Sendable>: Sendable {
        private let thread: pthread_t
        private let outcome: Outcome

        fileprivate final class Outcome: Sendable {
            let result = Mutex<Result<T, any Error>?>(nil)
        }

        fileprivate init(_ body: @escaping @Sendable () throws -> T) throws {
            let outcome = Outcome()
            self.outcome = outcome
            thread = try Threads.start {
                let result = Result { try body() }
                outcome.result.withLock { $0 = result }
            }
        }

        /// Waits for its end. Once.
        public func value() throws -> T {
            pthread_join(thread, nil)
            guard let result = outcome.result.withLock({ $0 }) else { throw Failure("a thread ended without a word") }
            return try result.get()
        }
    }

    public static func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) throws -> Running<T> {
        try Running(body)
    }

    /// Runs `body` that many times at the same time, and waits for all of them.
    public static func concurrently<T: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) throws -> T
    ) throws -> [T] {
        let all = try (0..<count).map { index in try run { try body(index) } }
        let results = all.map { running in Result { try running.value() } }
        return try results.map { try $0.get() }
    }

    private static func start(_ body: @escaping @Sendable () -> Void) throws -> pthread_t {
        let job = Unmanaged.passRetained(Job(body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, job.toOpaque())
        guard result == 0 else {
            job.release()
            throw Failure.system("pthread_create", result)
        }
        return thread
    }
}
