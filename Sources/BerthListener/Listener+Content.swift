import BerthHTTP
import BerthEventLoop
import CBerthSystem
import Glibc

extension Listener {
    /// Octets of decoded content that are there now, after at most one read from the socket.
    ///
    /// On `.wait` the request becomes ready with `.readable` when more has come. Sends 100 (Continue) when the client waits
    /// for it (RFC 9110 §10.1.1). Take what was used with `consumeContent` before asking again.
    public func content(of request: UnsafeMutablePointer<Request>) -> ContentOutcome {
        let c = connection(of: request)
        while true {
            switch request.pointee.contentState {
            case .none, .ended: return .end
            case .failed: return .failed(request.pointee.contentFailure)
            case .length, .chunked, .tunnel: break
            }
            if request.pointee.isBroken || c.pointee.fd < 0 { return fail(request, .gone) }
            let available = Int(c.pointee.inputEnd &- c.pointee.inputStart)
            if available > 0 {
                let start =
                    UnsafePointer(state.pointee.input.memory(of: c.pointee.inputBlock)) + Int(c.pointee.inputStart)
                switch request.pointee.contentState {
                case .length:
                    let count = min(UInt64(available), request.pointee.contentRemaining)
                    if request.pointee.contentOctets &+ count > request.pointee.contentMax {
                        return fail(request, .tooLarge)
                    }
                    return .octets(start, Int(count))
                case .chunked where request.pointee.chunkOctets > 0:
                    return .octets(start, Int(request.pointee.chunkOctets))
                case .chunked:
                    switch request.pointee.chunks.next(start, available) {
                    case .data(let offset, let length):
                        take(c, request, offset)
                        request.pointee.chunkOctets = UInt32(length)
                        if request.pointee.contentOctets &+ UInt64(length) > request.pointee.contentMax {
                            return fail(request, .tooLarge)
                        }
                        return .octets(start + offset, length)
                    case .needMore(let consumed):
                        take(c, request, consumed)
                        if consumed > 0 && consumed < available { continue }
                    case .end(let consumed):
                        take(c, request, consumed)
                        request.pointee.contentState = .ended
                        return .end
                    case .malformed:
                        return fail(request, .malformed)
                    }
                default: return .octets(start, available)
                }
            }
            if c.pointee.flags.contains(.peerFinished) {
                if request.pointee.contentState == .tunnel {
                    request.pointee.contentState = .ended
                    return .end
                }
                return fail(request, .gone)
            }
            sendContinue(c, request)
            // Content that trickles in costs one read for each event, not a second one that finds nothing.
            if c.pointee.flags.contains(.inputTaken) { return waitForContent(c, request) }
            let count = refill(c, request)
            if count > 0 { continue }
            if count == 0 {
                c.pointee.flags.insert(.peerFinished)
                continue
            }
            if count == -Int(EAGAIN) { return waitForContent(c, request) }
            return fail(request, .gone)
        }
    }

    /// Says that `count` octets of what `content` answered were used.
    public func consumeContent(_ request: UnsafeMutablePointer<Request>, _ count: Int) {
        let c = connection(of: request)
        take(c, request, count)
        request.pointee.contentOctets &+= UInt64(count)
        switch request.pointee.contentState {
        case .length:
            request.pointee.contentRemaining &-= UInt64(count)
            if request.pointee.contentRemaining == 0 { request.pointee.contentState = .ended }
        case .chunked: request.pointee.chunkOctets &-= UInt32(truncatingIfNeeded: count)
        default: break
        }
    }

    /// Reads content of known length from the socket straight into the caller's memory, when none is buffered: > 0 octets,
    /// 0 when `content` has to be asked instead, or a negated errno (EAGAIN: `.readable` follows).
    public func receiveContent(
        _ request: UnsafeMutablePointer<Request>, into memory: UnsafeMutableRawPointer, _ capacity: Int
    ) -> Int {
        let c = connection(of: request)
        let wanted = contentInSocket(request, c, capacity)
        if wanted == 0 { return 0 }
        return tookContent(request, c, loop.system.pointee.receive(loop.system, c.pointee.fd, memory, wanted))
    }

    /// As `receiveContent`, into an empty pipe, without a copy.
    public func spliceContent(_ request: UnsafeMutablePointer<Request>, into pipe: Int32, _ capacity: Int) -> Int {
        let c = connection(of: request)
        let wanted = contentInSocket(request, c, capacity)
        if wanted == 0 { return 0 }
        return tookContent(request, c, loop.system.pointee.splice_in(loop.system, c.pointee.fd, pipe, wanted))
    }

    /// Octets of content that may be taken from the socket past the input block.
    @inline(__always)
    private func contentInSocket(
        _ request: UnsafeMutablePointer<Request>, _ c: UnsafeMutablePointer<Connection>, _ capacity: Int
    ) -> Int {
        guard request.pointee.contentState == .length || request.pointee.contentState == .tunnel,
            c.pointee.inputStart == c.pointee.inputEnd, c.pointee.fd >= 0, !c.pointee.flags.contains(.peerFinished),
            request.pointee.continueSent || !request.pointee.head.flags.contains(.expectContinue)
        else { return 0 }
        var wanted = capacity
        if request.pointee.contentState == .length {
            wanted = Int(min(UInt64(wanted), request.pointee.contentRemaining))
        }
        return request.pointee.contentOctets &+ UInt64(wanted) > request.pointee.contentMax ? 0 : wanted
    }

