import BerthEventLoop
import CBerthSystem

/// One accepted socket. About 170 octets; everything larger is borrowed while there is work. Loop thread only.
struct Connection: SlabElement {
    enum Phase: UInt8 {
        /// No request, no octet of one. Waits for the next, or the idle limit.
        case idle
        /// The beginning of a head is there. Waits for its end, or the header limit.
        case readingHead
        /// A request runs. Waits for its handler, its content or its client's readiness to take more.
        case running
        /// The response is out, content that nobody wanted is still coming. Waits for its end, to keep the connection.
        case draining
        /// The last response is out and our side is shut. Waits for the peer's end, so that no reset overtakes the response.
        case lingering
        /// The descriptor is closed; the slot waits for its requests to be let go.
        case closed
    }

    struct Flags: OptionSet, BitwiseCopyable {
        let rawValue: UInt16
        /// Known to the event loop.
        static let registered = Flags(rawValue: 1)
        /// Close when everything queued is sent.
        static let closeAfterResponse = Flags(rawValue: 2)
        /// The peer has ended its side (FIN).
        static let peerFinished = Flags(rawValue: 4)
        /// The kernel takes no more; waits for writability.
        static let blocked = Flags(rawValue: 8)
        /// `local` is known.
        static let localKnown = Flags(rawValue: 16)
        /// Close without lingering: nothing of the peer can be unread.
        static let unreadInput = Flags(rawValue: 32)
        /// Carries octets without framing in both directions.
        static let tunnel = Flags(rawValue: 64)
        /// The response broke off; the close must show it.
        static let truncated = Flags(rawValue: 128)
        /// Counted for its source address.
        static let sourceCounted = Flags(rawValue: 256)
        /// The kernel keeps at most `unsentOctetsMax` for it.
        static let unsentBounded = Flags(rawValue: 512)
        /// The last read of content took all there was; an event tells when there is more.
        static let inputTaken = Flags(rawValue: 1024)
        /// The kernel tells of its readiness as long as it lasts, not only when it begins; see `changeInterest`.
        static let levelTriggered = Flags(rawValue: 2048)
    }

    var generation: UInt32 = 0
    var fd: Int32 = -1
    var phase = Phase.idle
    /// Blocks of `outputBlockSize` that the kernel took at once, one after the other, while many clients lagged; see `keepsUp`.
    var blocksTaken: UInt8 = 0
    var endpoint: UInt16 = 0
    var flags: Flags = []
    /// Events asked for, as registered.
    var interest: UInt32 = 0
    /// Block of the input pool, 0: none. Octets in it that nobody took yet: `inputStart..<inputEnd`.
    var inputBlock: UInt32 = 0
    var inputStart: UInt32 = 0
    var inputEnd: UInt32 = 0
    /// Index + 1 of the request whose head is incomplete, and of the one that runs.
    var parsing: UInt32 = 0
    var request: UInt32 = 0
    /// Index + 1: requests that are answered and wait until their octets are sent, oldest first.
    var finishedFirst: UInt32 = 0
    var finishedLast: UInt32 = 0
    /// Blocks of the output pool that the kernel would not take yet.
    var outputFirst: UInt32 = 0
    var outputLast: UInt32 = 0
    /// Index + 1 of the request whose file or stable memory follows the queued octets.
    var tailRequest: UInt32 = 0
    var requestCount: UInt32 = 0
    /// Request slots that name this connection: being parsed, running, or not yet logged.
    var requests: UInt32 = 0
    var lingerReads: UInt16 = 0
    /// Octets of responses so far: given to this connection, and taken by the kernel.
    var queuedTotal: UInt64 = 0
    var sentTotal: UInt64 = 0
    /// While the kernel takes no more: since when, in nanoseconds (0: it takes), octets that the peer had acknowledged when its
    /// rate was judged last, and until when those suffice (0: not judged yet).
    var rateSince: UInt64 = 0
    var rateAcknowledged: UInt64 = 0
    var rateUntil: UInt64 = 0
    var timer = TimerID.none
    /// What the connection is charged to.
    var site: SiteCounters?
    var remote = cberth_address()
    var local = cberth_address()
}
