public import BerthEventLoop
import CBerthSystem

/// How many connections each loop has, so that the one that accepts can give a fresh one to a loop with fewer.
///
/// A shared listening descriptor feeds whichever loop wakes first, which is often the busiest; without this, long-lived
/// connections would gather there. Each loop writes its own word and reads the others' when it accepts. Any thread.
public final class LoopBalance: @unchecked Sendable {
    /// Words from one loop's count to the next: a cache line each.
    private static let stride = 8

    private let words: UnsafeMutablePointer<UInt64>
    let loopCount: Int
    /// Written before the loops start.
    private var mailboxes: [Mailbox] = []

    public init(loops: Int) {
        loopCount = loops
        words = .allocate(capacity: max(loops, 1) * Self.stride)
        words.initialize(repeating: 0, count: max(loops, 1) * Self.stride)
    }

    deinit { words.deallocate() }

    /// Where each loop takes connections; in their order, before the first of them runs.
    public func setMailboxes(_ mailboxes: [Mailbox]) {
        precondition(mailboxes.count == loopCount)
        self.mailboxes = mailboxes
    }

    /// What a loop has at the moment.
    public func connections(of loop: Int) -> UInt64 { cberth_atomic_load_relaxed(words + loop * Self.stride) }

    func note(_ count: Int, loop: Int) { cberth_atomic_store_relaxed(words + loop * Self.stride, UInt64(count)) }

    /// The loop that should have the next connection instead of this one, or nil when this one is no more than an eighth (and
    /// four) above the emptiest.
    func better(than loop: Int) -> Int? {
        let own = connections(of: loop)
        var best = loop
        var least = own
        for other in 0..<loopCount {
            let count = connections(of: other)
            if count < least { (best, least) = (other, count) }
        }
        return best != loop && own > least &+ max(4, least / 8) ? best : nil
    }

    func post(_ message: UnsafeMutablePointer<Message>, to loop: Int) { mailboxes[loop].post(message) }
}
