/// Deadlines of one loop: a wheel of 1024 slots, 8.4 ms each, with an injected clock.
///
/// A deadline beyond the wheel's turn (8.6 s) lies in the farthest slot and is put further on when that comes round. Moving
/// a deadline *later* is one store; nothing is relinked until the old slot comes round, so the idle timer of a busy
/// connection costs nothing. Timers never fire early, and at most one slot late. Loop thread only.
public struct TimerWheel: BitwiseCopyable {
    /// 32 octets.
    private struct Node: SlabElement {
        var next: UInt32
        var previous: UInt32
        var generation: UInt32
        /// Slot + 1 in which it is linked, 0: in none.
        var slot: UInt32
        var deadline: UInt64
        var token: UInt64
    }

    private static let slotCount = 1024
    /// 2^23 ns.
    private static let tickShift: UInt64 = 23

    private var nodes: Slab<Node>
    /// Index + 1 of the first node, by slot.
    private let heads: UnsafeMutablePointer<UInt32>
    /// A set bit: the slot holds something.
    private let occupied: UnsafeMutablePointer<UInt64>
    /// Every slot up to and including this tick has been emptied.
    private var cursor: UInt64
    /// No occupied slot comes round before this tick. Exact after `nextDue`, too early at worst.
    private var soonest: UInt64 = .max

    public init?(capacity: Int, now: MonotonicInstant) {
        guard let nodes = Slab<Node>(capacity: capacity) else { return nil }
        self.nodes = nodes
        heads = .allocate(capacity: Self.slotCount)
        heads.initialize(repeating: 0, count: Self.slotCount)
        occupied = .allocate(capacity: Self.slotCount / 64)
        occupied.initialize(repeating: 0, count: Self.slotCount / 64)
        cursor = now.nanoseconds &>> Self.tickShift
    }

    /// Timers that wait.
    public var count: Int { nodes.count }

    /// Arms a timer, or answers `.none` when `capacity` timers are armed.
    public mutating func schedule(at deadline: MonotonicInstant, token: EventToken) -> TimerID {
        guard let (index, node) = nodes.allocate() else { return .none }
        node.pointee.deadline = deadline.nanoseconds
        node.pointee.token = token.rawValue
        link(index, node)
        return TimerID(index: index, generation: node.pointee.generation)
    }

    /// Moves a timer; false when it has fired or was cancelled.
    @discardableResult
    public mutating func reschedule(_ id: TimerID, at deadline: MonotonicInstant) -> Bool {
        guard let node = nodes.resolve(id.index, id.generation) else { return false }
        let earlier = deadline.nanoseconds < node.pointee.deadline
        node.pointee.deadline = deadline.nanoseconds
        if earlier {
            unlink(id.index, node)
            link(id.index, node)
        }
        return true
    }

    /// When a timer is due; nil when it has fired or was cancelled.
    public func deadline(of id: TimerID) -> MonotonicInstant? {
        nodes.resolve(id.index, id.generation).map { MonotonicInstant(nanoseconds: $0.pointee.deadline) }
    }

    public mutating func cancel(_ id: TimerID) {
        guard let node = nodes.resolve(id.index, id.generation) else { return }
        unlink(id.index, node)
        nodes.free(id.index)
    }

    /// The token of one timer whose deadline has passed, which is then gone; nil when there is no other.
    @inline(__always)
    public mutating func popExpired(now: MonotonicInstant) -> EventToken? {
        let tick = now.nanoseconds &>> Self.tickShift
        if tick < soonest {
            cursor = max(cursor, tick)
            return nil
        }
        return popFromSlots(now, tick)
    }

    /// Looks at the slots up to `tick`.
    @inline(never)
    private mutating func popFromSlots(_ now: MonotonicInstant, _ tick: UInt64) -> EventToken? {
        // After a long pause every slot is looked at once, not once for every turn that was missed.
        if tick > cursor &+ UInt64(Self.slotCount) { cursor = tick &- UInt64(Self.slotCount) }
        while cursor <= tick {
            let slot = Int(cursor & UInt64(Self.slotCount - 1))
            while heads[slot] != 0 {
                let index = heads[slot] &- 1
                let node = nodes.pointer(at: Int(index))
                if node.pointee.deadline &>> Self.tickShift > cursor {
                    unlink(index, node)
                    link(index, node)
                    continue
                }
                if node.pointee.deadline > now.nanoseconds { return nil }
                let token = EventToken(rawValue: node.pointee.token)
                unlink(index, node)
                nodes.free(index)
                return token
            }
            if cursor == tick { return nil }
            cursor &+= 1
        }
        return nil
    }

    /// When something may be due next, never later than the first deadline's slot is over; nil when nothing is armed.
    @inline(__always)
    public mutating func nextDue() -> MonotonicInstant? {
        if nodes.count == 0 { return nil }
        if soonest <= cursor { soonest = nextOccupied() }
        // The end of the slot, when all that lies in it is due.
        return MonotonicInstant(nanoseconds: (soonest &+ 1) &<< Self.tickShift)
    }

    /// The tick at which the next occupied slot comes round.
    @inline(never)
    private func nextOccupied() -> UInt64 {
        let start = Int(cursor & UInt64(Self.slotCount - 1))
        var word = start &>> 6
        var bits = occupied[word] & (UInt64.max &<< UInt64(start & 63))
        // The word of the cursor comes first for the slots from it on, and last for those before it.
        for step in 0...Self.slotCount / 64 {
            if bits != 0 {
                let slot = word &* 64 &+ bits.trailingZeroBitCount
                return cursor &+ UInt64((slot &- start) & (Self.slotCount - 1))
            }
            word = (word &+ 1) & (Self.slotCount / 64 - 1)
            bits = occupied[word]
            if step == Self.slotCount / 64 - 1 { bits &= ~(UInt64.max &<< UInt64(start & 63)) }
        }
        return cursor &+ UInt64(Self.slotCount)
    }

    /// Gives memory of timers that are gone back to the kernel.
    public mutating func trim() { nodes.trim() }

    private mutating func link(_ index: UInt32, _ node: UnsafeMutablePointer<Node>) {
        let due = node.pointee.deadline &>> Self.tickShift
        let tick = min(max(due, cursor), cursor &+ UInt64(Self.slotCount - 1))
        let slot = Int(tick & UInt64(Self.slotCount - 1))
        if tick < soonest { soonest = tick }
        node.pointee.slot = UInt32(slot) &+ 1
        node.pointee.previous = 0
        node.pointee.next = heads[slot]
        if heads[slot] != 0 { nodes.pointer(at: Int(heads[slot]) &- 1).pointee.previous = index &+ 1 }
        heads[slot] = index &+ 1
        occupied[slot &>> 6] |= 1 &<< UInt64(slot & 63)
    }

    private mutating func unlink(_ index: UInt32, _ node: UnsafeMutablePointer<Node>) {
        let slot = Int(node.pointee.slot) &- 1
        let next = node.pointee.next
        let previous = node.pointee.previous
        if next != 0 { nodes.pointer(at: Int(next) &- 1).pointee.previous = previous }
        if previous != 0 {
            nodes.pointer(at: Int(previous) &- 1).pointee.next = next
        } else {
            heads[slot] = next
            if next == 0 { occupied[slot &>> 6] &= ~(1 &<< UInt64(slot & 63)) }
        }
        node.pointee.slot = 0
    }
}
