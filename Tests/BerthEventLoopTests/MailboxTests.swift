import CBerthSystem
import Glibc
import Testing

@testable import BerthEventLoop

@Suite("Mailboxes, the loop and the blocking pool")
struct MailboxTests {
    private func loop() throws -> EventLoop {
        try EventLoop(number: 0, system: cberth_system_linux(), timersMax: 64)
    }

    @Test("messages arrive in the order in which one thread posted them")
    func order() throws {
        let loop = try loop()
        for number in 0..<UInt64(100) { loop.mailbox.post(Message.make(kind: 5, a: number)) }
        loop.wait(block: false)
        var received: [UInt64] = []
        while let work = loop.nextWork() {
            guard case .message(let message) = work else { continue }
            received.append(message.pointee.a)
            Message.free(message)
        }
        #expect(received == Array(0..<100))
    }

    @Test("messages of several threads all arrive, each thread's in its order, and wake a waiting loop")
    func manyProducers() throws {
        let loop = try loop()
        let each: UInt64 = 5_000
        final class Producer: @unchecked Sendable {
            let mailbox: Mailbox
            let number: UInt64
            let count: UInt64
            init(_ mailbox: Mailbox, _ number: UInt64, _ count: UInt64) {
                (self.mailbox, self.number, self.count) = (mailbox, number, count)
            }
        }
        var threads: [UInt64] = []
        for number in 0..<UInt64(4) {
            var thread: UInt64 = 0
            let producer = Unmanaged.passRetained(Producer(loop.mailbox, number, each))
            let result = loop.system.pointee.thread_start(
                loop.system, "producer",
                { argument in
                    guard let argument else { return nil }
                    let producer = Unmanaged<Producer>.fromOpaque(argument).takeRetainedValue()
                    for i in 0..<producer.count {
                        producer.mailbox.post(Message.make(kind: 1, a: producer.number, b: i))
                    }
                    return nil
                }, producer.toOpaque(), &thread)
            #expect(result == 0)
            threads.append(thread)
        }
        var next = [UInt64](repeating: 0, count: 4)
        var total: UInt64 = 0
        while total < 4 * each {
            loop.wait(block: true)
            while let work = loop.nextWork() {
                guard case .message(let message) = work else { continue }
                let number = Int(message.pointee.a)
                #expect(message.pointee.b == next[number])
                next[number] += 1
                total += 1
                Message.free(message)
            }
        }
        for thread in threads { _ = loop.system.pointee.thread_join(loop.system, thread) }
    }

    @Test("work of a kind over its limit is refused at once; what was taken is done and says so")
    func blockingPool() throws {
        let loop = try loop()
        let pool = BlockingPool(system: loop.system, threadsMax: 2, limits: [2, 1, 1, 1])
        let gate = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
        gate.initialize(to: 0)
        let jobs = UnsafeMutablePointer<BlockingPool.Job>.allocate(capacity: 4)
        for index in 0..<4 {
            (jobs + index).initialize(
                to: BlockingPool.Job(
                    kind: 0, mailbox: loop.mailbox, message: Message.make(kind: 9, a: UInt64(index)), argument: gate,
                    work: { argument in
                        guard let gate = argument?.assumingMemoryBound(to: UInt64.self) else { return -1 }
                        while cberth_atomic_load(gate) == 0 { sched_yield() }
                        return 42
                    }))
        }
        #expect(pool.submit(jobs))
        #expect(pool.submit(jobs + 1))
        #expect(!pool.submit(jobs + 2), "the limit of this kind is two")
        jobs[3].kind = 1
        #expect(pool.submit(jobs + 3), "another kind has its own limit")
        cberth_atomic_store(gate, 1)
        var done: Set<UInt64> = []
        while done.count < 3 {
            loop.wait(block: true)
            while let work = loop.nextWork() {
                guard case .message(let message) = work else { continue }
                done.insert(message.pointee.a)
                Message.free(message)
            }
        }
        #expect(done == [0, 1, 3])
        #expect(jobs[0].result == 42)
        #expect(pool.stop() == 0)
        #expect(!pool.submit(jobs), "a stopped pool takes nothing")
    }

    @Test("a job that never ends does not hold the end of its pool for longer than the limit")
    func stuckJob() throws {
        let loop = try loop()
        let pool = BlockingPool(system: loop.system, threadsMax: 2, limits: [2, 1, 1, 1])
        let pipe = UnsafeMutablePointer<Int32>.allocate(capacity: 2)
        #expect(loop.system.pointee.pipe_create(loop.system, pipe, 0) == 0)
        _ = fcntl(pipe[0], F_SETFL, 0)
        let jobs = UnsafeMutablePointer<BlockingPool.Job>.allocate(capacity: 2)
        jobs.initialize(
            to: BlockingPool.Job(kind: 0, mailbox: loop.mailbox, message: Message.make(kind: 9), argument: pipe) {
                // Waits for an octet that does not come.
                var octet: UInt8 = 0
                return Int64(read($0?.assumingMemoryBound(to: Int32.self).pointee ?? -1, &octet, 1))
            })
        (jobs + 1).initialize(
            to: BlockingPool.Job(kind: 0, mailbox: loop.mailbox, message: Message.make(kind: 9), argument: nil) { _ in 7
            })
        #expect(pool.submit(jobs))
        #expect(pool.submit(jobs + 1))
        #expect(pool.stop(within: 1) == 1)
        #expect(jobs[1].result == 7, "the other was done")
        close(pipe[1])
        #expect(pool.stop() == 0)
        close(pipe[0])
        pipe.deallocate()
        jobs.deallocate()
    }

    @Test("a timer of the loop comes as work, after the wait it allows")
    func timers() throws {
        let loop = try loop()
        let token = EventToken(kind: 3, index: 8, generation: 9)
        _ = loop.schedule(at: loop.now.adding(milliseconds: 20), token)
        let start = loop.now
        var fired = false
        while !fired {
            loop.wait(block: true)
            while let work = loop.nextWork() {
                if case .expired(let expired) = work {
                    #expect(expired == token)
                    fired = true
                }
            }
        }
        #expect(start.milliseconds(until: loop.now) >= 20)
    }
}
