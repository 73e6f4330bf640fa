import BerthEventLoop
import BerthHTTP
import CBerthSystem
import Glibc

extension Listener {
    @inline(__always)
    func connectionReady(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ bits: UInt32) {
        if c.pointee.fd < 0 { return }
        if bits & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 && c.pointee.phase != .lingering {
            // Both directions are over, or the peer reset: what is still unread does not matter to anybody but a request
            // whose content it is, and that one reads it first.
            if c.pointee.request == 0 || bits & EPOLLERR.rawValue != 0 || !readsContent(c) {
                peerGone(index, c)
                return
            }
        }
        if bits & EPOLLOUT.rawValue != 0 {
            writable(index, c)
            if c.pointee.fd < 0 { return }
        }
        if bits & EPOLLRDHUP.rawValue != 0 {
            readableToTheEnd(index, c)
        } else if bits & (EPOLLIN.rawValue | EPOLLHUP.rawValue) != 0 {
            readable(index, c)
        }
    }

    /// The peer has ended its side of an edge-triggered connection: a read that takes what came before the end would not be told
    /// of it again.
    @inline(never)
    private func readableToTheEnd(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        let generation = c.pointee.generation
        readable(index, c)
        if c.pointee.generation == generation { becomeLevelTriggered(index, c) }
    }

    @inline(__always)
    func readsContent(_ c: UnsafeMutablePointer<Connection>) -> Bool {
        c.pointee.request != 0 && state.pointee.requests.pointer(at: Int(c.pointee.request) &- 1).pointee.wantsContent
    }

    @inline(__always)
    private func readable(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        switch c.pointee.phase {
        case .idle, .readingHead: receive(index, c)
        case .running:
            if c.pointee.request != 0 {
                let request = state.pointee.requests.pointer(at: Int(c.pointee.request) &- 1)
                if request.pointee.wantsContent {
                    request.pointee.wantsContent = false
                    c.pointee.flags.remove(.inputTaken)
                    makeReady(request, .readable)
                    return
                }
            }
            // Nobody wants it now: level-triggered readiness would come back at once.
            c.pointee.flags.insert(.unreadInput)
            setInterest(index, c, c.pointee.interest & ~EPOLLIN.rawValue)
        case .draining:
            c.pointee.flags.remove(.inputTaken)
            drain(index, c)
        case .lingering: linger(index, c)
        case .closed: break
        }
    }

    /// One read into the connection's block, then as many heads as it holds.
    func receive(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        if c.pointee.inputBlock == 0 {
            c.pointee.inputBlock = state.pointee.input.take()
            if c.pointee.inputBlock == 0 {
                noteNoInput(c)
                abort(index, c)
                return
            }
            c.pointee.inputStart = 0
            c.pointee.inputEnd = 0
        } else if c.pointee.inputStart > 0 && c.pointee.requests == (c.pointee.parsing != 0 ? 1 : 0) {
            compact(c)
        }
        let size = state.pointee.input.blockSize
        let room = size &- Int(c.pointee.inputEnd)
        if room == 0 {
            // Full of requests that wait until the answers before them are out; `settle` goes on.
            setInterest(index, c, c.pointee.interest & ~EPOLLIN.rawValue)
            return
        }
        let memory = state.pointee.input.memory(of: c.pointee.inputBlock)
        let system = loop.system
        let count = system.pointee.receive(system, c.pointee.fd, memory + Int(c.pointee.inputEnd), room)
        if count <= 0 {
            if count == -Int(EAGAIN) {
                if c.pointee.requests == 0 { giveInputBack(c) }
                return
            }
            if count == 0 { endOfInput(index, c) } else { peerGone(index, c) }
            return
        }
        if count == room { becomeLevelTriggered(index, c) }
        c.pointee.inputEnd &+= UInt32(truncatingIfNeeded: count)
        tally(.octetsReceived, UInt64(truncatingIfNeeded: count))
        advance(index, c)
    }

