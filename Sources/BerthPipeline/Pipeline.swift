public import BerthEventLoop
import BerthHTTP
public import BerthListener
public import CBerthModule
import CBerthSystem

/// IIS of one loop: takes each ready request through the stages and their modules, and logs it when it is out.
///
/// Stage after stage, module after module, a flat array of function pointers; a module answers continue, pending or finish.
/// Waiting is a state: the event that ends it resumes the request where it stopped. Loop thread only.
public struct Pipeline: @unchecked Sendable, BitwiseCopyable {
    struct State {
        let listener: Listener
        let blockingPool: Unmanaged<BlockingPool>
        /// Requests that failed in the pipeline or a module.
        var errors: UInt64 = 0
        /// Requests that wait for the next snapshot: index and generation of each. Bounded by their pools' queues.
        var parked: [UInt64] = []
    }

    let state: UnsafeMutablePointer<State>

    /// Octets that the listener has to keep behind each request.
    public static let extensionSize = MemoryLayout<RequestContext>.size

    public init(listener: Listener, blockingPool: BlockingPool) {
        state = .allocate(capacity: 1)
        state.initialize(to: State(listener: listener, blockingPool: .passRetained(blockingPool)))
    }

    @inline(__always) public var listener: Listener { state.pointee.listener }

    // MARK: Names of one request

    @inline(__always)
    static func context(of request: UnsafeMutablePointer<Request>) -> UnsafeMutablePointer<RequestContext> {
        Listener.extensionOfRequest(request).assumingMemoryBound(to: RequestContext.self)
    }

    @inline(__always)
    static func context(of view: UnsafeMutablePointer<berth_request>) -> UnsafeMutablePointer<RequestContext> {
        UnsafeMutableRawPointer(view).assumingMemoryBound(to: RequestContext.self)
    }

    /// The listener's request behind what a module sees.
    @inline(__always)
    public static func request(of view: UnsafeMutablePointer<berth_request>) -> UnsafeMutablePointer<Request> {
        (UnsafeMutableRawPointer(view) - Slab<Request>.extensionOffset).assumingMemoryBound(to: Request.self)
    }

    /// What modules see of a request.
    @inline(__always)
    public static func view(of request: UnsafeMutablePointer<Request>) -> UnsafeMutablePointer<berth_request> {
        Listener.extensionOfRequest(request).assumingMemoryBound(to: berth_request.self)
    }

    /// The handler's own word; 0 at first.
    @inline(__always)
    public static func handlerState(of request: UnsafeMutablePointer<Request>) -> UnsafeMutablePointer<UInt64> {
        let context = context(of: request)
        return UnsafeMutableRawPointer(context).advanced(
            by: MemoryLayout<RequestContext>.offset(of: \.handlerState) ?? 0
        )
        .assumingMemoryBound(to: UInt64.self)
    }

    // MARK: Running

    /// Runs everything that is ready, sends what came of it, logs and releases what is out; until nothing is left to do.
    @inline(__always)
    public func drain() {
        let listener = listener
        repeat {
            while let request = listener.nextReady() { run(request) }
            listener.flush()
            while let request = listener.nextFinished() {
                logAndEnd(request)
                listener.release(request)
            }
        } while listener.hasWork
    }

    @inline(__always)
    private func run(_ request: UnsafeMutablePointer<Request>) {
        if request.pointee.events.contains(.start) {
            request.pointee.events.remove(.start)
            begin(request)
        } else {
            resume(request)
        }
        // What happened before the module began to wait (its client has left) is nothing anybody will say again.
        if request.pointee.phase == RequestContext.Phase.pending && !request.pointee.events.isEmpty { resume(request) }
    }

    @inline(__always)
    private func begin(_ request: UnsafeMutablePointer<Request>) {
        guard let target = request.pointee.target, let chain = target.pointee.chain else {
            listener.refuseUnavailable(request, reason: "N/A")
            return
        }
        fill(request, target, UnsafePointer(chain.assumingMemoryBound(to: ModuleChain.self)))
        request.pointee.phase = RequestContext.Phase.running
        proceed(request, Self.context(of: request))
    }

