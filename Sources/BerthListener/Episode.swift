import BerthEventLoop

/// Something that goes wrong again and again: worth a line when it begins and one when it is over, not one each time.
struct Episode: BitwiseCopyable {
    /// Seconds without it after which it is over. Ours: twenty pauses of accepting.
    static let calmSeconds: UInt64 = 5

    private var count: UInt64 = 0
    private var last = MonotonicInstant(nanoseconds: 0)

    /// Counts it; true: it is the first time.
    mutating func happened(at now: MonotonicInstant) -> Bool {
        count &+= 1
        last = now
        return count == 1
    }

    /// How often it happened, once it is over; 0: it is not, or there was none. The next time is the first again.
    mutating func endWhenCalm(at now: MonotonicInstant) -> UInt64 {
        if count == 0 || now < last.adding(seconds: Self.calmSeconds) { return 0 }
        defer { count = 0 }
        return count
    }
}