    /// Moves unread octets to the start of the block. Only when no request's head lies before them.
    @inline(never)
    private func compact(_ c: UnsafeMutablePointer<Connection>) {
        let memory = state.pointee.input.memory(of: c.pointee.inputBlock)
        let count = Int(c.pointee.inputEnd &- c.pointee.inputStart)
        if count > 0 { memmove(memory, memory + Int(c.pointee.inputStart), count) }
        c.pointee.inputStart = 0
        c.pointee.inputEnd = UInt32(count)
    }

    @inline(__always)
    func giveInputBack(_ c: UnsafeMutablePointer<Connection>) {
        if c.pointee.inputBlock == 0 { return }
        state.pointee.input.giveBack(c.pointee.inputBlock)
        c.pointee.inputBlock = 0
        c.pointee.inputStart = 0
        c.pointee.inputEnd = 0
    }

    /// The peer has ended its side, between reads.
    @inline(never)
    private func endOfInput(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        c.pointee.flags.insert(.peerFinished)
        if c.pointee.parsing != 0 && c.pointee.inputEnd > c.pointee.inputStart {
            // The rest of the head will never come; there may still be somebody who reads an answer.
            let request = state.pointee.requests.pointer(at: Int(c.pointee.parsing) &- 1)
            c.pointee.parsing = 0
            refuse(index, c, request, .incompleteHead)
            return
        }
        if c.pointee.finishedFirst == 0 { close(index, c) } else { c.pointee.flags.insert(.closeAfterResponse) }
    }

    /// Parses heads until one is ready, something is missing, or the connection is to end.
    func advance(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        if c.pointee.request != 0 || c.pointee.outputFirst != 0 || c.pointee.tailRequest != 0 { return }
        if c.pointee.flags.contains(.closeAfterResponse) || c.pointee.fd < 0 { return }
        if c.pointee.phase == .draining || c.pointee.phase == .lingering { return }
        if c.pointee.inputStart == c.pointee.inputEnd { return }
        if mustWaitForRoom(c) { return }
        if c.pointee.parsing == 0 && Int(c.pointee.inputStart) > state.pointee.input.blockSize &- headRoom {
            // Behind a head there is always room for content; the heads before this one lie still until they are released.
            if c.pointee.requests != 0 { return }
            compact(c)
        }
        let memory = UnsafePointer(state.pointee.input.memory(of: c.pointee.inputBlock)) + Int(c.pointee.inputStart)
        let request: UnsafeMutablePointer<Request>
        if c.pointee.parsing == 0 {
            guard let begun = begin(index, c, at: memory) else { return }
            request = begun
        } else {
            request = state.pointee.requests.pointer(at: Int(c.pointee.parsing) &- 1)
            request.pointee.headStart = memory
        }
        let available = Int(c.pointee.inputEnd &- c.pointee.inputStart)
        switch state.pointee.parser.parse(&request.pointee.head, memory, available, fields: request.pointee.fields) {
        case .complete:
            c.pointee.parsing = 0
            accept(index, c, request)
        case .incomplete:
            if c.pointee.phase != .readingHead {
                c.pointee.phase = .readingHead
                setDeadline(index, c, after: headerWait(c))
            }
        case .rejected(let rejection):
            c.pointee.parsing = 0
            refuse(index, c, request, FrontAnswer(rejection))
        }
    }

    /// Octets of a block that the longest head and a page of content take.
    @inline(__always)
    private var headRoom: Int { state.pointee.limits.parser.requestBytesMax &+ 4096 }

    /// Requests of one connection that may be answered before the first of them is sent. Ours: twice what clients pipeline.
    static let requestsAheadMax: UInt32 = 32

    /// Whether the next head has to wait until answers before it are out; `release` goes on with it.
    ///
    /// When half of all slots are taken, each connection may have one, so that there is one for every connection.
    @inline(__always)
    private func mustWaitForRoom(_ c: UnsafeMutablePointer<Connection>) -> Bool {
        let before = c.pointee.requests &- (c.pointee.parsing != 0 ? 1 : 0)
        if before == 0 { return false }
        return before >= Self.requestsAheadMax || state.pointee.requests.count &* 2 > state.pointee.requests.capacity
    }

