import BerthEventLoop
import BerthHTTP
public import CBerthSystem
import Glibc

extension Listener {
    // MARK: Requests

    /// The handler is done with the request: its response is ended (or broken off). The connection goes on.
    ///
    /// The request comes back through `nextFinished` once its octets are out.
    public func finish(_ request: UnsafeMutablePointer<Request>) {
        let index = request.pointee.connection
        let c = connection(of: request)
        request.pointee.wantsContent = false
        request.pointee.wantsRoom = false
        if request.pointee.responseState != .ended { request.pointee.responseState = .ended }
        request.pointee.endPosition = c.pointee.queuedTotal
        if c.pointee.fd >= 0 && request.pointee.keepsAlive && !contentIsComplete(request) && drains(index, c, request) {
            return
        }
        leaveConnection(index, c, request)
    }

    /// Reads and drops the content of a request that is answered, where that is worth it for the sake of the connection; if
    /// not, the connection ends.
    @inline(never)
    private func drains(
        _ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>
    ) -> Bool {
        if !wantsDraining(request) {
            request.pointee.keepsAlive = false
            return false
        }
        // Stays the connection's request until its content is read and dropped; its octets go out meanwhile.
        c.pointee.phase = .draining
        if state.pointee.batchOwner == index &+ 1 { flush() }
        if c.pointee.fd >= 0 && c.pointee.request != 0 {
            becomeLevelTriggered(index, c)
            setInterest(index, c, c.pointee.interest | EPOLLIN.rawValue)
            drain(index, c)
        }
        return true
    }

    /// Whether the rest of the content is worth reading for the sake of the connection.
    private func wantsDraining(_ request: UnsafeMutablePointer<Request>) -> Bool {
        // The client waits for a 100 that it never got: it may send the content or the next request, and nobody can tell which.
        if request.pointee.head.flags.contains(.expectContinue) && !request.pointee.continueSent
            && request.pointee.contentOctets == 0
        {
            return false
        }
        switch request.pointee.contentState {
        case .length: return request.pointee.contentRemaining <= state.pointee.limits.drainEntityOctetsMax
        case .chunked: return true
        default: return false
        }
    }

    func endDraining(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>) {
        c.pointee.phase = .running
        leaveConnection(index, c, request)
        if c.pointee.fd >= 0 { collectFinished(index, c) }
    }

    @inline(__always)
    private func leaveConnection(
        _ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>
    ) {
        if !request.pointee.keepsAlive {
            c.pointee.flags.insert(.closeAfterResponse)
            if !contentIsComplete(request) { c.pointee.flags.insert(.unreadInput) }
        }
        enqueueFinished(c, request)
        if c.pointee.fd < 0 || c.pointee.outputFirst == 0 && state.pointee.batchOwner != index &+ 1 {
            collectFinished(index, c)
        }
        if c.pointee.fd >= 0 && c.pointee.inputStart != c.pointee.inputEnd { advance(index, c) }
    }

    /// The request is logged and nobody holds it any more.
    public func release(_ request: UnsafeMutablePointer<Request>) {
        // A completion or a job on its way still names the slot: whoever takes that message releases it then.
        if request.pointee.jobIsOutstanding || request.pointee.isReady {
            request.pointee.isReleased = true
            return
        }
        if cberth_atomic_load_relaxed(&request.pointee.completionWord) != 0 && !takeName(request) {
            request.pointee.isReleased = true
            return
        }
        let index = request.pointee.connection
        let c = connection(of: request)
        if request.pointee.arenaBlock != 0 { state.pointee.arenas.giveBack(request.pointee.arenaBlock) }
        if let snapshot = request.pointee.snapshot { snapshot.pointee.pins &-= 1 }
        state.pointee.requests.free(request.pointee.index)
        c.pointee.requests &-= 1
        if c.pointee.requests == (c.pointee.parsing != 0 ? 1 : 0) { settle(index, c) }
    }

    /// From now on no handle names the request; false when a completion was faster.
    @inline(never)
    private func takeName(_ request: UnsafeMutablePointer<Request>) -> Bool {
        var word = UInt64(request.pointee.generation)
        return cberth_atomic_compare_exchange(&request.pointee.completionWord, &word, 0)
    }

