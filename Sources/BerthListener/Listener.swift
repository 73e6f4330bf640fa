public import BerthEventLoop
public import BerthHTTP
public import CBerthSystem

/// HTTP.sys of one loop: accepts, reads, parses, routes, queues requests as ready, writes responses, and holds every peer to
/// its limits.
///
/// A handle on state that lives as long as the loop; copy it freely. Requests it has ready are taken with `nextReady`, run by
/// whoever drives the loop, ended with `finish`; when the last octet was handed to the kernel they come back through
/// `nextFinished` to be logged and are then let go with `release`. Nothing here calls upward. Loop thread only.
public struct Listener: @unchecked Sendable, BitwiseCopyable {
    /// Kinds of event tokens that belong to `handle` and `expired`.
    enum TokenKind {
        static let endpoint: UInt8 = 1
        static let connection: UInt8 = 2
        static let deadline: UInt8 = 3
        static let acceptPause: UInt8 = 4
    }
    /// Tokens of kinds below this belong to the listener.
    public static let tokenKinds: UInt8 = 16
    /// `Message.kind` of completions and finished jobs; `a` is the request's index, `b` its generation.
    public static let completionMessage: UInt32 = 1
    public static let jobMessage: UInt32 = 2
    /// A connection that another loop has accepted, or detached, for us; see `attach`.
    public static let attachMessage: UInt32 = 3

    // What the pipeline asks for with every request is open to its optimiser.
    @usableFromInline
    struct State {
        let loop: EventLoop
        var limits: ListenerLimits
        let parser: RequestParser
        let cooking: TargetCooking
        var connections: Slab<Connection>
        @usableFromInline var requests: Slab<Request>
        var input: BufferPool
        var output: BufferPool
        var arenas: BufferPool
        let fieldsOffset: Int
        /// Octets for one connection that go out with one call at the end of the turn.
        let batch: UnsafeMutablePointer<UInt8>
        var batchCount = 0
        /// Index + 1.
        @usableFromInline var batchOwner: UInt32 = 0
        let scratch: UnsafeMutablePointer<UInt8>
        let endpoints: UnsafeMutablePointer<Endpoint>
        var endpointCount = 0
        var acceptPaused = false
        var acceptPauses = Episode()
        var outputCuts = Episode()
        var inputRefusals = Episode()
        /// Connections whose client does not keep up.
        var blockedCount = 0
        var isAccepting = true
        /// Whether the latest connections had their request with them when they were accepted (0...16).
        var eagerness = 8
        @usableFromInline var readyFirst: UInt32 = 0
        @usableFromInline var readyLast: UInt32 = 0
        @usableFromInline var finishedFirst: UInt32 = 0
        @usableFromInline var finishedLast: UInt32 = 0
        var snapshot: UnsafeMutablePointer<ListenerSnapshot>
        var requestCount: UInt64 = 0
        /// Date and Server fields of this second, behind the status line of 200.
        let preamble: UnsafeMutablePointer<UInt8>
        var preambleLength = 0
        var preambleSecond: Int64 = .min
        let preparedHeads = PreparedHeads()
        let serverField: OctetRun
        let daemon: DaemonCounters
        /// Nil: sources are not counted here.
        var sources: Unmanaged<SourceConnections>?
        /// Nil: this loop is alone.
        var balance: Unmanaged<LoopBalance>?
        /// By `ListenerCounters.Word`. Never in an access of its own by name: other threads read here.
        let counters: UnsafeMutablePointer<UInt64>
        var errorLog: ErrorLog
    }

    @usableFromInline let state: UnsafeMutablePointer<State>

    static let batchSize = 262_144
    /// For heads and cooked paths: a head of 64 KiB that a worker sent, and what is added to it.
    static let scratchSize = 73_728
    public static let outputBlockSize = 16_384
    public static let arenaBlockSize = 32_768

    /// Octets of a block for what a client has sent: the longest head, and content behind it.
    public static func inputBlockSize(_ parser: ParserLimits) -> Int {
        (parser.requestBytesMax + 16_384 + 4095) & ~4095
    }

