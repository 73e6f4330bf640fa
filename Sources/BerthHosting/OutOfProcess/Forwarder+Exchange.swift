import BerthHTTP
import BerthListener
import BerthPipeline

/// How a request begins, goes on and ends.
extension Forwarder {
    /// The execute stage has come to the request.
    func begin(
        _ request: UnsafeMutablePointer<Request>, _ a: UnsafeMutablePointer<ForwardingApplication>
    ) -> Int32 {
        if a.pointee.isOffline { return answerOffline(request, a) }
        if isLast(request) { return answerAsLast(request) }
        guard let (index, x) = state.pointee.exchanges.allocate() else {
            a.count(.failures)
            state.pointee.listener.refuseUnavailable(request, reason: "QueueFull")
            return Self.pending
        }
        a.count(.running)
        let generation = x.pointee.generation
        x.initialize(to: Exchange(request: request, application: a))
        x.pointee.generation = generation
        x.pointee.index = index
        Pipeline.handlerState(of: request).pointee = UInt64(index) &<< 32 | UInt64(generation)
        let head = request.pointee.head
        if head.flags.contains(.hasContent) {
            x.pointee.upload = .running
        } else if head.flags.contains(.upgradePresent), a.pointee.forwardsUpgrades,
            ForwardedHead.isWebSocket(head, request.pointee.headStart, request.pointee.fields)
        {
            x.pointee.flags.insert(.upgrade)
        }
        if a.pointee.waitingFirst != 0 { return wait(x) }
        return attempt(x)
    }

    /// Something happened that the request waits for.
    func resume(_ request: UnsafeMutablePointer<Request>, _ event: UInt32) -> Int32 {
        let name = Pipeline.handlerState(of: request).pointee
        guard let x = state.pointee.exchanges.resolve(UInt32(name &>> 32), UInt32(truncatingIfNeeded: name)) else {
            return Self.pending
        }
        if event == Self.clientGoneEvent { return clientGone(x) }
        if event == Self.readableEvent { x.pointee.flags.remove(.waitsForClient) }
        if event == Self.writableEvent { x.pointee.flags.remove(.waitsForRoom) }
        if x.pointee.connection == 0 { return resumeWaiting(x) }
        return pump(x, state.pointee.connections.pointer(at: Int(x.pointee.connection) &- 1))
    }

    /// Moves what can be moved in both directions, and arms the deadline of what cannot.
    func pump(_ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>) -> Int32 {
        if c.pointee.flags.contains(.timedOut) { return fail(x, .timedOut) }
        if c.pointee.flags.contains(.unsolicited) { return keptConnectionDied(x, c, code: 0) }
        var result = Self.pending
        switch x.pointee.state {
        case .waiting: return result
        case .connecting: return sendHead(x, c)
        case .exchanging:
            if x.pointee.upload == .running && !x.pointee.flags.contains(.waitsForClient)
                && !c.pointee.flags.contains(.blocked) || x.pointee.unsentBlock != 0 || x.pointee.uploadPiped != 0
            {
                result = upload(x, c)
                if result != Self.pending { return result }
            }
            if (c.pointee.flags.contains(.readable) || x.pointee.responsePipe != 0)
                && !x.pointee.flags.contains(.waitsForRoom)
            {
                result = receiveResponse(x, c)
            }
        case .tunnel: result = pumpTunnel(x, c)
        }
        if result == Self.pending && x.pointee.connection != 0 { armDeadline(x, c) }
        return result
    }

    /// The response is complete: the connection goes back to the others when nothing on it can be mistaken for the next
    /// exchange's.
    func complete(
        _ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>, leftover: Bool
    ) -> Int32 {
        let request = x.pointee.request
        state.pointee.listener.end(request)
        let isReusable =
            !leftover && x.pointee.upload == .ended && x.pointee.unsentBlock == 0 && x.pointee.uploadPiped == 0
            && !x.pointee.flags.contains(.lastOnConnection) && !c.pointee.flags.contains(.peerFinished)
            && (!c.pointee.flags.contains(.lean) || !state.pointee.listener.keepsUp(request))
        let index = x.pointee.connection &- 1
        x.pointee.connection = 0
        c.pointee.exchange = 0
        if isReusable { keep(index, c) } else { close(index, c, reset: false) }
        free(x)
        return Self.finish
    }

    /// Lets go of everything the exchange holds but its connection.
    func free(_ x: UnsafeMutablePointer<Exchange>) {
        leaveQueue(x)
        dropUnsent(x)
        dropHead(x)
        dropPipes(x)
        Pipeline.handlerState(of: x.pointee.request).pointee = 0
        x.pointee.application.count(.running, -1)
        state.pointee.exchanges.free(x.pointee.index)
    }

    /// Takes the exchange's connection away and closes it.
    func abandonConnection(_ x: UnsafeMutablePointer<Exchange>, reset: Bool) {
        if x.pointee.connection == 0 { return }
        let index = x.pointee.connection &- 1
        let c = state.pointee.connections.pointer(at: Int(index))
        x.pointee.connection = 0
        c.pointee.exchange = 0
        close(index, c, reset: reset)
    }

    /// The worker's next operation has until then; nothing is due from it while the client is the one to act.
    @inline(__always)
    func armDeadline(_ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>) {
        let flags = x.pointee.flags
        let isClientsTurn =
            flags.contains(.waitsForRoom)
            || flags.contains(.waitsForClient) && !c.pointee.flags.contains(.blocked)
            || x.pointee.state == .tunnel && !flags.contains(.clientFinished)
        setDeadline(
            x.pointee.connection &- 1, c,
            isClientsTurn ? .max : deadline(after: x.pointee.application.pointee.requestTimeout))
    }

    /// 0: never.
    @inline(__always)
    func deadline(after nanoseconds: UInt64) -> UInt64 {
        nanoseconds == 0 ? .max : state.pointee.loop.now.adding(nanoseconds: nanoseconds).nanoseconds
    }
}