    // MARK: Front-made answers

    // Apart from what parses and routes, which is the faster the less it holds.

    @inline(never)
    func refuse(
        _ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>,
        _ rejection: RequestRejection
    ) {
        refuse(index, c, request, FrontAnswer(rejection))
    }

    /// Answers a request that no module will see, writes it to the error log, and ends the connection.
    @inline(never)
    func refuse(
        _ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>,
        _ answer: FrontAnswer
    ) {
        tally(.rejections)
        c.pointee.phase = .running
        c.pointee.request = request.pointee.index &+ 1
        if request.pointee.octetsReceived == 0 {
            request.pointee.octetsReceived = UInt64(c.pointee.inputEnd &- c.pointee.inputStart)
            // What is left cannot be told from the next request.
            c.pointee.inputStart = c.pointee.inputEnd
            c.pointee.flags.insert(.unreadInput)
        }
        var entry = errorLogEntry(c, request, status: answer.status, reason: answer.reason)
        request.pointee.target = nil
        // Content is on its way that nobody will read: closing at once would reset the answer away.
        if !contentIsComplete(request) { c.pointee.flags.insert(.unreadInput) }
        request.pointee.contentState = .none
        request.pointee.keepsAlive = false
        let before = c.pointee.queuedTotal
        writePage(request, answer)
        entry.octetsSent = c.pointee.queuedTotal &- before
        state.pointee.errorLog.write(entry, loop.system)
        finish(request)
    }

    /// 503 (or a closed connection where the pool wants that), with its reason in the error log.
    @inline(never)
    func unavailable(
        _ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>,
        reason: StaticString
    ) {
        let verbosity = request.pointee.target?.pointee.queue.verbosity ?? .limited
        if verbosity != .basic {
            refuse(index, c, request, .unavailable(reason, isTold: verbosity == .full))
            return
        }
        tally(.rejections)
        logRefusal(c, request, status: 0, reason: reason)
        truncate(index, c, request)
        request.pointee.contentState = .none
        finish(request)
    }

    /// For the layers above: a 503 that HTTP.sys would make (QueueFull, AppPoolTimer, AppOffline ...). The request is
    /// answered and finished; it must not have a response yet. Its log stages do not run.
    /// A stage function that calls this returns "pending"; the pipeline sees in `phase` that the request is gone.
    public func refuseUnavailable(_ request: UnsafeMutablePointer<Request>, reason: StaticString) {
        let c = connection(of: request)
        request.pointee.phase = 0
        unavailable(request.pointee.connection, c, request, reason: reason)
    }

    /// A line of the error log about a request whose connection or worker failed it, with the reason that HTTPERR has for that.
    public func logAbandoned(_ request: UnsafeMutablePointer<Request>, reason: StaticString) {
        logRefusal(connection(of: request), request, status: request.pointee.status, reason: reason)
    }

