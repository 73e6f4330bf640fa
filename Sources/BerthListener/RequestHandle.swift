public import BerthEventLoop
import CBerthSystem

/// A name for a request that any thread may complete, also when the request is long gone.
///
/// Bits 56...63 loop, 32...55 index, 0...31 generation. Completing exchanges one word in the request's slot (which is never
/// unmapped) and posts a message that lives in the slot, so it cannot fail and allocates nothing; a late one finds another
/// generation and is ignored; a second one before the first was delivered is folded into it.
public struct RequestHandle: Sendable, BitwiseCopyable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Loops a process can have, control loop included.
    public static let loopsMax = 256
    private static let posted: UInt64 = 1 << 32

    private struct Loop {
        var base: UnsafeMutableRawPointer?
        var stride = 0
        var capacity = 0
        var mailbox: Mailbox?
    }

    /// By loop number; written once for each before its thread starts.
    private nonisolated(unsafe) static let loops: UnsafeMutablePointer<Loop> = {
        let memory = UnsafeMutablePointer<Loop>.allocate(capacity: loopsMax)
        memory.initialize(repeating: Loop(), count: loopsMax)
        return memory
    }()

    static func register(loop: EventLoop, requests: Slab<Request>) {
        precondition(Int(loop.number) < loopsMax, "more loops than handles can name")
        loops[Int(loop.number)] = Loop(
            base: UnsafeMutableRawPointer(requests.pointer(at: 0)), stride: requests.stride,
            capacity: requests.capacity,
            mailbox: loop.mailbox)
    }

    init(loop: UInt32, index: UInt32, generation: UInt32) {
        rawValue = UInt64(loop) << 56 | UInt64(index & 0xff_ffff) << 32 | UInt64(generation)
    }

    /// Wakes the request with `value`. Any thread.
    public func complete(_ value: Int64) {
        let loop = Self.loops[Int(rawValue >> 56)]
        let index = Int(rawValue >> 32 & 0xff_ffff)
        let generation = rawValue & 0xffff_ffff
        guard let base = loop.base, let mailbox = loop.mailbox, index < loop.capacity, generation != 0 else { return }
        let request = (base + index * loop.stride).assumingMemoryBound(to: Request.self)
        var word = generation
        guard cberth_atomic_compare_exchange(&request.pointee.completionWord, &word, generation | Self.posted) else {
            return
        }
        // The slot cannot be given to another request before this message was taken.
        cberth_atomic_store(&request.pointee.completionValue, UInt64(bitPattern: value))
        request.pointee.completionMessage = Message(
            kind: Listener.completionMessage, a: UInt64(index), b: generation)
        mailbox.post(&request.pointee.completionMessage)
    }
}

extension Listener {
    /// A name for the request that any thread may complete.
    public func handle(of request: UnsafeMutablePointer<Request>) -> RequestHandle {
        // Only this thread writes it while it is 0.
        if cberth_atomic_load_relaxed(&request.pointee.completionWord) == 0 {
            cberth_atomic_store(&request.pointee.completionWord, UInt64(request.pointee.generation))
        }
        return RequestHandle(loop: loop.number, index: request.pointee.index, generation: request.pointee.generation)
    }

    /// What the latest completion said.
    public func completionValue(of request: UnsafeMutablePointer<Request>) -> Int64 {
        Int64(bitPattern: cberth_atomic_load(&request.pointee.completionValue))
    }

    /// A message of kind `completionMessage` or `jobMessage` arrived.
    public func completed(_ message: UnsafeMutablePointer<Message>) {
        let isJob = message.pointee.kind == Self.jobMessage
        let index = UInt32(truncatingIfNeeded: message.pointee.a)
        let generation = UInt32(truncatingIfNeeded: message.pointee.b)
        guard let request = state.pointee.requests.resolve(index, generation) else { return }
        if isJob {
            request.pointee.jobIsOutstanding = false
        } else {
            cberth_atomic_store(&request.pointee.completionWord, UInt64(generation))
        }
        if request.pointee.isReleased {
            release(request)
            return
        }
        makeReady(request, isJob ? .blockingDone : .completed)
    }
}

extension Listener {
    /// Submits a job that names the request: its message is kept in the request's slot, which outlives it.
    public func submit(
        _ request: UnsafeMutablePointer<Request>, to pool: Unmanaged<BlockingPool>, kind: UInt32,
        argument: UnsafeMutableRawPointer?, _ work: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Int64
    ) -> Bool {
        request.pointee.jobMessage = Message(
            kind: Self.jobMessage, a: UInt64(request.pointee.index), b: UInt64(request.pointee.generation))
        request.pointee.job = BlockingPool.Job(
            kind: kind, mailbox: loop.mailbox, message: &request.pointee.jobMessage, argument: argument, work: work)
        request.pointee.jobIsOutstanding = true
        let taken = pool._withUnsafeGuaranteedRef { $0.submit(&request.pointee.job) }
        if !taken { request.pointee.jobIsOutstanding = false }
        return taken
    }
}
