public import Glibc

/// A moment that is not waited beyond. Every wait of a test has one, so that a hang is a failure with a name.
public struct Deadline: Sendable {
    private let nanoseconds: UInt64

    /// How long a test waits for what should come at once, in seconds. Ours: only a hang takes so long, however busy the machine,
    /// also under a sanitizer.
    public static let patience: Double = 180

    /// That, as a moment of the wall clock, from now on.
    public static var wallClock: timespec {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        time.tv_sec += Int(patience)
        return time
    }

    /// - Parameter seconds: from now on.
    public init(seconds: Double = patience) {
        nanoseconds = Self.now + UInt64(seconds * 1_000_000_000)
    }

    /// Monotonic time, in nanoseconds.
    public static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    public var hasPassed: Bool { Self.now >= nanoseconds }

    /// Milliseconds left, at least 0.
    public var milliseconds: Int32 {
        let now = Self.now
        return now >= nanoseconds ? 0 : Int32(clamping: (nanoseconds - now) / 1_000_000 + 1)
    }

    /// Waits until one of `events` (POLLIN, POLLOUT) can be done; false when it is too late.
    public func wait(for events: Int32, of fd: Int32) -> Bool {
        while true {
            var entry = pollfd(fd: fd, events: Int16(events), revents: 0)
            let count = Glibc.poll(&entry, 1, milliseconds)
            if count > 0 { return true }
            if count == 0 || errno != EINTR { return false }
        }
    }

    /// Looks again and again until `see` gives something. For what nobody announces: entries of /proc, files that grow.
    /// What can be waited for as an event is not looked for with this.
    @discardableResult
    public func look<T>(_ what: String, _ see: () throws -> T?) throws -> T {
        while true {
            if let found = try see() { return found }
            if hasPassed { throw Failure("not in time: \(what)") }
            _ = Glibc.poll(nil, 0, 5)
        }
    }
}
