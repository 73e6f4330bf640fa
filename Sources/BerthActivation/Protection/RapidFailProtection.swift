import BerthEventLoop

/// Decides whether a pool whose worker process just crashed may have another one.
///
/// WAS calls this rapid-fail protection: a pool that loses `crashLimit` workers within `window`
/// is taken out of service, and its requests are answered 503 until an administrator starts it.
/// The type owns no clock, log or process: the caller reports crashes and carries out the verdict.
///
/// Source: IIS `<failure>`, `rapidFailProtectionMaxCrashes`, `rapidFailProtectionInterval`.
struct RapidFailProtection {
    /// What the owner of the pool must do next.
    enum Verdict { case replaceWorker, stopPool }

    /// Crashes within the window that stop the pool, 1 through 100.
    let crashLimit: Int
    /// Length of the sliding window, in seconds.
    let window: UInt64
    /// The latest crashes, oldest first; never more than `crashLimit` of them.
    private var crashes: [MonotonicInstant] = []

    init(crashLimit: Int = 5, window: UInt64 = 300) {
        precondition((1...100).contains(crashLimit) && window > 0)
        (self.crashLimit, self.window) = (crashLimit, window)
    }

    /// Records one crash, seen at `instant`, which is never earlier than the crash before.
    mutating func workerCrashed(at instant: MonotonicInstant) -> Verdict {
        assert(crashes.last.map { $0 <= instant } ?? true, "crashes reported out of order")
        forgetOld(at: instant)
        // A pool of several workers can lose the rest of them after the verdict fell.
        // Dropping the oldest keeps the count at the limit, and the verdict with it.
        if crashes.count == crashLimit { crashes.removeFirst() }
        crashes.append(instant)
        return crashes.count == crashLimit ? .stopPool : .replaceWorker
    }

    /// Crashes within the window that ends at `instant`, for an administrator.
    func crashCount(at instant: MonotonicInstant) -> Int {
        var copy = self
        copy.forgetOld(at: instant)
        return copy.crashes.count
    }

    /// Forgets every crash, because an administrator started the pool.
    mutating func poolStarted() { crashes.removeAll(keepingCapacity: true) }

    /// The same crashes under other limits, after a reload; the latest stay.
    func changed(crashLimit: Int, window: UInt64) -> RapidFailProtection {
        var next = RapidFailProtection(crashLimit: crashLimit, window: window)
        next.crashes = crashes.suffix(crashLimit)
        return next
    }

    /// A crash exactly `window` old still counts.
    private mutating func forgetOld(at instant: MonotonicInstant) {
        crashes.removeAll { $0.adding(seconds: window) < instant }
    }
}
