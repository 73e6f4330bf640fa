import BerthEventLoop
import Testing

@testable import BerthActivation

func seconds(_ value: UInt64) -> MonotonicInstant { MonotonicInstant(nanoseconds: 0).adding(seconds: 1000 + value) }
func milliseconds(_ value: UInt64) -> MonotonicInstant { seconds(0).adding(milliseconds: value) }

@Suite("Rapid-fail protection of a pool")
struct RapidFailProtectionTests {
    @Test("the fifth crash within five minutes stops the pool")
    func fifthCrash() {
        var protection = RapidFailProtection()
        for crash in 0..<4 { #expect(protection.workerCrashed(at: seconds(UInt64(crash))) == .replaceWorker) }
        #expect(protection.workerCrashed(at: seconds(4)) == .stopPool)
    }

    @Test(
        "a crash counts until it is older than the window",
        arguments: [(299, true), (300, true), (301, false)] as [(UInt64, Bool)])
    func windowEdge(age: UInt64, stops: Bool) {
        var protection = RapidFailProtection(crashLimit: 2, window: 300)
        #expect(protection.workerCrashed(at: seconds(0)) == .replaceWorker)
        #expect(protection.workerCrashed(at: seconds(age)) == (stops ? .stopPool : .replaceWorker))
    }

    @Test("the window slides: four crashes every five minutes go on for ever")
    func slides() {
        var protection = RapidFailProtection()
        for crash in 0..<100 {
            #expect(protection.workerCrashed(at: seconds(UInt64(crash) * 76)) == .replaceWorker)
        }
    }

    @Test("the verdict stays while the rest of the pool's workers fall")
    func verdictStays() {
        var protection = RapidFailProtection(crashLimit: 2, window: 300)
        _ = protection.workerCrashed(at: seconds(0))
        for crash in 1..<10 { #expect(protection.workerCrashed(at: seconds(UInt64(crash))) == .stopPool) }
        #expect(protection.crashCount(at: seconds(10)) == 2)
    }

    @Test("starting the pool forgets every crash")
    func startForgets() {
        var protection = RapidFailProtection(crashLimit: 2, window: 300)
        _ = protection.workerCrashed(at: seconds(0))
        protection.poolStarted()
        #expect(protection.workerCrashed(at: seconds(1)) == .replaceWorker)
    }

    @Test("a limit of one stops at the first crash")
    func limitOne() {
        var protection = RapidFailProtection(crashLimit: 1, window: 60)
        #expect(protection.workerCrashed(at: seconds(0)) == .stopPool)
    }

    @Test("new limits keep the crashes that were")
    func changed() {
        var protection = RapidFailProtection(crashLimit: 5, window: 300)
        for crash in 0..<3 { _ = protection.workerCrashed(at: seconds(UInt64(crash))) }
        var stricter = protection.changed(crashLimit: 4, window: 300)
        #expect(stricter.workerCrashed(at: seconds(3)) == .stopPool)
        var strictest = protection.changed(crashLimit: 2, window: 300)
        #expect(strictest.crashCount(at: seconds(3)) == 2)
        #expect(strictest.workerCrashed(at: seconds(3)) == .stopPool)
    }
}