    /// - Parameters:
    ///   - extensionSize: octets behind each request for the pipeline.
    ///   - serverField: value of the Server field, or nil for none (HTTP.sys `DisableServerHeader`).
    public init(
        loop: EventLoop, limits: ListenerLimits, snapshot: UnsafeMutablePointer<ListenerSnapshot>,
        daemon: DaemonCounters,
        extensionSize: Int, serverField: String?, errorLog: ErrorLog
    ) throws(SystemError) {
        let inputBlockSize = Self.inputBlockSize(limits.parser)
        let capacity = min(max(limits.connectionsMax, 16), IndexAllocator.capacityMax)
        let alignedExtension = (extensionSize + 15) & ~15
        let fieldsSize = limits.parser.fieldsMax * MemoryLayout<FieldSlice>.stride
        guard let connections = Slab<Connection>(capacity: capacity),
            let requests = Slab<Request>(capacity: capacity * 2, extensionSize: alignedExtension + fieldsSize),
            let input = BufferPool(
                blockSize: inputBlockSize, capacity: min(capacity, max(limits.inputBlocksMax, 16))),
            let output = BufferPool(blockSize: Self.outputBlockSize, capacity: max(limits.outputBlocksMax, 64)),
            let arenas = BufferPool(
                blockSize: Self.arenaBlockSize, capacity: min(capacity, max(limits.arenaBlocksMax, 16))),
            let batch = cberth_reserve(Self.batchSize), let scratch = cberth_reserve(Self.scratchSize)
        else { throw SystemError("mmap", ENOMEM) }
        state = .allocate(capacity: 1)
        state.initialize(
            to: State(
                loop: loop, limits: limits, parser: RequestParser(limits: limits.parser),
                cooking: TargetCooking(limits: limits.cooking), connections: connections,
                requests: requests, input: input, output: output, arenas: arenas,
                fieldsOffset: Slab<Request>.extensionOffset + alignedExtension,
                batch: batch.assumingMemoryBound(to: UInt8.self), scratch: scratch.assumingMemoryBound(to: UInt8.self),
                endpoints: .allocate(capacity: ListenerSnapshot.endpointsMax), snapshot: snapshot,
                preamble: .allocate(capacity: 256), serverField: Self.kept(serverField), daemon: daemon,
                counters: .allocate(capacity: ListenerCounters.Word.allCases.count), errorLog: errorLog))
        state.pointee.counters.initialize(repeating: 0, count: ListenerCounters.Word.allCases.count)
        // A connection that another loop hands over can be here before its endpoint is.
        state.pointee.endpoints.initialize(
            repeating: Endpoint(
                fd: -1, address: cberth_address(), isSpecific: false, isUnix: false, isInherited: false,
                isRegistered: false),
            count: ListenerSnapshot.endpointsMax)
        RequestHandle.register(loop: loop, requests: requests)
    }