    /// Runs entries from `position` on until one waits or finishes, or the handler has run.
    private func proceed(_ request: UnsafeMutablePointer<Request>, _ context: UnsafeMutablePointer<RequestContext>) {
        let view = Self.view(of: request)
        let chain = context.pointee.chain
        let first = chain.pointee.entries
        var entry = first + Int(context.pointee.position)
        let end = first + chain.pointee.mainCount
        while entry < end {
            context.pointee.module = entry.pointee.module
            let result = entry.pointee.function(entry.pointee.context, view)
            if result == BERTH_CONTINUE.result {
                entry += 1
                continue
            }
            if result == BERTH_FINISH.result { break }
            // Whoever waits is known by its position; nobody asks for it while modules run.
            context.pointee.position = Int32(truncatingIfNeeded: entry - first)
            if settle(request, context, result) { return }
            break
        }
        conclude(request, context)
    }

    /// True: the module waits.
    @inline(never)
    private func settle(
        _ request: UnsafeMutablePointer<Request>, _ context: UnsafeMutablePointer<RequestContext>, _ result: Int32
    ) -> Bool {
        switch result {
        case BERTH_PENDING.result:
            // A function that handed the request back to the listener (a 503 of the queue) waits for nothing.
            if request.pointee.phase != RequestContext.Phase.none {
                if request.pointee.phase == RequestContext.Phase.running {
                    context.pointee.waitingSince = listener.loop.now.nanoseconds
                }
                request.pointee.phase = RequestContext.Phase.pending
                listener.watch(request)
            }
            return true
        case BERTH_FINISH.result: return false
        default:
            state.pointee.errors &+= 1
            if listener.hasStarted(request) {
                if !listener.hasEnded(request) { listener.breakOff(request) }
            } else if context.pointee.status == 0 {
                context.pointee.status = 500
            }
            return false
        }
    }

    /// Something happened that a pending module waits for.
    private func resume(_ request: UnsafeMutablePointer<Request>) {
        let context = Self.context(of: request)
        let view = Self.view(of: request)
        while request.pointee.phase == RequestContext.Phase.pending, let (event, value) = takeEvent(request) {
            let entry = context.pointee.chain.pointee.entries + Int(context.pointee.position)
            guard let resumed = entry.pointee.resumed else {
                // A module that waits without saying how to wake it would wait for ever.
                _ = settle(request, context, BERTH_ERROR.result)
                conclude(request, context)
                return
            }
            context.pointee.module = entry.pointee.module
            view.pointee.octets_received = request.pointee.octetsReceived
            let result = resumed(entry.pointee.context, view, event, value)
            if result == BERTH_CONTINUE.result {
                request.pointee.phase = RequestContext.Phase.running
                context.pointee.position &+= 1
                proceed(request, context)
                return
            }
            if settle(request, context, result) { continue }
            conclude(request, context)
            return
        }
        // Events of a request that is done mean nothing any more.
        if request.pointee.phase != RequestContext.Phase.pending { request.pointee.events = [] }
    }

    @inline(__always)
    private func takeEvent(_ request: UnsafeMutablePointer<Request>) -> (UInt32, Int64)? {
        let events = request.pointee.events
        if events.contains(.completed) {
            request.pointee.events.remove(.completed)
            return (BERTH_EVENT_COMPLETED.event, listener.completionValue(of: request))
        }
        if events.contains(.blockingDone) {
            request.pointee.events.remove(.blockingDone)
            return (BERTH_EVENT_BLOCKING_DONE.event, request.pointee.jobResult)
        }
        if events.contains(.handler) {
            request.pointee.events.remove(.handler)
            return (Self.handlerEvent, 0)
        }
        if events.contains(.readable) {
            request.pointee.events.remove(.readable)
            return (BERTH_EVENT_READABLE.event, 0)
        }
        if events.contains(.writable) {
            request.pointee.events.remove(.writable)
            return (BERTH_EVENT_WRITABLE.event, 0)
        }
        if events.contains(.clientGone) {
            request.pointee.events.remove(.clientGone)
            return (BERTH_EVENT_CLIENT_GONE.event, 0)
        }
        return nil
    }

