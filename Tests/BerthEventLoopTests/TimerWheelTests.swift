import Testing

@testable import BerthEventLoop

@Suite("The timer wheel")
struct TimerWheelTests {
    private static let tick: UInt64 = 1 << 23

    private func instant(_ milliseconds: UInt64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: milliseconds * 1_000_000)
    }

    private func token(_ index: UInt32) -> EventToken { EventToken(kind: 7, index: index, generation: 1) }

    /// The wheel behind a reference, because the macros of the tests take no mutating calls.
    private final class Wheel {
        private var wheel: TimerWheel

        init(_ wheel: TimerWheel) { self.wheel = wheel }

        var count: Int { wheel.count }
        func schedule(at deadline: MonotonicInstant, token: EventToken) -> TimerID {
            wheel.schedule(at: deadline, token: token)
        }
        func reschedule(_ id: TimerID, at deadline: MonotonicInstant) -> Bool { wheel.reschedule(id, at: deadline) }
        func cancel(_ id: TimerID) { wheel.cancel(id) }
        func popExpired(now: MonotonicInstant) -> EventToken? { wheel.popExpired(now: now) }
        func nextDue() -> MonotonicInstant? { wheel.nextDue() }
    }

    private func wheel(at milliseconds: UInt64 = 1000, capacity: Int = 100_000) throws -> Wheel {
        Wheel(try #require(TimerWheel(capacity: capacity, now: instant(milliseconds))))
    }

    @Test("a timer never fires before its deadline, and at most one slot after it")
    func fires() throws {
        let wheel = try wheel()
        let deadline = instant(1500)
        _ = wheel.schedule(at: deadline, token: token(1))
        #expect(wheel.popExpired(now: MonotonicInstant(nanoseconds: deadline.nanoseconds - 1)) == nil)
        let late = MonotonicInstant(nanoseconds: deadline.nanoseconds + Self.tick)
        #expect(wheel.popExpired(now: late) == token(1))
        #expect(wheel.popExpired(now: late) == nil)
        #expect(wheel.count == 0)
    }

    @Test("a deadline that has passed fires at once")
    func past() throws {
        let wheel = try wheel()
        _ = wheel.schedule(at: instant(10), token: token(1))
        #expect(wheel.popExpired(now: instant(1000)) == token(1))
    }

    @Test("a deadline beyond the turn of the wheel is put further on until it is due")
    func farAway() throws {
        let wheel = try wheel()
        _ = wheel.schedule(at: instant(121_000), token: token(1))
        for now in stride(from: UInt64(1000), to: 121_000, by: 997) {
            #expect(wheel.popExpired(now: instant(now)) == nil)
        }
        #expect(wheel.popExpired(now: instant(121_010)) == token(1))
    }

    @Test("moving a deadline later and earlier is honoured")
    func moves() throws {
        let wheel = try wheel()
        let id = wheel.schedule(at: instant(1100), token: token(1))
        #expect(wheel.reschedule(id, at: instant(3000)))
        #expect(wheel.popExpired(now: instant(2900)) == nil)
        #expect(wheel.reschedule(id, at: instant(2950)))
        #expect(wheel.popExpired(now: instant(2960)) == token(1))
        #expect(!wheel.reschedule(id, at: instant(5000)), "a timer that fired is gone")
    }

    @Test("a cancelled timer does not fire, and its name means nothing to the next one in its place")
    func cancels() throws {
        let wheel = try wheel()
        let first = wheel.schedule(at: instant(1100), token: token(1))
        wheel.cancel(first)
        let second = wheel.schedule(at: instant(1200), token: token(2))
        wheel.cancel(first)
        #expect(!wheel.reschedule(first, at: instant(9000)))
        #expect(wheel.popExpired(now: instant(1300)) == token(2))
        #expect(second != first)
    }

    @Test("nothing is due without timers; else not before the deadline, and never later than the end of its slot")
    func due() throws {
        let wheel = try wheel()
        #expect(wheel.nextDue() == nil)
        let first = wheel.schedule(at: instant(1050), token: token(1))
        let due = try #require(wheel.nextDue())
        #expect(due >= instant(1050) && due <= instant(1050 + 9))
        _ = wheel.schedule(at: instant(1020), token: token(2))
        #expect(try #require(wheel.nextDue()) <= instant(1020 + 9))
        wheel.cancel(first)
        #expect(wheel.popExpired(now: instant(1030)) == token(2))
        #expect(wheel.nextDue() == nil)
    }

    @Test("when capacity timers are armed, the next one is refused and says so")
    func capacity() throws {
        let wheel = try wheel(capacity: 3)
        for index in 0..<3 { #expect(!wheel.schedule(at: instant(2000), token: token(UInt32(index))).isNone) }
        #expect(wheel.schedule(at: instant(2000), token: token(9)).isNone)
    }

    @Test("every one of many timers with mixed deadlines fires exactly once, in the order of their slots")
    func many() throws {
        let wheel = try wheel()
        var state: UInt64 = 42
        func random() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        var deadlines: [UInt32: UInt64] = [:]
        var ids: [UInt32: TimerID] = [:]
        for index in 0..<UInt32(5000) {
            let deadline = 1000 + random() % 40_000
            deadlines[index] = deadline
            ids[index] = wheel.schedule(at: instant(deadline), token: token(index))
        }
        for index in 0..<UInt32(5000) where index % 3 == 0 {
            let deadline = 1000 + random() % 40_000
            deadlines[index] = deadline
            if let id = ids[index] { #expect(wheel.reschedule(id, at: instant(deadline))) }
        }
        var fired: Set<UInt32> = []
        var now: UInt64 = 1000
        while now < 42_000 {
            now += random() % 300
            while let token = wheel.popExpired(now: instant(now)) {
                #expect(fired.insert(token.index).inserted)
                #expect(deadlines[token.index] ?? .max <= now)
            }
            for (index, deadline) in deadlines where deadline + 18 < now && !fired.contains(index) {
                Issue.record("timer \(index), due at \(deadline), has not fired at \(now)")
            }
        }
        #expect(fired.count == 5000)
    }
}
