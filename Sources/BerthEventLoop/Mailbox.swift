import CBerthSystem

/// Messages from any thread to one loop: a stack of nodes that the loop takes whole, and an eventfd that wakes it.
///
/// Posting is wait-free but for the exchange, allocates nothing and cannot fail. The first message after the loop emptied it
/// makes one system call; further ones make none.
public struct Mailbox: @unchecked Sendable, BitwiseCopyable {
    private struct State {
        var head: UInt64
        var padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)  // a cache line of its own
        var wakeup: Int32
        var system: UnsafePointer<cberth_system>
    }

    private let state: UnsafeMutablePointer<State>

    init(system: UnsafePointer<cberth_system>) throws(SystemError) {
        let fd = try checked("eventfd", system.pointee.wakeup_create(system))
        state = .allocate(capacity: 1)
        state.initialize(to: State(head: 0, padding: (0, 0, 0, 0, 0, 0, 0), wakeup: fd, system: system))
    }

    var descriptor: Int32 { state.pointee.wakeup }

    /// Any thread. The message belongs to the loop from now on.
    public func post(_ message: UnsafeMutablePointer<Message>) {
        let word = UInt64(UInt(bitPattern: message))
        var head = cberth_atomic_load(&state.pointee.head)
        repeat { message.pointee.next = head } while !cberth_atomic_compare_exchange(&state.pointee.head, &head, word)
        if head == 0 {
            let system = state.pointee.system
            // A full eventfd counter (EAGAIN) has woken the loop already; there is no other failure of a descriptor of ours.
            _ = system.pointee.wakeup_signal(system, state.pointee.wakeup)
        }
    }

    /// Loop thread only: all messages, oldest first, linked by `next(after:)`.
    func takeAll() -> UnsafeMutablePointer<Message>? {
        let system = state.pointee.system
        _ = system.pointee.wakeup_clear(system, state.pointee.wakeup)
        var word = cberth_atomic_exchange(&state.pointee.head, 0)
        var oldest: UInt64 = 0
        while let message = UnsafeMutablePointer<Message>(bitPattern: UInt(word)) {
            let next = message.pointee.next
            message.pointee.next = oldest
            oldest = word
            word = next
        }
        return UnsafeMutablePointer(bitPattern: UInt(oldest))
    }

    func next(after message: UnsafeMutablePointer<Message>) -> UnsafeMutablePointer<Message>? {
        UnsafeMutablePointer(bitPattern: UInt(message.pointee.next))
    }
}