    /// `event` of a handler of ours that waits for something of its own (`Request.Events.handler`).
    public static let handlerEvent: UInt32 = 0x100

    /// The deterministic stages are over: completes the response and hands the request back.
    @inline(__always)
    private func conclude(_ request: UnsafeMutablePointer<Request>, _ context: UnsafeMutablePointer<RequestContext>) {
        request.pointee.phase = RequestContext.Phase.finished
        if !listener.hasEnded(request) {
            if listener.hasStarted(request) { listener.end(request) } else { answer(request, context) }
        }
        listener.finish(request)
    }

    /// Runs the log and end stages of a request whose octets are out.
    private func logAndEnd(_ request: UnsafeMutablePointer<Request>) {
        if request.pointee.phase != RequestContext.Phase.finished { return }
        let context = Self.context(of: request)
        let view = Self.view(of: request)
        let chain = context.pointee.chain
        view.pointee.status = request.pointee.status
        view.pointee.substatus = request.pointee.substatus
        view.pointee.error_number = request.pointee.errorNumber
        view.pointee.octets_sent = request.pointee.octetsSent
        view.pointee.octets_received = request.pointee.octetsReceived
        view.pointee.finished_at = request.pointee.finishedAt.nanoseconds
        var position = chain.pointee.logStart
        while position < chain.pointee.endEnd {
            let entry = chain.pointee.entries + position
            context.pointee.module = entry.pointee.module
            // These stages have no say any more; pending would have nobody to wait for.
            _ = entry.pointee.function(entry.pointee.context, view)
            position &+= 1
        }
    }

    // MARK: Parking

    /// The request waits for the next snapshot, counted in its pool's queue.
    func park(_ request: UnsafeMutablePointer<Request>) {
        request.pointee.isQueued = true
        state.pointee.parked.append(UInt64(request.pointee.index) << 32 | UInt64(request.pointee.generation))
    }

    func unpark(_ request: UnsafeMutablePointer<Request>) {
        let name = UInt64(request.pointee.index) << 32 | UInt64(request.pointee.generation)
        if let position = state.pointee.parked.firstIndex(of: name) {
            state.pointee.parked.remove(at: position)
            request.pointee.isQueued = false
            request.pointee.target?.pointee.queue.leave()
        }
    }

    /// A new snapshot is there: routes every parked request again.
    public func routeParkedAgain() {
        let parked = state.pointee.parked
        state.pointee.parked.removeAll(keepingCapacity: true)
        for name in parked {
            guard let request = listener.request(UInt32(name >> 32), UInt32(truncatingIfNeeded: name)),
                request.pointee.phase == RequestContext.Phase.pending
            else { continue }
            request.pointee.target?.pointee.queue.leave()
            request.pointee.isQueued = false
            listener.routeAgain(request)
        }
    }

    // MARK: The view

