public import BerthEventLoop
public import BerthHTTP

/// One request from its first octet until it was logged. Lives in a slot of its own, apart from the connection.
///
/// The listener fills the public part before the request is ready; the pipeline reads it and keeps its own data behind it
/// (`Listener.extensionOfRequest`). The octets of the head stay where they are until the request is released. Loop thread
/// only, but for the completion words.
public struct Request: SlabElement {
    public var generation: UInt32 = 0
    public internal(set) var index: UInt32 = 0

    // MARK: What came in

    public internal(set) var head = RequestHead()
    /// Where the offsets of `head` and `fields` count from.
    public internal(set) var headStart: UnsafePointer<UInt8>
    public internal(set) var fields: UnsafeMutablePointer<FieldSlice>
    /// Cooked; "*" for the asterisk form.
    public internal(set) var path: OctetRun
    /// Raw, without "?".
    public internal(set) var query: OctetRun
    public internal(set) var pathFlags: CookedFlags = []
    /// Unique in this process: loop, then a count.
    public internal(set) var id: UInt64 = 0
    public internal(set) var receivedAt = MonotonicInstant(nanoseconds: 0)
    public internal(set) var receivedTime: Int64 = 0

    // MARK: Where it goes

    public internal(set) var target: UnsafeMutablePointer<RouteTarget>?
    public internal(set) var snapshot: UnsafeMutablePointer<ListenerSnapshot>?
    /// Octets of `path` that selected the application, without the slash behind them.
    public internal(set) var applicationPathLength: UInt32 = 0

    // MARK: Events

    public struct Events: OptionSet, BitwiseCopyable, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// The head is complete: run the stages.
        public static let start = Events(rawValue: 1)
        /// Content is there (or its end, or its failure) after the handler was told to wait.
        public static let readable = Events(rawValue: 2)
        /// The window is open again.
        public static let writable = Events(rawValue: 4)
        /// `RequestHandle.complete` was called.
        public static let completed = Events(rawValue: 8)
        /// A job of the blocking pool is done.
        public static let blockingDone = Events(rawValue: 16)
        /// The client has left.
        public static let clientGone = Events(rawValue: 32)
        /// Something the handler stage itself waits for (a worker's answer).
        public static let handler = Events(rawValue: 64)
    }

    /// What happened since the pipeline looked last.
    public var events: Events = []
    /// The pipeline's: how far it is with this request. 0 for one that it never saw.
    public var phase: UInt8 = 0
    var isReady = false
    /// Index + 1, in the ready list.
    var nextReady: UInt32 = 0
    /// Index + 1, in the connection's list of finished requests, or in the loop's.
    var nextFinished: UInt32 = 0

    // MARK: Its content

    enum ContentState: UInt8 { case none, length, chunked, tunnel, ended, failed }
    var contentState = ContentState.none
    /// Why it failed, for `Listener.readContent`.
    var contentFailure = ContentOutcome.Failure.gone
    /// Waits for more; the next octets make it ready.
    var wantsContent = false
    var continueSent = false
    /// Octets still to come, with a length.
    var contentRemaining: UInt64 = 0
    var chunks = ChunkedDecoder()
    /// Octets at the start of the input that the decoder has found to be content.
    var chunkOctets: UInt32 = 0
    /// Octets of content delivered so far, and the most that are taken.
    public internal(set) var contentOctets: UInt64 = 0
    public internal(set) var contentMax: UInt64 = .max
    /// Offset in the input block behind the head: content is read from here on.
    var pinnedEnd: UInt32 = 0
    /// Head and content as they came over the wire.
    public internal(set) var octetsReceived: UInt64 = 0

    // MARK: Its response

    enum ResponseState: UInt8 { case none, length, chunked, untilClose, tunnel, bodiless, ended }
    var responseState = ResponseState.none
    var responseRemaining: UInt64 = 0
    /// The handler waits for room.
    var wantsRoom = false
    /// Keep the connection after the response; known when the head is parsed, taken back by handlers and limits.
    public internal(set) var keepsAlive = false
    /// The client is gone, or the response broke off: nothing more can be sent.
    public internal(set) var isBroken = false
    public var status: UInt16 = 0
    public var substatus: UInt16 = 0
    /// errno-like; 0: none.
    public var errorNumber: Int32 = 0
    /// Positions in the connection's stream of octets.
    var startPosition: UInt64 = 0
    var endPosition: UInt64 = 0
    /// Octets of this response that the kernel took; final in the log stage.
    public internal(set) var octetsSent: UInt64 = 0
    public internal(set) var finishedAt = MonotonicInstant(nanoseconds: 0)

    /// What follows the queued octets: a file, or memory that stays.
    var tailFile: Int32 = -1
    var tailOffset: UInt64 = 0
    var tailRemaining: UInt64 = 0
    var tailMemory: UnsafePointer<UInt8>?

    // MARK: Memory

    /// Block of the arena pool, 0: none.
    var arenaBlock: UInt32 = 0
    var arenaUsed: UInt32 = 0
    /// Fields that modules added, as octets of field lines, in the arena.
    var addedFields: UnsafeMutablePointer<UInt8>?
    var addedFieldsCount: UInt32 = 0

    // MARK: Whom it belongs to

    var connection: UInt32 = 0

    // MARK: Completion from any thread

    /// Generation, and bit 32: a completion is on its way. Atomic.
    var completionWord: UInt64 = 0
    /// Atomic.
    var completionValue: UInt64 = 0
    var completionMessage = Message(kind: 0)
    /// The pipeline lets go while a completion is on its way: the slot waits for it.
    public internal(set) var isReleased = false
    /// A job of the blocking pool, one at a time.
    public var job = BlockingPool.Job()
    public var jobMessage = Message(kind: 0)
    /// Outstanding; the request is not released before it is done.
    public var jobIsOutstanding = false
    public var jobResult: Int64 { job.result }

    init(headStart: UnsafePointer<UInt8>, fields: UnsafeMutablePointer<FieldSlice>) {
        self.headStart = headStart
        self.fields = fields
        path = .none
        query = .none
    }
}
