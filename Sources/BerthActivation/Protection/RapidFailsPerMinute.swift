import BerthEventLoop

/// Decides whether an application whose workers keep crashing may be started once more in this minute.
///
/// A limit of N lets N crashes pass; crash N+1 refuses every start until the minute is over, and then the application heals
/// itself. The minute is fixed, not sliding: it begins with the first look after the one before has ended, as in the ASP.NET
/// Core Module. Starts that failed are counted like crashes, as its documentation says and its code does not.
///
/// Source: ANCM `rapidFailsPerMinute`, default 10, 0 through 100.
struct RapidFailsPerMinute {
    /// What the next request may do.
    enum Verdict: Equatable {
        case start
        /// Answer 502.5 until then.
        case refuse(until: MonotonicInstant)
    }

    /// Length of the window, in milliseconds. Source: ANCM.
    static let windowMilliseconds: UInt64 = 60_000

    /// Crashes that one minute lets pass, 0 through 100.
    var limit: Int
    private(set) var failures = 0
    private var windowStart: MonotonicInstant

    init(limit: Int = 10, now: MonotonicInstant) {
        self.limit = min(max(limit, 0), 100)
        windowStart = now
    }

    /// A worker ended unasked, or did not start.
    mutating func workerFailed(at now: MonotonicInstant) {
        turnWindow(at: now)
        // Bounded by what a minute can hold; saturating all the same.
        if failures < Int.max { failures += 1 }
    }

    /// Whether a start is allowed now.
    mutating func verdict(at now: MonotonicInstant) -> Verdict {
        turnWindow(at: now)
        if failures <= limit { return .start }
        return .refuse(until: windowStart.adding(milliseconds: Self.windowMilliseconds))
    }

    /// Forgets all, because an administrator started the application.
    mutating func reset(at now: MonotonicInstant) { (failures, windowStart) = (0, now) }

    private mutating func turnWindow(at now: MonotonicInstant) {
        if now >= windowStart.adding(milliseconds: Self.windowMilliseconds) { reset(at: now) }
    }
}
