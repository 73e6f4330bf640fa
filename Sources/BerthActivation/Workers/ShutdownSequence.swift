import BerthEventLoop

/// How a worker is stopped: let it finish, ask it, tell it, kill it, all within one limit.
///
/// 1. *drain*: it gets no new request; ends when its last one is answered, or when the time kept for its own shutdown begins;
/// 2. *message*: `POST .../iisintegration`, which an application with IIS integration answers 202;
/// 3. *terminate*: SIGTERM, when the message was refused, is not answered, or the worker knows none;
/// 4. *kill*: SIGKILL to all that it started, when the limit is over.
///
/// The caller does what a step says and reports what happened. Source: ANCM `shutdownTimeLimit`, one limit over everything.
struct ShutdownSequence {
    enum Step: Equatable { case drain, sendMessage, terminate, kill }

    /// What it is waiting for.
    enum Phase: Equatable {
        /// The last request, or the end of the time for it.
        case draining
        /// The answer to the message, or the exit.
        case messaging
        /// The exit.
        case terminating
        /// The exit, which SIGKILL makes certain.
        case killing
    }

    private(set) var phase: Phase
    /// When the worker is killed.
    let killDeadline: MonotonicInstant
    /// When the next step is taken if nothing happens before.
    private(set) var deadline: MonotonicInstant
    /// It is killed because its limit is over, and for no other reason.
    private(set) var ranOutOfTime = false
    private let sendsMessage: Bool

    /// - Parameters:
    ///   - limit: seconds, 0: kill at once.
    ///   - sendsMessage: whether the worker understands the shutdown message.
    ///   - isIdle: whether nobody uses it, so that there is nothing to let finish.
    /// - Returns: the first step beside the sequence.
    static func begin(
        limit: UInt64, sendsMessage: Bool, isIdle: Bool, now: MonotonicInstant
    ) -> (ShutdownSequence, Step) {
        var sequence = ShutdownSequence(limit: limit, sendsMessage: sendsMessage, now: now)
        sequence.ranOutOfTime = limit == 0
        let step: Step = limit == 0 ? sequence.kill() : isIdle ? sequence.askToEnd(now: now) : .drain
        return (sequence, step)
    }

    /// One of which only the kill is left, which the caller does; no time was given that could be over.
    static func killed(now: MonotonicInstant) -> ShutdownSequence {
        var sequence = ShutdownSequence(limit: 0, sendsMessage: false, now: now)
        _ = sequence.kill()
        return sequence
    }

    private init(limit: UInt64, sendsMessage: Bool, now: MonotonicInstant) {
        self.sendsMessage = sendsMessage
        phase = .draining
        killDeadline = now.adding(seconds: limit)
        // A quarter of the limit, and a second at least, is the worker's own: it may have to close files and WebSockets.
        let milliseconds = limit.multipliedReportingOverflow(by: 1000)
        let total = milliseconds.overflow ? UInt64.max : milliseconds.partialValue
        let own = max(total / 4, min(1000, total / 2))
        deadline = now.adding(milliseconds: total - own)
    }

    /// Its last request was answered, and every loop has let go of it.
    mutating func drained(now: MonotonicInstant) -> Step? {
        phase == .draining ? askToEnd(now: now) : nil
    }

    /// The worker answered the message, with 202 or with something else, or could not be reached.
    mutating func messageAnswered(accepted: Bool) -> Step? {
        guard phase == .messaging else { return nil }
        if accepted {
            deadline = killDeadline
            return nil
        }
        return terminate()
    }

    mutating func timePassed(now: MonotonicInstant) -> Step? {
        guard phase != .killing, now >= deadline else { return nil }
        if now >= killDeadline {
            ranOutOfTime = true
            return kill()
        }
        return phase == .draining ? askToEnd(now: now) : terminate()
    }

    /// Skips what is left: the daemon itself must end.
    mutating func kill() -> Step {
        phase = .killing
        deadline = .distantFuture
        return .kill
    }

    private mutating func askToEnd(now: MonotonicInstant) -> Step {
        if !sendsMessage { return terminate() }
        phase = .messaging
        // No answer in half of what is left: SIGTERM has the other half.
        let left = killDeadline > now ? killDeadline.nanoseconds - now.nanoseconds : 0
        deadline = now.adding(nanoseconds: left / 2)
        return .sendMessage
    }

    private mutating func terminate() -> Step {
        phase = .terminating
        deadline = killDeadline
        return .terminate
    }
}
