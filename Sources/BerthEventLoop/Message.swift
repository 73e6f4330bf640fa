/// One hand-over from a thread to a loop. Plain memory: whoever posts it provides it, so posting cannot fail.
///
/// A request keeps one inside its own slot for its completion. A message made with `make` is freed by `free` after it was
/// handled.
public struct Message: BitwiseCopyable {
    /// Linkage of the mailbox.
    var next: UInt64
    /// Chosen by whoever dispatches the messages of a loop.
    public var kind: UInt32
    /// 1: made by `make`, to be freed by the receiver.
    public var owned: UInt32
    public var a: UInt64
    public var b: UInt64
    public var c: UInt64

    public init(kind: UInt32, a: UInt64 = 0, b: UInt64 = 0, c: UInt64 = 0) {
        (next, self.kind, owned, self.a, self.b, self.c) = (0, kind, 0, a, b, c)
    }

    /// A message on the heap.
    public static func make(kind: UInt32, a: UInt64 = 0, b: UInt64 = 0, c: UInt64 = 0) -> UnsafeMutablePointer<Message>
    {
        let message = UnsafeMutablePointer<Message>.allocate(capacity: 1)
        message.initialize(to: Message(kind: kind, a: a, b: b, c: c))
        message.pointee.owned = 1
        return message
    }

    /// Frees a message that was made by `make`; leaves others alone.
    public static func free(_ message: UnsafeMutablePointer<Message>) {
        if message.pointee.owned == 1 { message.deallocate() }
    }

    /// Keeps `object` alive until `takeObject` is called with what this answers.
    public static func word<T: AnyObject>(retaining object: T) -> UInt64 {
        UInt64(UInt(bitPattern: Unmanaged.passRetained(object).toOpaque()))
    }

    /// The object in `word`, whose hold on it ends.
    public static func takeObject<T: AnyObject>(_ type: T.Type, from word: UInt64) -> T? {
        guard let pointer = UnsafeRawPointer(bitPattern: UInt(word)) else { return nil }
        return Unmanaged<T>.fromOpaque(pointer).takeRetainedValue()
    }
}
