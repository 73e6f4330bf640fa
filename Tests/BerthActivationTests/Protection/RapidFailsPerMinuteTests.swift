import BerthEventLoop
import Testing

@testable import BerthActivation

@Suite("Rapid fails per minute of an application")
struct RapidFailsPerMinuteTests {
    @Test("a limit of N lets N crashes pass, and crash N+1 refuses", arguments: [0, 1, 5, 10, 100])
    func limit(limit: Int) {
        var fails = RapidFailsPerMinute(limit: limit, now: seconds(0))
        for _ in 0..<limit {
            #expect(fails.verdict(at: seconds(1)) == .start)
            fails.workerFailed(at: seconds(1))
        }
        #expect(fails.verdict(at: seconds(1)) == .start)
        fails.workerFailed(at: seconds(1))
        #expect(fails.verdict(at: seconds(1)) == .refuse(until: seconds(60)))
    }

    @Test(
        "the minute is over after 60 000 ms, and the application heals itself",
        arguments: [(59_999, false), (60_000, true), (60_001, true)] as [(UInt64, Bool)])
    func heals(at: UInt64, starts: Bool) {
        var fails = RapidFailsPerMinute(limit: 0, now: seconds(0))
        fails.workerFailed(at: seconds(0))
        #expect((fails.verdict(at: milliseconds(at)) == .start) == starts)
    }

    @Test("the minute is fixed: crashes on both sides of its end are not added up")
    func fixedWindow() {
        var fails = RapidFailsPerMinute(limit: 1, now: seconds(0))
        fails.workerFailed(at: seconds(59))
        fails.workerFailed(at: seconds(60))
        #expect(fails.verdict(at: seconds(61)) == .start)
        fails.workerFailed(at: seconds(62))
        #expect(fails.verdict(at: seconds(63)) == .refuse(until: seconds(120)))
    }

    @Test("a value out of range becomes the nearest one", arguments: [(-1, 0), (0, 0), (100, 100), (101, 100)])
    func clamped(given: Int, taken: Int) {
        #expect(RapidFailsPerMinute(limit: given, now: seconds(0)).limit == taken)
    }
}
