public import CBerthSystem
import Glibc

/// The threads for what must block: crypt(3), files on cold disks, a module's initialisation.
///
/// Each kind of work has a limit of jobs that wait or run; what goes over it is refused at once, never queued without bound.
/// Threads are started as they are needed, `threadsMax` at most, and stay. Any thread.
public final class BlockingPool: @unchecked Sendable {
    /// What a job does, and whom it tells. Plain memory of whoever submits it; untouched until its message arrives.
    public struct Job: BitwiseCopyable {
        var next: UnsafeMutablePointer<Job>?
        /// Runs on a thread of the pool.
        public var work: (@convention(c) (UnsafeMutableRawPointer?) -> Int64)?
        public var argument: UnsafeMutableRawPointer?
        public var result: Int64
        public var kind: UInt32
        /// Where `message` is posted when the work is done.
        public var mailbox: Mailbox?
        public var message: UnsafeMutablePointer<Message>?

        /// None.
        public init() { (next, work, argument, result, kind, mailbox, message) = (nil, nil, nil, 0, 0, nil, nil) }

        public init(
            kind: UInt32, mailbox: Mailbox, message: UnsafeMutablePointer<Message>, argument: UnsafeMutableRawPointer?,
            work: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Int64
        ) {
            (next, self.work, self.argument, result) = (nil, work, argument, 0)
            (self.kind, self.mailbox, self.message) = (kind, mailbox, message)
        }
    }

    /// Kinds of work, each with a limit of its own.
    public static let kindCount = 4
    /// Seconds that `stop` waits for jobs that run. Ours: nobody needs their results any more, and a file on a server that is
    /// away is never opened; well below the 90 s after which systemd kills the daemon.
    public static let stopSeconds = 5

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>
    /// Signalled when a thread ends; by the monotonic clock.
    private let ended: UnsafeMutablePointer<pthread_cond_t>
    private let system: UnsafePointer<cberth_system>
    private let limits: [Int]
    private let threadsMax: Int
    // The rest is guarded by `mutex`.
    private var outstanding = [Int](repeating: 0, count: kindCount)
    private var first: UnsafeMutablePointer<Job>?
    private var last: UnsafeMutablePointer<Job>?
    private var idle = 0
    private var threads: [UInt64] = []
    private var waiting = 0
    private var stopping = false
    /// Threads that have not ended.
    private var alive = 0
    /// `stop` has given up on jobs that run: their messages have no receiver any more.
    private var abandoned = false

    /// - Parameters:
    ///   - threadsMax: threads at most.
    ///   - limits: jobs of each kind that may wait or run; `kindCount` of them.
    public init(system: UnsafePointer<cberth_system>, threadsMax: Int, limits: [Int]) {
        precondition(limits.count == Self.kindCount && threadsMax > 0)
        (self.system, self.threadsMax, self.limits) = (system, threadsMax, limits)
        mutex = .allocate(capacity: 1)
        wake = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wake, nil)
        ended = .allocate(capacity: 1)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(ended, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(wake)
        pthread_cond_destroy(ended)
        pthread_mutex_destroy(mutex)
        ended.deallocate()
        mutex.deallocate()
        wake.deallocate()
    }

    /// Takes a job, or answers false: its kind is at its limit, or the pool is stopping, or no thread can be started.
    public func submit(_ job: UnsafeMutablePointer<Job>) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let kind = Int(job.pointee.kind) % Self.kindCount
        if stopping || outstanding[kind] >= limits[kind] { return false }
        if idle <= waiting && threads.count < threadsMax {
            var thread: UInt64 = 0
            let pool = Unmanaged.passRetained(self)
            let started = system.pointee.thread_start(
                system, "berth-blocking", { BlockingPool.run($0) }, pool.toOpaque(), &thread)
            if started == 0 {
                threads.append(thread)
                alive += 1
            } else {
                pool.release()
                if threads.isEmpty { return false }
            }
        }
        outstanding[kind] += 1
        waiting += 1
        job.pointee.next = nil
        if let last { last.pointee.next = job } else { first = job }
        last = job
        pthread_cond_signal(wake)
        return true
    }

    /// Lets running and waiting jobs finish, and waits for the threads, but no longer than `seconds`. Not from a thread of the
    /// pool, and followed by the end of the process when the answer is not 0: those threads are left to it.
    ///
    /// - Returns: jobs that did not finish.
    @discardableResult
    public func stop(within seconds: Int = BlockingPool.stopSeconds) -> Int {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        deadline.tv_sec += seconds
        pthread_mutex_lock(mutex)
        stopping = true
        let joinable = threads
        pthread_cond_broadcast(wake)
        while alive > 0, pthread_cond_timedwait(ended, mutex, &deadline) == 0 {}
        abandoned = alive > 0
        let unfinished = outstanding.reduce(0, +)
        let isOver = alive == 0
        pthread_mutex_unlock(mutex)
        if isOver { for thread in joinable { _ = system.pointee.thread_join(system, thread) } }
        return unfinished
    }

    private static func run(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        Unmanaged<BlockingPool>.fromOpaque(argument).takeRetainedValue().work()
        return nil
    }

    private func work() {
        pthread_mutex_lock(mutex)
        while true {
            while first == nil && !stopping {
                idle += 1
                pthread_cond_wait(wake, mutex)
                idle -= 1
            }
            guard let job = first else { break }
            first = job.pointee.next
            if first == nil { last = nil }
            waiting -= 1
            pthread_mutex_unlock(mutex)
            let kind = Int(job.pointee.kind) % Self.kindCount
            let message = job.pointee.message
            let mailbox = job.pointee.mailbox
            job.pointee.result = job.pointee.work?(job.pointee.argument) ?? 0
            pthread_mutex_lock(mutex)
            outstanding[kind] -= 1
            if abandoned { break }
            pthread_mutex_unlock(mutex)
            if let mailbox, let message { mailbox.post(message) }
            pthread_mutex_lock(mutex)
        }
        alive -= 1
        pthread_cond_signal(ended)
        pthread_mutex_unlock(mutex)
    }
}
