public import BerthEventLoop
import BerthHTTP
public import BerthListener
public import BerthPipeline
import CBerthSystem
import Glibc

/// The forwarding half of the ASP.NET Core Module, for one loop: hands requests to worker processes over kept connections
/// and their answers back.
///
/// A handle on state that lives as long as the loop; copy it freely. Everything is plain memory: applications by number,
/// slabs of connections and exchanges, one scratch buffer through which content passes in both directions. A worker's
/// readiness makes its request ready; the handler stage does the rest in `ForwardingHandler`. Loop thread only.
public struct Forwarder: @unchecked Sendable, BitwiseCopyable {
    /// Kinds of event tokens that belong to `handle` and `expired`: 16 through 31.
    public static let tokenKinds: Range<UInt8> = Listener.tokenKinds..<(Listener.tokenKinds + 16)
    enum TokenKind {
        static let connection: UInt8 = 16
        static let connectionTimer: UInt8 = 17
        static let queueTimer: UInt8 = 18
        static let retryTimer: UInt8 = 19
        static let doubtTimer: UInt8 = 20
    }

    /// Kinds of messages to the control thread. `a` is the application's number, `b` the number of the loop.
    public struct ControlMessages: Sendable, BitwiseCopyable {
        /// The application has no worker that takes requests. Answered in any case, with `workersMessage`, `startFailedMessage`
        /// or `poolStoppedMessage`.
        public var workerWanted: UInt32
        /// This loop uses the worker `c`, which is published no more, for nothing any longer.
        public var workerReleased: UInt32

        public init(workerWanted: UInt32, workerReleased: UInt32) {
            (self.workerWanted, self.workerReleased) = (workerWanted, workerReleased)
        }
    }

    struct State {
        let loop: EventLoop
        let system: UnsafePointer<cberth_system>
        let listener: Listener
        let pipeline: Pipeline
        let parser: ResponseParser
        let control: Mailbox
        let controlMessages: ControlMessages
        let applications: UnsafeMutableRawPointer
        var connections: Slab<WorkerConnection>
        var exchanges: Slab<Exchange>
        /// Octets on their way to a worker that does not take them.
        var unsent: BufferPool
        /// Response heads that came in pieces: octets, then the fields found so far.
        var heads: BufferPool
        var pipes: PipePool
        /// Where the next look for an unused connection begins.
        var reclaimAt: Int
        let scratch: UnsafeMutablePointer<UInt8>
        let headBuffer: UnsafeMutablePointer<UInt8>
        let headBufferSize: Int
        let fields: UnsafeMutablePointer<FieldSlice>
        let responseFields: UnsafeMutablePointer<ResponseField>
    }

    let state: UnsafeMutablePointer<State>

    /// Numbers of applications, exclusive. Ours.
    public static let applicationsMax = 65_536
    /// Octets that pass through the loop with one call.
    static let scratchSize = 262_144
    /// Longest head of a worker's response in octets. Source: WinHTTP's limit in ANCM.
    static let responseHeadMax = 65_536
    /// Fields of a worker's response. Ours: as for in-process handlers.
    static let responseFieldsMax = 256
    /// 1xx responses before the final one. Ours.
    static let interimResponsesMax: UInt8 = 250

