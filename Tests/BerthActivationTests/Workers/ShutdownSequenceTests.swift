import BerthEventLoop
import Testing

@testable import BerthActivation

@Suite("Shutdown sequence")
struct ShutdownSequenceTests {
    @Test("an idle worker that knows the message is sent it at once")
    func messageFirst() {
        let (sequence, step) = ShutdownSequence.begin(limit: 10, sendsMessage: true, isIdle: true, now: seconds(0))
        #expect(step == .sendMessage)
        #expect(sequence.phase == .messaging)
    }

    @Test("a worker that knows no message is told by signal")
    func signalFirst() {
        let (_, step) = ShutdownSequence.begin(limit: 10, sendsMessage: false, isIdle: true, now: seconds(0))
        #expect(step == .terminate)
    }

    @Test("a limit of 0 kills at once")
    func zero() {
        let (sequence, step) = ShutdownSequence.begin(limit: 0, sendsMessage: true, isIdle: false, now: seconds(0))
        #expect(step == .kill)
        #expect(sequence.deadline == .distantFuture)
    }

    @Test("what it is answering is waited for, but a quarter of the limit is the worker's own")
    func drainEnds() {
        var (sequence, step) = ShutdownSequence.begin(limit: 20, sendsMessage: true, isIdle: false, now: seconds(0))
        #expect(step == .drain)
        #expect(sequence.deadline == seconds(15))
        #expect(sequence.timePassed(now: milliseconds(14_999)) == nil)
        #expect(sequence.timePassed(now: seconds(15)) == .sendMessage)
    }

    @Test("the last answer ends the wait early")
    func drained() {
        var (sequence, _) = ShutdownSequence.begin(limit: 10, sendsMessage: true, isIdle: false, now: seconds(0))
        #expect(sequence.drained(now: seconds(1)) == .sendMessage)
        #expect(sequence.drained(now: seconds(1)) == nil)
    }

    @Test("a refused message is followed by SIGTERM, an accepted one is not")
    func refused() {
        var (refused, _) = ShutdownSequence.begin(limit: 10, sendsMessage: true, isIdle: true, now: seconds(0))
        #expect(refused.messageAnswered(accepted: false) == .terminate)
        #expect(refused.messageAnswered(accepted: false) == nil)
        var (accepted, _) = ShutdownSequence.begin(limit: 10, sendsMessage: true, isIdle: true, now: seconds(0))
        #expect(accepted.messageAnswered(accepted: true) == nil)
        #expect(accepted.timePassed(now: milliseconds(9_999)) == nil)
        #expect(accepted.timePassed(now: seconds(10)) == .kill)
    }

    @Test("a message that is not answered is followed by SIGTERM in the middle of what is left")
    func unanswered() {
        var (sequence, _) = ShutdownSequence.begin(limit: 10, sendsMessage: true, isIdle: true, now: seconds(0))
        #expect(sequence.timePassed(now: milliseconds(4_999)) == nil)
        #expect(sequence.timePassed(now: seconds(5)) == .terminate)
        #expect(sequence.timePassed(now: milliseconds(9_999)) == nil)
        #expect(sequence.timePassed(now: seconds(10)) == .kill)
        #expect(sequence.timePassed(now: seconds(11)) == nil)
    }

    @Test("a clock that jumps over everything ends in the kill", arguments: [1, 2, 10, 600] as [UInt64])
    func jump(limit: UInt64) {
        var (sequence, _) = ShutdownSequence.begin(limit: limit, sendsMessage: true, isIdle: false, now: seconds(0))
        #expect(sequence.timePassed(now: seconds(limit)) == .kill)
    }
}
