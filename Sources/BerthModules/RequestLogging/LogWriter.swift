internal import CBerthSystem
internal import Glibc

/// The one thread that writes the logs of all sites, so that no loop ever waits for a disk.
///
/// A context has two buffers and gives away one at a time, so the queue is bounded by twice the number of contexts.
final class LogWriter: @unchecked Sendable {
    static let shared = LogWriter()

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>
    private let done: UnsafeMutablePointer<pthread_cond_t>
    // Guarded by `mutex`.
    private var first: UnsafeMutablePointer<LogBuffer>?
    private var last: UnsafeMutablePointer<LogBuffer>?
    private var isStarted = false

    private init() {
        mutex = .allocate(capacity: 1)
        wake = .allocate(capacity: 1)
        done = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wake, nil)
        pthread_cond_init(done, nil)
    }

    /// Starts the thread, once. False: it cannot be started.
    func start() -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if isStarted { return true }
        let system = cberth_system_linux()
        var thread: UInt64 = 0
        isStarted =
            system.pointee.thread_start(
                system, "berth-log",
                { _ in
                    LogWriter.shared.run()
                    return nil
                }, nil, &thread) == 0
        return isStarted
    }

    /// Takes a buffer; it comes back when `isQueued` is 0 again.
    func take(_ buffer: UnsafeMutablePointer<LogBuffer>) {
        cberth_atomic_store(buffer.pointee.isQueued, 1)
        buffer.pointee.next = nil
        pthread_mutex_lock(mutex)
        if let last { last.pointee.next = buffer } else { first = buffer }
        last = buffer
        pthread_cond_signal(wake)
        pthread_mutex_unlock(mutex)
    }

    /// Waits until the writer has given this buffer back. Not on a loop.
    func wait(for buffer: UnsafeMutablePointer<LogBuffer>) {
        pthread_mutex_lock(mutex)
        while buffer.isWithWriter { pthread_cond_wait(done, mutex) }
        pthread_mutex_unlock(mutex)
    }

    private func run() {
        while true {
            pthread_mutex_lock(mutex)
            while first == nil { pthread_cond_wait(wake, mutex) }
            let buffer = first
            first = buffer?.pointee.next
            if first == nil { last = nil }
            pthread_mutex_unlock(mutex)

            guard let buffer else { continue }
            buffer.writeOut()
            pthread_mutex_lock(mutex)
            cberth_atomic_store(buffer.pointee.isQueued, 0)
            pthread_cond_broadcast(done)
            pthread_mutex_unlock(mutex)
        }
    }
}