    @inline(__always)
    private func fill(
        _ request: UnsafeMutablePointer<Request>, _ target: UnsafeMutablePointer<RouteTarget>,
        _ chain: UnsafePointer<ModuleChain>
    ) {
        let context = Self.context(of: request)
        let view = Self.view(of: request)
        let (local, remote) = listener.addresses(request)
        let base = request.pointee.headStart
        context.pointee.pipeline = self
        context.pointee.chain = chain
        context.pointee.position = 0
        context.pointee.status = 0
        context.pointee.substatus = 0
        context.pointee.reason = nil
        context.pointee.reasonLength = 0
        context.pointee.isSending = false
        context.pointee.handlerState = 0
        var i = 0
        while i < chain.pointee.moduleCount {
            context.pointee.slots[i] = nil
            i &+= 1
        }
        view.pointee.size = UInt32(MemoryLayout<berth_request>.size)
        var flags = request.pointee.keepsAlive ? BERTH_REQUEST_KEEP_ALIVE.rawValue : 0
        if request.pointee.head.flags.rawValue & Self.toldFlags != 0 { flags |= contentFlags(request.pointee.head) }
        if request.pointee.pathFlags.contains(.hadDoubleEscape) { flags |= BERTH_REQUEST_DOUBLE_ESCAPED.rawValue }
        if request.pointee.pathFlags.contains(.hadHighBit) { flags |= BERTH_REQUEST_HIGH_BIT.rawValue }
        if request.pointee.head.targetForm == .absolute { flags |= BERTH_REQUEST_ABSOLUTE_FORM.rawValue }
        if remote.pointee.family == 1 { flags |= BERTH_REQUEST_UNIX.rawValue }
        view.pointee.flags = flags
        view.pointee.id = request.pointee.id
        view.pointee.head = base
        view.pointee.fields = UnsafeRawPointer(request.pointee.fields).assumingMemoryBound(to: berth_field.self)
        view.pointee.field_count = UInt32(request.pointee.head.fieldCount)
        view.pointee.method_id = UInt16(request.pointee.head.method.rawValue)
        view.pointee.version = 0x0100 | UInt16(request.pointee.head.versionMinor)
        view.pointee.method = octets(
            base + Int(request.pointee.head.methodOffset), Int(request.pointee.head.methodLength))
        view.pointee.target = octets(
            base + Int(request.pointee.head.targetOffset), Int(request.pointee.head.targetLength))
        view.pointee.path = berth_octets(start: request.pointee.path.start, count: request.pointee.path.count)
        view.pointee.query = berth_octets(start: request.pointee.query.start, count: request.pointee.query.count)
        view.pointee.host = octets(base + Int(request.pointee.head.hostOffset), Int(request.pointee.head.hostLength))
        view.pointee.user = berth_octets(start: nil, count: 0)
        view.pointee.authentication_type = berth_octets(start: nil, count: 0)
        view.pointee.content_length = request.pointee.head.contentLength
        view.pointee.received_at = request.pointee.receivedAt.nanoseconds
        view.pointee.received_time = request.pointee.receivedTime
        view.pointee.finished_at = 0
        view.pointee.octets_received = request.pointee.octetsReceived
        view.pointee.octets_sent = 0
        view.pointee.site_id = target.pointee.siteID
        view.pointee.application_path_length = request.pointee.applicationPathLength
        view.pointee.status = 0
        view.pointee.substatus = 0
        view.pointee.error_number = 0
        view.pointee.local_port = local.pointee.port
        view.pointee.remote_port = remote.pointee.port
        view.pointee.address_family = remote.pointee.family == 1 ? 0 : remote.pointee.family
        view.pointee.local_address = local.pointee.bytes
        view.pointee.remote_address = remote.pointee.bytes
    }

    /// Flags of a head that say something about content and upgrade.
    private static var toldFlags: UInt32 {
        RequestHead.Flags([.hasContent, .upgradePresent, .expectContinue]).rawValue
    }

    @inline(never)
    private func contentFlags(_ head: RequestHead) -> UInt32 {
        var flags: UInt32 = 0
        if head.flags.contains(.hasContent) { flags |= BERTH_REQUEST_HAS_CONTENT.rawValue }
        if head.framing == .chunked { flags |= BERTH_REQUEST_CHUNKED.rawValue }
        if head.wantsUpgrade { flags |= BERTH_REQUEST_UPGRADE.rawValue }
        if head.flags.contains(.expectContinue) { flags |= BERTH_REQUEST_EXPECT_CONTINUE.rawValue }
        return flags
    }

    @inline(__always)
    private func octets(_ start: UnsafePointer<UInt8>, _ count: Int) -> berth_octets {
        berth_octets(start: start, count: UInt64(truncatingIfNeeded: count))
    }
}

extension berth_octets {
    @inline(__always) var run: OctetRun { OctetRun(start, Int(truncatingIfNeeded: count)) }
}