    /// A slot for the request whose first octets are at `memory`.
    @inline(__always)
    private func begin(
        _ index: UInt32, _ c: UnsafeMutablePointer<Connection>, at memory: UnsafePointer<UInt8>
    ) -> UnsafeMutablePointer<Request>? {
        guard let (slot, request) = state.pointee.requests.allocate() else {
            abort(index, c)
            return nil
        }
        let fields = (UnsafeMutableRawPointer(request) + state.pointee.fieldsOffset)
            .assumingMemoryBound(to: FieldSlice.self)
        Request.begin(request, index: slot, connection: index, headStart: memory, fields: fields)
        request.pointee.receivedAt = loop.now
        request.pointee.receivedTime = loop.wallSeconds
        request.pointee.snapshot = state.pointee.snapshot
        state.pointee.snapshot.pointee.pins &+= 1
        state.pointee.requestCount &+= 1
        request.pointee.id = UInt64(loop.number) &<< 48 | state.pointee.requestCount
        request.pointee.startPosition = c.pointee.queuedTotal
        c.pointee.parsing = slot &+ 1
        c.pointee.requests &+= 1
        return request
    }

    /// A complete head: cooks the path, finds the target, asks the pool, and makes the request ready or answers it here.
    @inline(__always)
    private func accept(
        _ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>
    ) {
        // The head stays where the parser has written it: a copy would read, in wide words, what was written in narrow ones just
        // now, and wait for each.
        let headLength = request.pointee.head.headLength
        c.pointee.inputStart &+= headLength
        c.pointee.phase = .running
        c.pointee.request = request.pointee.index &+ 1
        c.pointee.requestCount &+= 1
        tally(.requests)
        request.pointee.pinnedEnd = c.pointee.inputStart
        request.pointee.octetsReceived = UInt64(headLength)
        var keeps = request.pointee.head.isPersistent
        let perConnection = state.pointee.limits.requestsPerConnectionMax
        if perConnection != 0 && c.pointee.requestCount >= perConnection { keeps = false }
        if !state.pointee.isAccepting { keeps = false }
        request.pointee.keepsAlive = keeps
        switch request.pointee.head.framing {
        case .none: request.pointee.contentState = .none
        case .contentLength:
            request.pointee.contentState = .length
            request.pointee.contentRemaining = UInt64(request.pointee.head.contentLength)
        case .chunked:
            request.pointee.contentState = .chunked
            request.pointee.chunks = ChunkedDecoder()
        case .untilClose: break  // responses only
        }
        if state.pointee.limits.entityOctetsMax != 0 {
            request.pointee.contentMax = state.pointee.limits.entityOctetsMax
        }

        if let rejection = cook(request) {
            refuse(index, c, request, rejection)
            return
        }
        if request.pointee.head.flags.rawValue & Self.rareFlags != 0,
            let answer = judgeRareFlags(request.pointee.head.flags)
        {
            refuse(index, c, request, answer)
            return
        }
        if !c.pointee.flags.contains(.localKnown) {
            c.pointee.flags.insert(.localKnown)
            _ = loop.system.pointee.local_address(loop.system, c.pointee.fd, &c.pointee.local)
        }

        route(index, c, request)
    }

