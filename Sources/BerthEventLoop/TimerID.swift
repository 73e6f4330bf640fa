/// Names one timer of a wheel; `.none` names none. A name outlives its timer harmlessly.
public struct TimerID: Equatable, Sendable, BitwiseCopyable {
    @usableFromInline let index: UInt32
    @usableFromInline let generation: UInt32

    @inlinable
    init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    public static let none = TimerID(index: 0, generation: 0)
    @inlinable public var isNone: Bool { generation == 0 }
}