    private func writePage(_ request: UnsafeMutablePointer<Request>, _ answer: FrontAnswer) {
        let phrase = StatusCode.reasonPhrase(answer.status)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1024) { buffer in
            guard let base = buffer.baseAddress else { return }
            var out = OctetWriter(base, capacity: 1024)
            out.put("<!DOCTYPE html>\r\n<html><head><title>")
            out.put(phrase)
            out.put("</title>\r\n<meta charset=\"us-ascii\"></head>\r\n<body><h2>")
            out.put(phrase)
            out.put("</h2>\r\n<hr><p>HTTP Error ")
            out.putDecimal(UInt64(answer.status))
            out.put(". ")
            out.put(answer.detail)
            out.put("</p>\r\n</body></html>\r\n")
            send(request, answer, OctetRun(base, out.count))
        }
    }

    private func send(_ request: UnsafeMutablePointer<Request>, _ answer: FrontAnswer, _ page: OctetRun) {
        var field = ResponseField(name: OctetRun("Content-Type"), value: OctetRun("text/html; charset=us-ascii"))
        withUnsafePointer(to: &field) { fieldPointer in
            var head = ResponseStart(status: answer.status, contentLength: Int64(page.count))
            if let phrase = answer.phrase { head.reason = OctetRun(phrase) }
            if !state.pointee.limits.serverFieldOnOwnAnswers { head.flags.insert(.noServerField) }
            head.fields = fieldPointer
            head.fieldCount = 1
            _ = start(request, &head)
        }
        if let octets = page.start { _ = write(request, octets, page.length) }
        end(request)
    }

    // MARK: Connections

    /// No request is left on the connection: it waits for the next one, or ends.
    func settle(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        if c.pointee.fd < 0 {
            freeIfUnused(index, c)
            return
        }
        if c.pointee.outputFirst != 0 || c.pointee.tailRequest != 0 { return }
        if c.pointee.flags.contains(.closeAfterResponse) {
            endConnection(index, c)
            return
        }
        if c.pointee.phase == .readingHead || c.pointee.inputStart != c.pointee.inputEnd {
            // Octets that came while answers were on their way out.
            advance(index, c)
            if c.pointee.phase == .readingHead && c.pointee.interest & EPOLLIN.rawValue == 0 {
                setInterest(index, c, EPOLLIN.rawValue)
            }
            return
        }
        if !state.pointee.isAccepting || c.pointee.flags.contains(.peerFinished) {
            if c.pointee.flags.contains(.peerFinished) { close(index, c) } else { endIdle(index, c) }
            return
        }
        giveInputBack(c)
        c.pointee.phase = .idle
        c.pointee.flags.remove(.unreadInput)
        setDeadline(index, c, after: idleConnection(c))
        setInterest(index, c, EPOLLIN.rawValue)
    }

    /// The last response is out. Closing with unread input would send a reset that can overtake the response, so then our side
    /// is shut first and the peer's rest is read and dropped (RFC 9112 §9.6).
    private func endConnection(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        if c.pointee.flags.contains(.truncated) {
            _ = loop.system.pointee.set_linger_reset(loop.system, c.pointee.fd)
            close(index, c)
            return
        }
        if c.pointee.flags.contains(.peerFinished)
            || !c.pointee.flags.contains(.unreadInput)
                && c.pointee.inputStart == c.pointee.inputEnd
        {
            close(index, c)
            return
        }
        giveInputBack(c)
        c.pointee.phase = .lingering
        _ = loop.system.pointee.shut_down_sending(loop.system, c.pointee.fd)
        setDeadline(index, c, after: min(drainEntityBody(c), Self.lingerMax))
        becomeLevelTriggered(index, c)
        setInterest(index, c, EPOLLIN.rawValue)
    }

    /// Nanoseconds, and reads of up to 64 KiB, that a peer may go on sending after the last response. nginx `lingering_time`
    /// is 30 s.
    static let lingerMax: UInt64 = 30_000_000_000
    static let lingerReadsMax: UInt16 = 64

    /// Drops what a peer sends after the last response.
    func linger(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        for _ in 0..<4 {
            let count = loop.system.pointee.receive(loop.system, c.pointee.fd, state.pointee.scratch, Self.scratchSize)
            if count == -Int(EAGAIN) { return }
            if count <= 0 {
                close(index, c)
                return
            }
            c.pointee.lingerReads &+= 1
            if c.pointee.lingerReads > Self.lingerReadsMax {
                abort(index, c)
                return
            }
        }
    }

    /// Closes the descriptor; the slot is free when no request names it any more.
    func close(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        if c.pointee.fd < 0 { return }
        _ = loop.system.pointee.close(loop.system, c.pointee.fd)
        state.pointee.daemon.closed()
        if c.pointee.flags.contains(.sourceCounted) { discountSource(c.pointee.remote) }
        forget(index, c)
    }

    /// Lets go of everything the connection holds but its descriptor and its counts.
    func forget(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        c.pointee.fd = -1
        c.pointee.phase = .closed
        unblock(c)
        loop.cancel(c.pointee.timer)
        c.pointee.timer = .none
        if state.pointee.batchOwner == index &+ 1 {
            state.pointee.batchOwner = 0
            state.pointee.batchCount = 0
        }
        dropOutput(c)
        if let site = c.pointee.site { site.discharge() }
        c.pointee.site = nil
        if c.pointee.parsing != 0 {
            let request = state.pointee.requests.pointer(at: Int(c.pointee.parsing) &- 1)
            c.pointee.parsing = 0
            if let snapshot = request.pointee.snapshot { snapshot.pointee.pins &-= 1 }
            if request.pointee.arenaBlock != 0 { state.pointee.arenas.giveBack(request.pointee.arenaBlock) }
            state.pointee.requests.free(request.pointee.index)
            c.pointee.requests &-= 1
        }
        if c.pointee.tailRequest != 0 {
            let request = state.pointee.requests.pointer(at: Int(c.pointee.tailRequest) &- 1)
            request.pointee.isBroken = true
            c.pointee.tailRequest = 0
        }
        collectFinished(index, c)
        freeIfUnused(index, c)
    }

    private func freeIfUnused(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        // A request that is still being logged names the connection; `release` comes here again.
        if c.pointee.requests != 0 || c.pointee.generation == 0 || c.pointee.fd >= 0 { return }
        giveInputBack(c)
        state.pointee.connections.free(index)
        noteConnections()
    }

    @inline(__always)
    private func enqueueFinished(_ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>) {
        let name = request.pointee.index &+ 1
        if c.pointee.request == name { c.pointee.request = 0 }
        request.pointee.nextFinished = 0
        if c.pointee.finishedLast != 0 {
            state.pointee.requests.pointer(at: Int(c.pointee.finishedLast) &- 1).pointee.nextFinished = name
        } else {
            c.pointee.finishedFirst = name
        }
        c.pointee.finishedLast = name
    }

    /// The peer reset the connection or is gone in both directions.
    @inline(never)
    func peerGone(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        if c.pointee.fd < 0 { return }
        logDrop(c)
        leave(index, c)
    }

    /// Ends a connection with whatever it was doing.
    private func leave(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        let running = c.pointee.request
        if running != 0 {
            let request = state.pointee.requests.pointer(at: Int(running) &- 1)
            request.pointee.isBroken = true
            request.pointee.keepsAlive = false
            if c.pointee.phase == .draining {
                enqueueFinished(c, request)
            } else {
                makeReady(request, .clientGone)
            }
        }
        close(index, c)
    }

    /// Our side gives the connection up: a limit was passed, or memory ran out.
    @inline(never)
    func abort(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        if c.pointee.fd < 0 { return }
        _ = loop.system.pointee.set_linger_reset(loop.system, c.pointee.fd)
        leave(index, c)
    }

    /// The handler gives up on the client (a broken module, a limit above): resets the connection.
    public func abortConnection(of request: UnsafeMutablePointer<Request>) {
        abort(request.pointee.connection, connection(of: request))
    }

    // MARK: What the pipeline asks about the peer

    /// The request will take a while: its client is watched, so that one who leaves is noticed. (A connection that came with
    /// its request is not known to the event loop yet; for most of them that call is saved.)
    @inline(__always)
    public func watch(_ request: UnsafeMutablePointer<Request>) {
        let c = connection(of: request)
        if !c.pointee.flags.contains(.registered) && c.pointee.fd >= 0 {
            setInterest(request.pointee.connection, c, EPOLLIN.rawValue)
        }
    }

    /// Both ends of the request's connection; valid as long as the request.
    @inline(__always)
    public func addresses(
        _ request: UnsafeMutablePointer<Request>
    ) -> (local: UnsafePointer<cberth_address>, remote: UnsafePointer<cberth_address>) {
        let c = UnsafeMutableRawPointer(connection(of: request))
        let local = c + (MemoryLayout<Connection>.offset(of: \Connection.local) ?? 0)
        let remote = c + (MemoryLayout<Connection>.offset(of: \Connection.remote) ?? 0)
        return (
            UnsafePointer(local.assumingMemoryBound(to: cberth_address.self)),
            UnsafePointer(remote.assumingMemoryBound(to: cberth_address.self))
        )
    }

    /// The peer of a Unix socket, for the control service; nil when the kernel does not say.
    public func peerCredentials(_ request: UnsafeMutablePointer<Request>) -> cberth_credentials? {
        var credentials = cberth_credentials()
        let c = connection(of: request)
        if c.pointee.fd < 0 { return nil }
        return loop.system.pointee.peer_credentials(loop.system, c.pointee.fd, &credentials) == 0 ? credentials : nil
    }
}