    /// - Parameters:
    ///   - connectionsMax: connections to workers of this loop, idle ones included, and requests that wait or run.
    ///   - control: where demands for workers go.
    public init(
        loop: EventLoop, listener: Listener, pipeline: Pipeline, connectionsMax: Int, control: Mailbox,
        controlMessages: ControlMessages
    ) throws(SystemError) {
        let limits = listener.limits.parser
        let headBufferSize = (limits.requestBytesMax + 2 * limits.fieldsMax + 1024 + 4095) & ~4095
        let unsentSize = Self.scratchSize + headBufferSize
        let share = listener.limits.workerOctetsMax / 2
        let unsentCount = min(connectionsMax, max(64, (1 << 36) / unsentSize), max(4, share / unsentSize))
        let fieldsSize = Self.responseFieldsMax * MemoryLayout<FieldSlice>.stride
        let headsCount = min(connectionsMax, max(16, share / (Self.responseHeadMax + fieldsSize)))
        guard let connections = Slab<WorkerConnection>(capacity: connectionsMax),
            let exchanges = Slab<Exchange>(capacity: connectionsMax),
            let unsent = BufferPool(blockSize: unsentSize, capacity: unsentCount),
            let heads = BufferPool(blockSize: Self.responseHeadMax + fieldsSize, capacity: headsCount),
            let pipes = PipePool(), let scratch = cberth_reserve(Self.scratchSize),
            let headBuffer = cberth_reserve(headBufferSize),
            let applications = cberth_reserve(Self.applicationsMax * MemoryLayout<ForwardingApplication>.stride)
        else { throw SystemError("mmap", ENOMEM) }
        state = .allocate(capacity: 1)
        state.initialize(
            to: State(
                loop: loop, system: loop.system, listener: listener, pipeline: pipeline,
                parser: ResponseParser(
                    limits: ParserLimits(
                        requestBytesMax: Self.responseHeadMax, fieldLengthMax: 65_534, fieldsMax: Self.responseFieldsMax
                    )),
                control: control, controlMessages: controlMessages, applications: applications,
                connections: connections, exchanges: exchanges, unsent: unsent, heads: heads,
                pipes: pipes, reclaimAt: 0,
                scratch: scratch.assumingMemoryBound(to: UInt8.self),
                headBuffer: headBuffer.assumingMemoryBound(to: UInt8.self), headBufferSize: headBufferSize,
                fields: .allocate(capacity: Self.responseFieldsMax),
                responseFields: .allocate(capacity: Self.responseFieldsMax + 2)))
    }

    /// Connections to workers, idle ones included.
    public var connectionCount: Int { state.pointee.connections.count }
    /// Requests that wait for a worker or are with one.
    public var exchangeCount: Int { state.pointee.exchanges.count }

    /// What was counted for an application; zeros for one that is not known.
    public func counters(of application: UInt32) -> ForwardingCounters {
        Int(application) < Self.applicationsMax ? self.application(application).counted : ForwardingCounters()
    }

    /// The memory of an application, which stays where it is. Any thread may ask for the address.
    func application(_ number: UInt32) -> UnsafeMutablePointer<ForwardingApplication> {
        precondition(Int(number) < Self.applicationsMax, "an application's number is below applicationsMax")
        return state.pointee.applications.assumingMemoryBound(to: ForwardingApplication.self) + Int(number)
    }

    // MARK: Events

    /// Readiness of a connection to a worker.
    @inline(__always)
    public func handle(_ token: EventToken, _ bits: UInt32) {
        guard token.kind == TokenKind.connection,
            let c = state.pointee.connections.resolve(token.index, token.generation)
        else { return }
        if c.pointee.exchange == 0 {
            idleConnectionReady(token.index, c)
            return
        }
        if bits & EPOLLOUT.rawValue != 0 { c.pointee.flags.remove(.blocked) }
        if bits & ~EPOLLOUT.rawValue != 0 {
            // The batch of events is older than the request: what is there cannot be its answer.
            if c.pointee.takenAt == state.pointee.loop.now.nanoseconds && c.pointee.flags.contains(.reused)
                && !c.pointee.flags.contains(.probed)
            {
                c.pointee.flags.insert(.unsolicited)
            }
            c.pointee.flags.insert(.readable)
            if bits & ~(EPOLLIN.rawValue | EPOLLOUT.rawValue) != 0 { c.pointee.flags.insert(.peerFinished) }
        }
        let x = state.pointee.exchanges.pointer(at: Int(c.pointee.exchange) &- 1)
        state.pointee.listener.makeReady(x.pointee.request, .handler)
    }

    /// A deadline whose token kind is in `tokenKinds`.
    public func expired(_ token: EventToken) {
        switch token.kind {
        case TokenKind.connectionTimer:
            if let c = state.pointee.connections.resolve(token.index, token.generation) {
                connectionTimerFired(token.index, c)
            }
        case TokenKind.queueTimer:
            if let x = state.pointee.exchanges.resolve(token.index, token.generation) { queueTimerFired(x) }
        case TokenKind.doubtTimer:
            if let x = state.pointee.exchanges.resolve(token.index, token.generation) { doubtTimerFired(x) }
        case TokenKind.retryTimer:
            let a = application(token.index)
            a.pointee.retryArmed = false
            wakeNext(a)
        default: break
        }
    }

    /// Once a second: gives memory back that a rush has left behind.
    public func tick() {
        state.pointee.connections.trim()
        state.pointee.exchanges.trim()
        state.pointee.unsent.trim(keeping: 1 << 19)
        state.pointee.heads.trim(keeping: 1 << 18)
    }
}
