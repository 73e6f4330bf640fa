import Glibc

/// Lines that a process wrote, as they come. Any thread.
public final class Lines: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    // Guarded by `lock`.
    private var lines: [String] = []
    private var rest: [UInt8] = []
    private var hasEnded = false

    /// Reads `fd` to its end, on a thread of its own, and closes it.
    init(reading fd: Int32) throws {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, nil)
        try Threads.detach { [self] in
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(fd, &buffer, buffer.count)
                if count < 0 && errno == EINTR { continue }
                take(count > 0 ? buffer[..<count] : nil)
                if count <= 0 { break }
            }
            close(fd)
        }
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }

    private func take(_ octets: ArraySlice<UInt8>?) {
        pthread_mutex_lock(lock)
        rest += octets ?? []
        var start = 0
        while let end = rest[start...].firstIndex(of: 10) {
            lines.append(String(decoding: rest[start..<end], as: UTF8.self))
            start = end + 1
        }
        rest.removeFirst(start)
        if octets == nil {
            if !rest.isEmpty { lines.append(String(decoding: rest, as: UTF8.self)) }
            hasEnded = true
        }
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(lock)
    }

    /// All lines so far.
    public var all: [String] {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return lines
    }

    public var text: String { all.joined(separator: "\n") }

    /// Waits for the end of the output, which may come a moment after that of the process.
    public func waitForEnd() throws {
        var limit = Self.limit(Deadline.patience)
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while !hasEnded {
            if pthread_cond_timedwait(changed, lock, &limit) == ETIMEDOUT { throw Failure("the output does not end") }
        }
    }

    private static func limit(_ seconds: Double) -> timespec {
        var limit = timespec()
        clock_gettime(CLOCK_REALTIME, &limit)
        limit.tv_sec += Int(seconds)
        return limit
    }

    /// Waits for a line, among those before as well.
    ///
    /// - Parameter from: how many lines are not looked at.
    @discardableResult
    public func wait(
        for what: String, from: Int = 0, seconds: Double = Deadline.patience, where matches: (String) -> Bool
    ) throws -> String {
        var limit = Self.limit(seconds)
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        var next = from
        while true {
            while next < lines.count {
                if matches(lines[next]) { return lines[next] }
                next += 1
            }
            if hasEnded {
                throw Failure("the output ended without \(what):\n\(lines.suffix(20).joined(separator: "\n"))")
            }
            if pthread_cond_timedwait(changed, lock, &limit) == ETIMEDOUT {
                throw Failure("no \(what) in \(seconds) s:\n\(lines.suffix(20).joined(separator: "\n"))")
            }
        }
    }

    /// Waits for a line that contains `text`.
    @discardableResult
    public func wait(containing text: String, from: Int = 0, seconds: Double = Deadline.patience) throws -> String {
        try wait(for: "line with \"\(text)\"", from: from, seconds: seconds) { $0.contains(text) }
    }
}