    /// Finds where the request goes in the current snapshot, asks site and pool, and makes it ready or answers it here.
    @inline(__always)
    private func route(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>)
    {
        let snapshot = state.pointee.snapshot
        // Its head began under an earlier one: what it points to from here on belongs to this.
        if request.pointee.snapshot != snapshot { pin(request, snapshot) }
        let port = snapshot.pointee.ports[Int(c.pointee.endpoint)]
        if port < 0 {
            refuse(index, c, request, .hostNotServed)
            return
        }
        let base = request.pointee.headStart
        let path = request.pointee.path
        let outcome = snapshot.pointee.table._withUnsafeGuaranteedRef {
            $0.route(
                port: Int(port), localAddress: &c.pointee.local, host: base + Int(request.pointee.head.hostOffset),
                hostLength: Int(request.pointee.head.hostNameLength), path: path.start ?? base, pathLength: path.length)
        }
        switch outcome {
        case .noHost: refuse(index, c, request, .hostNotServed)
        case .noPath: refuse(index, c, request, .notFound)
        case .target(let number, let skipped):
            let target = snapshot.pointee.targets + number
            request.pointee.target = target
            request.pointee.applicationPathLength =
                target.pointee.applicationPathLength &+ UInt32(truncatingIfNeeded: skipped)
            if c.pointee.site != target.pointee.site {
                if let site = c.pointee.site { site.discharge() }
                c.pointee.site = nil
                guard target.pointee.site.charge() else {
                    unavailable(index, c, request, reason: "ConnLimit")
                    return
                }
                c.pointee.site = target.pointee.site
            }
            if !target.pointee.site.isStarted {
                unavailable(index, c, request, reason: "N/A")
                return
            }
            if !target.pointee.queue.isStarted {
                unavailable(index, c, request, reason: target.pointee.queue.state.reason)
                return
            }
            makeReady(request, .start)
        }
    }

    /// Routes a request that has no response yet once more, with the snapshot of today: it waited for something that came
    /// with it. Its stages begin anew.
    public func routeAgain(_ request: UnsafeMutablePointer<Request>) {
        let c = connection(of: request)
        pin(request, state.pointee.snapshot)
        request.pointee.target = nil
        request.pointee.phase = 0
        request.pointee.events = []
        request.pointee.addedFieldsCount = 0
        if c.pointee.fd < 0 || request.pointee.isBroken {
            finish(request)
            return
        }
        route(request.pointee.connection, c, request)
    }

    @inline(never)
    private func pin(
        _ request: UnsafeMutablePointer<Request>, _ snapshot: UnsafeMutablePointer<ListenerSnapshot>
    ) {
        if let old = request.pointee.snapshot { old.pointee.pins &-= 1 }
        request.pointee.snapshot = snapshot
        snapshot.pointee.pins &+= 1
    }

    static let rareFlags = RequestHead.Flags([.expectOther, .schemeIsHTTPS]).rawValue

    @inline(never)
    private func judgeRareFlags(_ flags: RequestHead.Flags) -> FrontAnswer? {
        if flags.contains(.expectOther) { return .expectationFailed }
        // Nothing here ends TLS yet, so an https URL can only have come by mistake or by malice (RFC 9110 §7.4).
        if flags.contains(.schemeIsHTTPS) { return .misdirected }
        return nil
    }

    /// Fills `path` and `query`; an answer when the target is not acceptable.
    @inline(__always)
    private func cook(_ request: UnsafeMutablePointer<Request>) -> FrontAnswer? {
        let base = request.pointee.headStart
        request.pointee.query = OctetRun(
            base + Int(request.pointee.head.queryOffset), Int(request.pointee.head.queryLength))
        if request.pointee.head.pathLength == 0 || request.pointee.head.targetForm == .asterisk {
            request.pointee.path = request.pointee.head.targetForm == .asterisk ? OctetRun("*") : OctetRun("/")
            return nil
        }
        let length = Int(request.pointee.head.pathLength)
        if length > Self.scratchSize { return FrontAnswer(.targetTooLong) }
        switch state.pointee.cooking.cook(
            base, pathOffset: Int(request.pointee.head.pathOffset), pathLength: length, into: state.pointee.scratch,
            capacity: Self.scratchSize)
        {
        case .inPlace:
            request.pointee.path = OctetRun(base + Int(request.pointee.head.pathOffset), length)
            return nil
        case .cooked(length: let cooked, flags: let flags):
            guard let memory = allocate(request, cooked) else { return FrontAnswer(.targetTooLong) }
            memcpy(memory, state.pointee.scratch, cooked)
            request.pointee.path = OctetRun(memory.assumingMemoryBound(to: UInt8.self), cooked)
            request.pointee.pathFlags = flags
            return nil
        case .rejected(let rejection): return FrontAnswer(rejection)
        }
    }
}
