/// A point on the monotonic clock, in nanoseconds. Only differences mean anything.
public struct MonotonicInstant: Comparable, Sendable, BitwiseCopyable {
    public let nanoseconds: UInt64

    @inline(__always) @inlinable
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Later than any instant that will be seen: a deadline that is off.
    public static let distantFuture = MonotonicInstant(nanoseconds: .max)

    @inline(__always) @inlinable
    public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }

    /// `seconds` later; saturates.
    @inline(__always) @inlinable
    public func adding(seconds: UInt64) -> Self {
        adding(nanoseconds: seconds.multipliedReportingOverflow(by: 1_000_000_000))
    }

    @inline(__always) @inlinable
    public func adding(milliseconds: UInt64) -> Self {
        adding(nanoseconds: milliseconds.multipliedReportingOverflow(by: 1_000_000))
    }

    /// `nanoseconds` later; saturates.
    @inline(__always) @inlinable
    public func adding(nanoseconds more: UInt64) -> Self { adding(nanoseconds: (more, false)) }

    @inline(__always) @inlinable
    func adding(nanoseconds more: (partialValue: UInt64, overflow: Bool)) -> Self {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(more.partialValue)
        return Self(nanoseconds: overflow || more.overflow ? .max : sum)
    }

    /// Whole seconds from here to `later`, 0 when that is not later.
    @inlinable
    public func seconds(until later: Self) -> UInt64 {
        later > self ? (later.nanoseconds &- nanoseconds) / 1_000_000_000 : 0
    }

    @inlinable
    public func milliseconds(until later: Self) -> UInt64 {
        later > self ? (later.nanoseconds &- nanoseconds) / 1_000_000 : 0
    }
}
