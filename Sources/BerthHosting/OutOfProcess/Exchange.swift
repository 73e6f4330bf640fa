import BerthEventLoop
import BerthHTTP
import BerthListener

/// A request on its way to a worker and back. Lives from the execute stage until that ends. Loop thread only.
struct Exchange: SlabElement {
    enum State: UInt8 {
        /// In the application's queue. Waits for a worker, or a connection to it, or the queue's time limit; or, in doubt, for the
        /// end of the worker that let it down.
        case waiting
        /// Has a connection; the request's head is not sent. Waits for the connection to be made.
        case connecting
        /// The head is out. Waits for content of the client, room at the worker, the response, room at the client.
        case exchanging
        /// Both directions carry octets without framing. Waits for either side.
        case tunnel
    }

    enum Upload: UInt8 {
        /// There is content that was not sent yet. Waits for the client, or the worker.
        case running
        /// All is sent, or there was none.
        case ended
        /// The worker takes no more, but may still answer.
        case abandoned
    }

    enum Response: UInt8 { case head, length, chunked, untilClose }

    struct Flags: OptionSet, BitwiseCopyable {
        let rawValue: UInt32
        /// Counted in the pool's queue.
        static let queued = Flags(rawValue: 1)
        /// Linked in the application's list of waiting exchanges.
        static let linked = Flags(rawValue: 2)
        /// The queue's time limit has passed.
        static let expired = Flags(rawValue: 4)
        /// The worker could not be started.
        static let startFailed = Flags(rawValue: 8)
        /// Content of the client was taken from the listener: the request cannot be repeated.
        static let contentTaken = Flags(rawValue: 16)
        /// Sent again after a kept connection had turned out to be dead.
        static let repeated = Flags(rawValue: 32)
        /// A worker refused the connection.
        static let refused = Flags(rawValue: 64)
        /// Asks for the WebSocket protocol, and the worker is told so.
        static let upgrade = Flags(rawValue: 128)
        /// The worker has sent something.
        static let answered = Flags(rawValue: 256)
        /// The upload waits for content of the client.
        static let waitsForClient = Flags(rawValue: 512)
        /// The response waits for room at the client.
        static let waitsForRoom = Flags(rawValue: 1024)
        /// In a tunnel: the client has ended its side, and the worker was told.
        static let clientFinished = Flags(rawValue: 2048)
        /// The connection ends with this response.
        static let lastOnConnection = Flags(rawValue: 4096)
        /// The pipe of the response may hold octets.
        static let pipeInUse = Flags(rawValue: 8192)
        /// Linked in the application's list of those in doubt: its worker may be dying.
        static let inDoubt = Flags(rawValue: 16384)
    }

    var generation: UInt32 = 0
    var index: UInt32 = 0
    var state = State.waiting
    var upload = Upload.ended
    var response = Response.head
    var interimResponses: UInt8 = 0
    var flags: Flags = []
    /// Index + 1.
    var connection: UInt32 = 0
    /// Index + 1, in the application's list of waiting exchanges, or in that of those in doubt.
    var nextWaiting: UInt32 = 0
    var previousWaiting: UInt32 = 0
    /// Block of octets that the worker did not take yet, 0: none.
    var unsentBlock: UInt32 = 0
    var unsentStart: UInt32 = 0
    var unsentEnd: UInt32 = 0
    /// Block of a response head that is not complete, 0: none.
    var headBlock: UInt32 = 0
    var headCount: UInt32 = 0
    /// Pipes that long content passes through, 0: none; octets in the upload's.
    var uploadPipe: UInt32 = 0
    var uploadPiped: UInt32 = 0
    var responsePipe: UInt32 = 0
    let request: UnsafeMutablePointer<Request>
    let application: UnsafeMutablePointer<ForwardingApplication>
    var timer = TimerID.none
    /// The worker that took the request and gave no answer, or refused it; 0: none did. Another one gets it, but not a third.
    var failedWorker: UInt64 = 0
    /// errno of that failure, 0: none.
    var failedCode: Int32 = 0
    /// Octets of content still to come, with a length.
    var remaining: UInt64 = 0
    var head = ResponseHead()
    var chunks = ChunkedDecoder()
}
