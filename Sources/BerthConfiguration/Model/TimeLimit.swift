/// A time limit, or none.
public enum TimeLimit: Sendable, Hashable {
    case after(Duration)
    /// `"off"`. HTTP.sys writes it 65535.
    case off

    /// The limit in milliseconds; nil where it is off.
    public var milliseconds: UInt64? {
        guard case .after(let duration) = self else { return nil }
        return duration.wholeMilliseconds
    }
}

extension Duration {
    /// The duration in whole milliseconds, rounded down; a negative one is 0.
    public var wholeMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(seconds) &* 1000 &+ UInt64(attoseconds / 1_000_000_000_000_000)
    }
}
