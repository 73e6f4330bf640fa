public import BerthEventLoop
public import BerthHTTP
import Glibc

/// One request from its first octet until it was logged. Lives in a slot of its own, apart from the connection.
///
/// The listener fills the public part before the request is ready; the pipeline reads it and keeps its own data behind it
/// (`Listener.extensionOfRequest`). The octets of the head stay where they are until the request is released. Loop thread
/// only, but for the completion words.
///
/// A slot that was used before is not initialised as a whole for the next request: `begin` clears what lies from `head` up to
/// `id` and from `target` up to `contentMax`, of which zero is the right start; the rest is set where a request needs it.
public struct Request: SlabElement {
    public var generation: UInt32
    public internal(set) var index: UInt32
    /// Where the offsets of `head` and `fields` count from.
    public internal(set) var headStart: UnsafePointer<UInt8>
    public internal(set) var fields: UnsafeMutablePointer<FieldSlice>

    // MARK: What came in

    public internal(set) var head: RequestHead
    /// Cooked; "*" for the asterisk form.
    public internal(set) var path: OctetRun
    /// Raw, without "?".
    public internal(set) var query: OctetRun
    public internal(set) var pathFlags: CookedFlags

    // MARK: Set when it begins

    /// Unique in this process: loop, then a count.
    public internal(set) var id: UInt64
    public internal(set) var receivedAt: MonotonicInstant
    public internal(set) var receivedTime: Int64
    public internal(set) var snapshot: UnsafeMutablePointer<ListenerSnapshot>?

    // MARK: Where it goes

    public internal(set) var target: UnsafeMutablePointer<RouteTarget>?
    /// Octets of `path` that selected the application, without the slash behind them.
    public internal(set) var applicationPathLength: UInt32

    // MARK: Events

    public struct Events: OptionSet, BitwiseCopyable, Sendable {
        public let rawValue: UInt32
        @inlinable @inline(__always)
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// The head is complete: run the stages.
        @inlinable public static var start: Events { Events(rawValue: 1) }
        /// Content is there (or its end, or its failure) after the handler was told to wait.
        @inlinable public static var readable: Events { Events(rawValue: 2) }
        /// The window is open again.
        @inlinable public static var writable: Events { Events(rawValue: 4) }
        /// `RequestHandle.complete` was called.
        @inlinable public static var completed: Events { Events(rawValue: 8) }
        /// A job of the blocking pool is done.
        @inlinable public static var blockingDone: Events { Events(rawValue: 16) }
        /// The client has left.
        @inlinable public static var clientGone: Events { Events(rawValue: 32) }
        /// Something the handler stage itself waits for (a worker's answer).
        @inlinable public static var handler: Events { Events(rawValue: 64) }
    }

    /// What happened since the pipeline looked last.
    public var events: Events
    /// The pipeline's: how far it is with this request. 0 for one that it never saw.
    public var phase: UInt8
    @usableFromInline var isReady: Bool
    /// Waits in its pool's queue: for a worker, or for a module that is being made.
    public var isQueued: Bool
    /// Index + 1, in the ready list.
    @usableFromInline var nextReady: UInt32
    /// Index + 1, in the connection's list of finished requests, or in the loop's.
    @usableFromInline var nextFinished: UInt32

    // MARK: Its content

    enum ContentState: UInt8 { case none, length, chunked, tunnel, ended, failed }
    var contentState: ContentState
    /// Why it failed, for `Listener.readContent`.
    var contentFailure: ContentOutcome.Failure
    /// Waits for more; the next octets make it ready.
    var wantsContent: Bool
    var continueSent: Bool
    /// Octets still to come, with a length.
    var contentRemaining: UInt64
    /// Octets at the start of the input that the decoder has found to be content.
    var chunkOctets: UInt32
    /// Octets of content delivered so far.
    public internal(set) var contentOctets: UInt64
    /// Offset in the input block behind the head: content is read from here on.
    var pinnedEnd: UInt32
    /// Head and content as they came over the wire.
    public internal(set) var octetsReceived: UInt64

    // MARK: Its response

    @usableFromInline
    enum ResponseState: UInt8, BitwiseCopyable { case none, length, chunked, untilClose, tunnel, bodiless, ended }
    @usableFromInline var responseState: ResponseState
    var responseRemaining: UInt64
    /// The handler waits for room.
    var wantsRoom: Bool
    /// Keep the connection after the response; known when the head is parsed, taken back by handlers and limits.
    public internal(set) var keepsAlive: Bool
    /// The client is gone, or the response broke off: nothing more can be sent.
    public internal(set) var isBroken: Bool
    public var status: UInt16
    public var substatus: UInt16
    /// errno-like; 0: none.
    public var errorNumber: Int32
    /// Positions in the connection's stream of octets.
    var startPosition: UInt64
    var endPosition: UInt64
    /// Octets of this response that the kernel took; final in the log stage.
    public internal(set) var octetsSent: UInt64
    public internal(set) var finishedAt: MonotonicInstant

    /// What follows the queued octets: a file, a pipe, or memory that stays.
    var tailFile: Int32
    var tailIsPipe: Bool
    var tailOffset: UInt64
    var tailRemaining: UInt64
    var tailMemory: UnsafePointer<UInt8>?

    // MARK: Memory

    /// Block of the arena pool, 0: none.
    var arenaBlock: UInt32
    var arenaUsed: UInt32
    /// Fields that modules added, as octets of field lines, in the arena.
    var addedFields: UnsafeMutablePointer<UInt8>?
    var addedFieldsCount: UInt32

    /// The pipeline lets go while a completion is on its way: the slot waits for it.
    public internal(set) var isReleased: Bool
    /// A job of the blocking pool is outstanding; the request is not released before it is done.
    public var jobIsOutstanding: Bool

    // MARK: Set where a request needs it; not cleared

    /// The most octets of content that are taken.
    public internal(set) var contentMax: UInt64
    /// Begun when the content is chunked.
    var chunks: ChunkedDecoder
    var connection: UInt32

    // MARK: Completion from any thread

    /// 0 until a handle names the request, and again when the slot is free; then its generation, and bit 32: a completion is
    /// on its way. Atomic.
    var completionWord: UInt64
    /// Atomic.
    var completionValue: UInt64
    var completionMessage: Message
    /// One at a time.
    public var job: BlockingPool.Job
    public var jobMessage: Message
    public var jobResult: Int64 { job.result }

    /// Makes the slot a new request's. Its generation stays.
    @inline(__always)
    static func begin(
        _ request: UnsafeMutablePointer<Request>, index: UInt32, connection: UInt32, headStart: UnsafePointer<UInt8>,
        fields: UnsafeMutablePointer<FieldSlice>
    ) {
        // In two parts, each short enough to be no call.
        clear(request, \Request.head, \Request.id)
        clear(request, \Request.target, \Request.contentMax)
        request.pointee.index = index
        request.pointee.headStart = headStart
        request.pointee.fields = fields
        request.pointee.contentMax = .max
        request.pointee.connection = connection
    }

    @inline(__always)
    private static func clear<From, To>(
        _ request: UnsafeMutablePointer<Request>, _ first: KeyPath<Request, From>, _ end: KeyPath<Request, To>
    ) {
        let from = MemoryLayout<Request>.offset(of: first) ?? 0
        let to = MemoryLayout<Request>.offset(of: end) ?? 0
        memset(UnsafeMutableRawPointer(request) + from, 0, to &- from)
    }
}
