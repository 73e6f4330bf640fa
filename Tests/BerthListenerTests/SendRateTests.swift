import Testing

@testable import BerthListener

@Suite("The floor of the send rate, by acknowledged octets and an injected clock")
struct SendRateTests {
    private func front(_ rate: UInt64, creditMax: UInt64 = 4 << 20) throws -> ManualFront {
        var limits = ListenerLimits()
        limits.timers.minSendRate = rate
        limits.minSendCreditMax = creditMax
        let front = try ManualFront(limits)
        #expect(front.ask())
        #expect(front.isOpen)
        return front
    }

    @Test(
        "who takes nothing more is cut when what was acknowledged is used up at the floor rate", arguments: [0, 3000])
    func stalled(_ acknowledged: UInt64) throws {
        let front = try front(1000)
        front.acknowledged = acknowledged
        front.pass(milliseconds: 4990)
        #expect(front.isOpen, "the grace period")
        if acknowledged > 0 {
            front.pass(milliseconds: 20)
            #expect(front.isOpen)
            front.pass(milliseconds: acknowledged - 30)
            #expect(front.isOpen)
        }
        front.pass(milliseconds: 50)
        #expect(!front.isOpen)
    }

    @Test("each octet that is acknowledged meanwhile buys its time")
    func progress() throws {
        let front = try front(1000)
        front.acknowledged = 3000
        front.pass(milliseconds: 5010)
        front.acknowledged = 3500
        front.pass(milliseconds: 3010)
        #expect(front.isOpen, "8.02 s: the first 3000 are used up, 500 have come")
        front.pass(milliseconds: 460)
        #expect(front.isOpen, "8.48 s")
        front.pass(milliseconds: 50)
        #expect(!front.isOpen, "8.53 s")
    }

    @Test("a reader at the floor rate is never cut, one a tenth below it is")
    func floor() throws {
        for (octets, survives) in [(1000, true), (900, false)] as [(UInt64, Bool)] {
            let front = try front(1000)
            for second in 1...120 {
                front.acknowledged = octets * UInt64(second)
                front.pass(milliseconds: 1000)
            }
            #expect(front.isOpen == survives, "\(octets) octets a second")
        }
    }

    @Test("what was taken quickly buys no more than the credit")
    func credit() throws {
        let front = try front(1000, creditMax: 2000)
        front.acknowledged = front.sent
        front.pass(milliseconds: 5010)
        front.pass(milliseconds: 1970)
        #expect(front.isOpen, "6.98 s")
        front.pass(milliseconds: 50)
        #expect(!front.isOpen, "7.03 s")
    }

    @Test("without a floor nobody is cut, and a site's own comes before the daemon's")
    func ownFloor() throws {
        let off = try front(ListenerTimers.off)
        off.pass(milliseconds: 10 * 86_400_000)
        #expect(off.isOpen)
        off.site.timers = ListenerTimers(
            idleConnection: 0, headerWait: 0, entityBody: 0, drainEntityBody: 0, minSendRate: 1000)
        let own = try front(ListenerTimers.off)
        own.site.timers = off.site.timers
        own.pass(milliseconds: 5010)
        #expect(!own.isOpen)
        let open = try front(1000)
        open.site.timers = ListenerTimers(
            idleConnection: 0, headerWait: 0, entityBody: 0, drainEntityBody: 0, minSendRate: ListenerTimers.off)
        open.pass(milliseconds: 86_400_000)
        #expect(open.isOpen)
    }
}
