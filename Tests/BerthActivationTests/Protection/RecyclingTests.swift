import BerthEventLoop
import Testing

@testable import BerthActivation

@Suite("Recycling")
struct RecyclingTests {
    @Test("a worker is replaced after 29 hours unless the file says otherwise")
    func age() {
        var recycling = Recycling()
        #expect(recycling.timeDeadline(readyAt: seconds(0)) == seconds(29 * 3600))
        recycling.timeLimit = 0
        #expect(recycling.timeDeadline(readyAt: seconds(0)) == .distantFuture)
    }

    @Test(
        "a time of the schedule is due once, in the minute that reaches it",
        arguments: [
            (178, 179, false), (179, 180, true), (180, 181, false), (100, 300, true), (181, 170, false),
            (1439, 180, true),
            (1430, 0, false),
        ])
    func schedule(previous: Int, minute: Int, due: Bool) {
        var recycling = Recycling()
        recycling.schedule = [180]
        #expect(recycling.isDue(after: previous, upTo: minute) == due)
    }

    @Test("midnight is a time like others")
    func midnight() {
        var recycling = Recycling()
        recycling.schedule = [0]
        #expect(recycling.isDue(after: 1439, upTo: 0))
        #expect(!recycling.isDue(after: 0, upTo: 1))
    }
}