    private static func kept(_ text: String?) -> OctetRun {
        guard let text, !text.isEmpty else { return .none }
        let octets = Array("Server: \(text)\r\n".utf8.prefix(128))
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: octets.count)
        for (i, octet) in octets.enumerated() { memory[i] = octet }
        return OctetRun(memory, octets.count)
    }

    // MARK: What others may know

    public var loop: EventLoop { state.pointee.loop }
    public var limits: ListenerLimits { state.pointee.limits }
    /// Connections open on this loop.
    public var connectionCount: Int { state.pointee.connections.count }
    /// Requests from their first octet to their release.
    public var requestCount: Int { state.pointee.requests.count }
    public var counters: ListenerCounters {
        let words = state.pointee.counters
        func value(_ word: ListenerCounters.Word) -> UInt64 { cberth_atomic_load_relaxed(words + word.rawValue) }
        var counters = ListenerCounters()
        counters.connectionsAccepted = value(.connectionsAccepted)
        counters.connectionsRefused = value(.connectionsRefused)
        counters.requests = value(.requests)
        counters.rejections = value(.rejections)
        counters.octetsReceived = value(.octetsReceived)
        counters.octetsSent = value(.octetsSent)
        return counters
    }

    @inline(__always)
    func tally(_ word: ListenerCounters.Word, _ more: UInt64 = 1) {
        cberth_count(state.pointee.counters + word.rawValue, more)
    }

    /// The pipeline's octets behind a request, aligned to 16.
    @inline(__always)
    public static func extensionOfRequest(_ request: UnsafeMutablePointer<Request>) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(request) + Slab<Request>.extensionOffset
    }

    /// Shares connections with other loops from now on; before the loop runs.
    public func join(_ balance: LoopBalance) {
        if balance.loopCount > 1 { state.pointee.balance = .passRetained(balance) }
    }

    /// Holds each source address to its share from now on; before the loop runs.
    public func count(_ sources: SourceConnections) { state.pointee.sources = .passRetained(sources) }

    // MARK: Endpoints

    /// Takes a listening descriptor that all loops share; 0 or a negated errno. Its number is the same on each loop.
    ///
    /// - Parameter isInherited: it outlives this daemon, so that what waits in its backlog at the end is left to the next one.
    public func addEndpoint(
        _ number: Int, fd: Int32, address: cberth_address, isInherited: Bool = false
    ) -> Int32 {
        precondition(number < ListenerSnapshot.endpointsMax)
        if !state.pointee.isAccepting { return 0 }
        let unix = address.family == 1
        let unspecified = withUnsafeBytes(of: address.bytes) { $0.allSatisfy { $0 == 0 } }
        (state.pointee.endpoints + number).initialize(
            to: Endpoint(
                fd: fd, address: address, isSpecific: unix || !unspecified, isUnix: unix, isInherited: isInherited,
                isRegistered: false))
        if number >= state.pointee.endpointCount { state.pointee.endpointCount = number + 1 }
        return registerEndpoint(number)
    }

    /// Listens there no longer; the descriptor is the caller's to close when no loop has it any more.
    public func removeEndpoint(_ number: Int) {
        let endpoint = state.pointee.endpoints + number
        if endpoint.pointee.isRegistered { _ = loop.deregister(endpoint.pointee.fd) }
        endpoint.pointee.isRegistered = false
        endpoint.pointee.fd = -1
    }

    func registerEndpoint(_ number: Int) -> Int32 {
        let endpoint = state.pointee.endpoints + number
        if endpoint.pointee.fd < 0 || endpoint.pointee.isRegistered { return 0 }
        let result = loop.register(
            endpoint.pointee.fd, EPOLLIN.rawValue | cberth_exclusive_bit(),
            EventToken(kind: TokenKind.endpoint, index: UInt32(number), generation: 1))
        if result == 0 { endpoint.pointee.isRegistered = true }
        return result
    }

    // MARK: Configuration

    /// Requests that begin from now on see `snapshot`; answers the one before, to be destroyed when `pins` is 0.
    public func replaceSnapshot(
        _ snapshot: UnsafeMutablePointer<ListenerSnapshot>
    ) -> UnsafeMutablePointer<ListenerSnapshot> {
        let old = state.pointee.snapshot
        state.pointee.snapshot = snapshot
        old.pointee.isRetired = true
        return old
    }

    // MARK: Events

    /// Readiness of a descriptor whose token kind is below `tokenKinds`.
    @inline(__always)
    public func handle(_ token: EventToken, _ bits: UInt32) {
        if token.kind == TokenKind.connection {
            guard let c = state.pointee.connections.resolve(token.index, token.generation) else { return }
            connectionReady(token.index, c, bits)
        } else if token.kind == TokenKind.endpoint {
            accept(Int(token.index))
        }
    }

    /// A deadline whose token kind is below `tokenKinds`.
    public func expired(_ token: EventToken) {
        if token.kind == TokenKind.deadline {
            guard let c = state.pointee.connections.resolve(token.index, token.generation) else { return }
            deadlinePassed(token.index, c)
        } else if token.kind == TokenKind.acceptPause {
            state.pointee.acceptPaused = false
            if state.pointee.isAccepting {
                for number in 0..<state.pointee.endpointCount { _ = registerEndpoint(number) }
            }
        }
    }

    /// Once a second: flushes the error log, gives memory back that a rush has left behind.
    public func tick() {
        state.pointee.errorLog.flush(loop.system)
        state.pointee.connections.trim()
        state.pointee.requests.trim(keeping: 1 << 20)
        state.pointee.input.trim(keeping: 1 << 20)
        state.pointee.output.trim(keeping: 1 << 20)
        state.pointee.arenas.trim(keeping: 1 << 18)
        loop.trimTimers()
        tellWhatIsOver()
    }

    // MARK: The ready list

    /// The next request that something happened to (`events`), or nil.
    @inlinable @inline(__always)
    public func nextReady() -> UnsafeMutablePointer<Request>? {
        while state.pointee.readyFirst != 0 {
            let request = state.pointee.requests.pointer(at: Int(state.pointee.readyFirst) &- 1)
            state.pointee.readyFirst = request.pointee.nextReady
            if request.pointee.nextReady == 0 { state.pointee.readyLast = 0 }
            request.pointee.nextReady = 0
            request.pointee.isReady = false
            if !request.pointee.isReleased { return request }
            releaseLate(request)
        }
        return nil
    }

    /// Apart from `nextReady`, which is called for every request.
    @usableFromInline @inline(never)
    func releaseLate(_ request: UnsafeMutablePointer<Request>) { release(request) }

    /// Puts a request on the ready list with what happened to it.
    @inline(__always)
    public func makeReady(_ request: UnsafeMutablePointer<Request>, _ event: Request.Events) {
        request.pointee.events.insert(event)
        if request.pointee.isReady { return }
        request.pointee.isReady = true
        request.pointee.nextReady = 0
        let name = request.pointee.index &+ 1
        if state.pointee.readyLast != 0 {
            state.pointee.requests.pointer(at: Int(state.pointee.readyLast) &- 1).pointee.nextReady = name
        } else {
            state.pointee.readyFirst = name
        }
        state.pointee.readyLast = name
    }

    /// The request that `index` and `generation` name, or nil when it is gone.
    @inline(__always)
    public func request(_ index: UInt32, _ generation: UInt32) -> UnsafeMutablePointer<Request>? {
        state.pointee.requests.resolve(index, generation)
    }

    /// Every request that has a slot, released ones not. Not on the way of a request.
    public func forEachRequest(_ body: (UnsafeMutablePointer<Request>) -> Void) {
        for index in 0..<state.pointee.requests.highWater {
            let request = state.pointee.requests.pointer(at: index)
            if request.pointee.generation != 0 && !request.pointee.isReleased { body(request) }
        }
    }

    /// Names the request's connection among all of the process.
    public func connectionNumber(of request: UnsafeMutablePointer<Request>) -> UInt64 {
        UInt64(loop.number) << 48 | UInt64(connection(of: request).pointee.generation)
    }

    /// The next request whose last octet was handed to the kernel (or lost with its client): to be logged and released.
    @inlinable @inline(__always)
    public func nextFinished() -> UnsafeMutablePointer<Request>? {
        let first = state.pointee.finishedFirst
        if first == 0 { return nil }
        let request = state.pointee.requests.pointer(at: Int(first) &- 1)
        state.pointee.finishedFirst = request.pointee.nextFinished
        if request.pointee.nextFinished == 0 { state.pointee.finishedLast = 0 }
        request.pointee.nextFinished = 0
        return request
    }

    /// Whether something is ready or finished, or waits for `flush`.
    @inlinable @inline(__always)
    public var hasWork: Bool {
        state.pointee.readyFirst | state.pointee.finishedFirst | state.pointee.batchOwner != 0
    }

    // MARK: Small helpers of the parts

    @inline(__always)
    func connection(of request: UnsafeMutablePointer<Request>) -> UnsafeMutablePointer<Connection> {
        state.pointee.connections.pointer(at: Int(request.pointee.connection))
    }

    @inline(__always)
    func token(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) -> EventToken {
        EventToken(kind: TokenKind.connection, index: index, generation: c.pointee.generation)
    }

    /// Asks the kernel for exactly these events, with a call only when something changes.
    @inline(__always)
    func setInterest(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ events: UInt32) {
        if c.pointee.interest == events && c.pointee.flags.contains(.registered) { return }
        changeInterest(index, c, events)
    }

    /// A connection whose reads all found less than they had room for, and that waits for nothing but heads, is edge-triggered:
    /// the kernel need not look at it again before it sleeps (3 percent of a short request). The first time that anything else
    /// is waited for, or that more may be left in the kernel than was read, it becomes level-triggered, and stays so.
    private func changeInterest(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ events: UInt32) {
        if c.pointee.fd < 0 { return }
        if events != EPOLLIN.rawValue { c.pointee.flags.insert(.levelTriggered) }
        let asked =
            c.pointee.flags.contains(.levelTriggered)
            ? events : EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        if c.pointee.flags.contains(.registered) {
            loop.modify(c.pointee.fd, asked, token(index, c))
        } else if loop.register(c.pointee.fd, asked, token(index, c)) == 0 {
            c.pointee.flags.insert(.registered)
        } else {
            // The kernel has no room for another watch (epoll/max_user_watches): the connection cannot be served.
            c.pointee.interest = events
            abort(index, c)
            return
        }
        c.pointee.interest = events
    }

    /// From now on readiness is told as long as it lasts; what is there already is told now.
    @inline(never)
    func becomeLevelTriggered(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        if c.pointee.fd < 0 || c.pointee.flags.contains(.levelTriggered) { return }
        c.pointee.flags.insert(.levelTriggered)
        if c.pointee.flags.contains(.registered) { loop.modify(c.pointee.fd, c.pointee.interest, token(index, c)) }
    }

    /// - Parameter nanoseconds: `ListenerTimers.off` is never.
    @inline(__always)
    func setDeadline(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>, after nanoseconds: UInt64) {
        setDeadline(index, c, at: loop.now.adding(nanoseconds: nanoseconds))
    }

    @inline(__always)
    func setDeadline(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>, at deadline: MonotonicInstant) {
        if !loop.reschedule(c.pointee.timer, at: deadline) {
            c.pointee.timer = loop.schedule(
                at: deadline, EventToken(kind: TokenKind.deadline, index: index, generation: c.pointee.generation))
        }
    }
}