    @inline(__always)
    private func tookContent(
        _ request: UnsafeMutablePointer<Request>, _ c: UnsafeMutablePointer<Connection>, _ count: Int
    ) -> Int {
        if count > 0 {
            let octets = UInt64(truncatingIfNeeded: count)
            tally(.octetsReceived, octets)
            request.pointee.octetsReceived &+= octets
            request.pointee.contentOctets &+= octets
            if request.pointee.contentState == .length {
                request.pointee.contentRemaining &-= octets
                if request.pointee.contentRemaining == 0 { request.pointee.contentState = .ended }
            }
            return count
        }
        if count == -Int(EAGAIN) { _ = waitForContent(c, request) }
        if count == 0 { c.pointee.flags.insert(.peerFinished) }
        return count
    }

    /// Whether all content was delivered (or there is none).
    @inline(__always)
    public func contentIsComplete(_ request: UnsafeMutablePointer<Request>) -> Bool {
        request.pointee.contentState == .none || request.pointee.contentState == .ended
    }

    /// Lowers the limit of content; the lowest of all callers counts.
    public func limitContent(_ request: UnsafeMutablePointer<Request>, _ octetsMax: UInt64) {
        request.pointee.contentMax = min(request.pointee.contentMax, octetsMax)
    }

    /// From now on the connection carries octets without framing; used with a response that is a tunnel.
    public func contentBecomesTunnel(_ request: UnsafeMutablePointer<Request>) {
        request.pointee.contentState = .tunnel
        request.pointee.contentMax = .max
        request.pointee.keepsAlive = false
        connection(of: request).pointee.flags.insert(.tunnel)
    }

    // MARK: Parts

    @inline(__always)
    private func take(_ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>, _ count: Int) {
        c.pointee.inputStart &+= UInt32(truncatingIfNeeded: count)
        request.pointee.octetsReceived &+= UInt64(truncatingIfNeeded: count)
    }

    func fail(_ request: UnsafeMutablePointer<Request>, _ failure: ContentOutcome.Failure) -> ContentOutcome {
        request.pointee.contentState = .failed
        request.pointee.contentFailure = failure
        request.pointee.keepsAlive = false
        return .failed(failure)
    }

    /// Whether content did not come as announced because its client left or took too long. Nobody is owed an answer then.
    public func isContentMissing(_ request: UnsafeMutablePointer<Request>) -> Bool {
        request.pointee.contentState == .failed
            && (request.pointee.contentFailure == .gone || request.pointee.contentFailure == .timedOut)
    }

    private func waitForContent(
        _ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>
    ) -> ContentOutcome {
        request.pointee.wantsContent = true
        let index = request.pointee.connection
        // What is told of now may be read in part, and the next head be left behind it.
        becomeLevelTriggered(index, c)
        setInterest(index, c, c.pointee.interest | EPOLLIN.rawValue)
        if request.pointee.contentState == .tunnel {
            setDeadline(index, c, at: .distantFuture)
        } else {
            setDeadline(index, c, after: entityBody(c))
        }
        return .wait
    }

    private func sendContinue(_ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>) {
        if request.pointee.continueSent || !request.pointee.head.flags.contains(.expectContinue) { return }
        request.pointee.continueSent = true
        if request.pointee.responseState != .none || request.pointee.head.versionMinor == 0 { return }
        append(request.pointee.connection, c, OctetRun("HTTP/1.1 100 Continue\r\n\r\n"))
        flush()
    }

    /// One read into the block behind the pinned head: octets, 0 at the end of input, or a negated errno.
    private func refill(_ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>) -> Int {
        if c.pointee.inputBlock == 0 { return -Int(ECONNRESET) }
        // Everything behind the head was taken.
        c.pointee.inputStart = request.pointee.pinnedEnd
        c.pointee.inputEnd = request.pointee.pinnedEnd
        let room = state.pointee.input.blockSize &- Int(c.pointee.inputEnd)
        let memory = state.pointee.input.memory(of: c.pointee.inputBlock) + Int(c.pointee.inputEnd)
        let count = loop.system.pointee.receive(loop.system, c.pointee.fd, memory, room)
        if count > 0 {
            c.pointee.inputEnd &+= UInt32(truncatingIfNeeded: count)
            tally(.octetsReceived, UInt64(truncatingIfNeeded: count))
            if count < room { c.pointee.flags.insert(.inputTaken) }
        }
        return count
    }

    /// Reads and drops content that no handler wanted, so that the connection can go on (DrainEntityBody).
    func drain(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        guard c.pointee.request != 0 else { return }
        let request = state.pointee.requests.pointer(at: Int(c.pointee.request) &- 1)
        request.pointee.contentMax = .max
        request.pointee.wantsContent = false
        var budget = 16  // reads a turn, so that one client does not hold the loop
        while true {
            switch content(of: request) {
            case .octets(_, let count):
                consumeContent(request, count)
                budget -= 1
                if request.pointee.contentOctets > state.pointee.limits.drainEntityOctetsMax
                    || (budget <= 0 && request.pointee.contentState == .tunnel)
                {
                    request.pointee.keepsAlive = false
                    endDraining(index, c, request)
                    return
                }
                // What is in memory already is no work; nobody would wake us for it, nor for an end that has been reached.
                if budget <= 0 && c.pointee.inputStart == c.pointee.inputEnd && !contentIsComplete(request) { return }
            case .wait:
                request.pointee.wantsContent = false
                setDeadline(index, c, after: drainEntityBody(c))
                return
            case .end:
                endDraining(index, c, request)
                return
            case .failed:
                request.pointee.keepsAlive = false
                endDraining(index, c, request)
                return
            }
        }
    }
}
