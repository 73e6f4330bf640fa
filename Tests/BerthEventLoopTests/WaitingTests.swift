import CBerthSystem
import Glibc
import Synchronization
import Testing

@testable import BerthEventLoop

@Suite("How a loop waits for its deadlines")
struct WaitingTests {
    /// How often the timer of a loop of this suite was set, by loop.
    private static let settings = Mutex<[UInt: Int]>([:])

    /// The real kernel, counting.
    private final class Counting {
        let system: UnsafeMutablePointer<cberth_system>

        init() {
            system = .allocate(capacity: 1)
            system.initialize(to: cberth_system_linux().pointee)
            system.pointee.timer_set = { system, timer, nanoseconds in
                WaitingTests.settings.withLock { $0[UInt(bitPattern: system), default: 0] += 1 }
                return cberth_system_linux().pointee.timer_set(system, timer, nanoseconds)
            }
        }

        var settings: Int { WaitingTests.settings.withLock { $0[UInt(bitPattern: system)] ?? 0 } }
    }

    private func token(_ index: UInt32) -> EventToken { EventToken(kind: 1, index: index, generation: 1) }

    /// Waits until a deadline has passed, and says which.
    private func nextExpired(_ loop: EventLoop) -> EventToken? {
        // Each turn ends with a deadline, or with the timer that announced one that was moved: a few of them are enough.
        for _ in 0..<20 {
            while let work = loop.nextWork() { if case .expired(let token) = work { return token } }
            loop.wait(block: true)
        }
        return nil
    }

    /// A wait that a message ends.
    private func waitForMessage(_ loop: EventLoop) {
        loop.mailbox.post(Message.make(kind: 7))
        loop.wait(block: true)
        while let work = loop.nextWork() { if case .message(let message) = work { Message.free(message) } }
    }

    @Test("a deadline ends the wait, and the one after it too, in the order of their moments")
    func deadlines() throws {
        let counting = Counting()
        let loop = try EventLoop(number: 0, system: counting.system, timersMax: 8)
        _ = loop.schedule(at: loop.now.adding(milliseconds: 60), token(1))
        loop.wait(block: false)
        _ = loop.schedule(at: loop.now.adding(milliseconds: 20), token(2))
        let moved = loop.schedule(at: loop.now.adding(milliseconds: 30), token(3))
        let begun = loop.now
        #expect(loop.reschedule(moved, at: begun.adding(milliseconds: 90)))
        #expect(nextExpired(loop) == token(2))
        #expect(loop.now >= begun.adding(milliseconds: 20))
        #expect(nextExpired(loop) == token(1))
        #expect(nextExpired(loop) == token(3))
        #expect(loop.now >= begun.adding(milliseconds: 90))
    }

    @Test("an earlier deadline that comes later ends the wait in time")
    func earlier() throws {
        let counting = Counting()
        let loop = try EventLoop(number: 0, system: counting.system, timersMax: 8)
        _ = loop.schedule(at: loop.now.adding(seconds: 3600), token(1))
        waitForMessage(loop)
        _ = loop.schedule(at: loop.now.adding(milliseconds: 10), token(2))
        #expect(nextExpired(loop) == token(2))
    }

    @Test("waits that something else ends don't set the timer again")
    func settings() throws {
        let counting = Counting()
        let loop = try EventLoop(number: 0, system: counting.system, timersMax: 8)
        _ = loop.schedule(at: loop.now.adding(seconds: 3600), token(1))
        for _ in 0..<100 { waitForMessage(loop) }
        // The deadline lies beyond the wheel's turn of 8.6 s: its slot comes round before.
        #expect(counting.settings >= 1)
        #expect(counting.settings <= 3)
    }

    @Test(
        "the more events a turn has, the less each may move",
        arguments: [(1, 1 << 20), (8, 1 << 20), (32, 1 << 18), (200, 1 << 16)])
    func share(events: Int, octets: Int) throws {
        let system = cberth_system_linux()
        let loop = try EventLoop(number: 0, system: system, timersMax: 8)
        var descriptors: [Int32] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        for index in 0..<events {
            let descriptor = try checked("eventfd", system.pointee.wakeup_create(system))
            descriptors.append(descriptor)
            #expect(loop.register(descriptor, EPOLLIN.rawValue, token(UInt32(index))) == 0)
            #expect(system.pointee.wakeup_signal(system, descriptor) == 0)
        }
        loop.wait(block: false)
        #expect(loop.turnShare == octets)
    }
}
