import BerthHTTP
import BerthListener
import BerthPipeline
import CBerthSystem
import Glibc

/// The worker's answer on its way to the client: read into the loop's scratch memory and written from there.
extension Forwarder {
    /// Reads until the worker has no more, the client takes no more, or the response is complete.
    func receiveResponse(_ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>) -> Int32 {
        let system = state.pointee.system
        var budget = state.pointee.loop.turnShare
        if x.pointee.flags.contains(.pipeInUse) {
            // The client has taken what the pipe held.
            x.pointee.flags.remove(.pipeInUse)
            if x.pointee.remaining == 0 { return complete(x, c, leftover: false) }
        }
        while c.pointee.flags.contains(.readable) {
            var memory = state.pointee.scratch
            var capacity = Self.scratchSize
            var held = 0
            if x.pointee.response != .head {
                let room = state.pointee.listener.room(x.pointee.request)
                if x.pointee.request.pointee.isBroken { return clientGone(x) }
                if room == 0 {
                    x.pointee.flags.insert(.waitsForRoom)
                    state.pointee.listener.waitForRoom(x.pointee.request)
                    return Self.pending
                }
                if budget <= 0 {
                    readNextTurn(x, c)
                    return Self.pending
                }
                if splicesResponse(x, c) {
                    let (count, result) = spliceResponse(x, c)
                    if let result { return result }
                    budget &-= count
                    continue
                }
                capacity = min(room, capacity)
            } else if x.pointee.headBlock != 0 {
                memory = state.pointee.heads.memory(of: x.pointee.headBlock)
                held = Int(x.pointee.headCount)
                capacity = Self.responseHeadMax &- held
            } else if worker(of: c).pointee.longAnswers > 8 || !state.pointee.listener.keepsUp(x.pointee.request) {
                // Content behind it is read when it is known how much the client takes.
                capacity = Self.headReadSize
            }
            let count = system.pointee.receive(system, c.pointee.fd, memory + held, capacity)
            if count <= 0 {
                if count != -Int(EAGAIN) { return workerEnded(x, c, code: Int32(truncatingIfNeeded: -count)) }
                c.pointee.flags.remove(.readable)
                break
            }
            // Less than was asked for: there is no more, unless an end is behind it, and that brings an event of its own.
            if count < capacity && !c.pointee.flags.contains(.peerFinished) { c.pointee.flags.remove(.readable) }
            budget &-= count
            let result =
                x.pointee.response == .head
                ? readHead(x, c, memory, held &+ count) : passContent(x, c, memory, count)
            if result != Self.pending { return result }
        }
        return Self.pending
    }

    // MARK: The head

    private func readHead(
        _ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>,
        _ memory: UnsafeMutablePointer<UInt8>, _ count: Int
    ) -> Int32 {
        x.pointee.flags.insert(.answered)
        var fields = state.pointee.fields
        if x.pointee.headBlock != 0 { fields = fieldsOfBlock(x.pointee.headBlock) }
        var start = 0
        while true {
            switch state.pointee.parser.parse(&x.pointee.head, memory + start, count &- start, fields: fields) {
            case .incomplete: return keepHead(x, memory + start, count &- start, fields)
            case .rejected(let rejection): return fail(x, .invalid, detail: rejection.detail)
            case .complete: break
            }
            let length = Int(x.pointee.head.headLength)
            if !x.pointee.head.isInterim {
                return beginResponse(
                    x, c, memory + start, fields, content: memory + start + length, count: count &- start &- length)
            }
            // The client was told to continue by the listener; hints of other kinds are not passed on.
            x.pointee.interimResponses &+= 1
            if x.pointee.interimResponses > Self.interimResponsesMax {
                return fail(x, .invalid, detail: "is preceded by too many interim ones")
            }
            start &+= length
            x.pointee.head = ResponseHead()
            if start == count {
                dropHead(x)
                return Self.pending
            }
        }
    }

    /// Keeps the octets of a head that is not complete, and the fields that were found in it.
    private func keepHead(
        _ x: UnsafeMutablePointer<Exchange>, _ start: UnsafeMutablePointer<UInt8>, _ count: Int,
        _ fields: UnsafeMutablePointer<FieldSlice>
    ) -> Int32 {
        if x.pointee.headBlock == 0 {
            x.pointee.headBlock = state.pointee.heads.take()
            if x.pointee.headBlock == 0 { return fail(x, .noMemory) }
            fieldsOfBlock(x.pointee.headBlock).update(from: fields, count: Int(x.pointee.head.fieldCount))
        }
        memmove(state.pointee.heads.memory(of: x.pointee.headBlock), start, count)
        x.pointee.headCount = UInt32(truncatingIfNeeded: count)
        return Self.pending
    }

    func dropHead(_ x: UnsafeMutablePointer<Exchange>) {
        if x.pointee.headBlock == 0 { return }
        state.pointee.heads.giveBack(x.pointee.headBlock)
        x.pointee.headBlock = 0
    }

    private func fieldsOfBlock(_ block: UInt32) -> UnsafeMutablePointer<FieldSlice> {
        (UnsafeMutableRawPointer(state.pointee.heads.memory(of: block)) + Self.responseHeadMax)
            .assumingMemoryBound(to: FieldSlice.self)
    }

    /// Numbers of fields of a response that belong to the worker's connection, or that the listener writes itself.
    @inline(__always)
    private static func isDropped(_ id: UInt16) -> Bool {
        switch FieldID(rawValue: id) {
        case .connection, .contentLength, .transferEncoding, .upgrade, .te, .trailer, .keepAlive, .proxyConnection,
            .date:
            true
        default: false
        }
    }

    @inline(__always)
    private func beginResponse(
        _ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>, _ base: UnsafePointer<UInt8>,
        _ fields: UnsafePointer<FieldSlice>, content: UnsafePointer<UInt8>, count: Int
    ) -> Int32 {
        let request = x.pointee.request
        let head = x.pointee.head
        let isTunnel = head.status == 101
        if isTunnel && !acceptsUpgrade(x, base, fields) {
            return fail(x, .invalid, detail: "switches to a protocol that was not asked for")
        }
        let framing = head.framing(requestMethod: request.pointee.head.method)
        var response = ResponseStart(
            status: head.status, contentLength: head.flags.contains(.hasContentLength) ? head.contentLength : -1)
        // Server is the worker's to send or to leave out (ancm §11).
        response.flags = isTunnel ? [.noServerField, .tunnel] : .noServerField
        if head.status != 200 { response.reason = OctetRun(base + Int(head.reasonOffset), Int(head.reasonLength)) }
        let target = state.pointee.responseFields
        let looksAtNames = head.flags.contains(.connectionHasOtherOptions)
        let fieldCount = Int(head.fieldCount)
        var kept = 0
        var index = 0
        while index < fieldCount {
            let field = fields[index]
            index &+= 1
            if Self.isDropped(field.id) { continue }
            let name = base + Int(field.nameOffset)
            if looksAtNames, NominatedFields.contains(name, Int(field.nameLength), base, fields, fieldCount) {
                continue
            }
            target[kept] = ResponseField(
                name: OctetRun(name, Int(field.nameLength)),
                value: OctetRun(base + Int(field.valueOffset), Int(field.valueLength)))
            kept &+= 1
        }
        if isTunnel {
            target[kept] = ResponseField(name: OctetRun("Connection"), value: OctetRun("Upgrade"))
            target[kept &+ 1] = ResponseField(name: OctetRun("Upgrade"), value: OctetRun("websocket"))
            kept &+= 2
        }
        response.fields = UnsafePointer(target)
        response.fieldCount = kept
        if let failure = state.pointee.pipeline.startResponse(request, &response) {
            if failure == .gone { return clientGone(x) }
            return fail(x, .invalid, detail: "has a head that is too long")
        }
        if !head.isPersistent(requestMethod: request.pointee.head.method) || request.pointee.head.versionMinor == 0 {
            x.pointee.flags.insert(.lastOnConnection)
        }
        if isTunnel { return openTunnel(x, c, content, count) }
        switch framing {
        case .none: return complete(x, c, leftover: count > 0)
        case .contentLength:
            noteLength(head.contentLength, worker(of: c))
            x.pointee.response = .length
            x.pointee.remaining = UInt64(bitPattern: head.contentLength)
            if head.contentLength == 0 { return complete(x, c, leftover: count > 0) }
        case .chunked: x.pointee.response = .chunked
        case .untilClose: x.pointee.response = .untilClose
        }
        if count > 0 {
            let result = passContent(x, c, content, count)
            if result != Self.pending { return result }
        }
        dropHead(x)
        return Self.pending
    }

    /// Adjusts how much is read with the next head.
    @inline(__always)
    private func noteLength(_ length: Int64, _ worker: UnsafeMutablePointer<WorkerEndpoint>) {
        if length >= Int64(Self.spliceMin) {
            if worker.pointee.isTCP { worker.pointee.longAnswers = min(worker.pointee.longAnswers &+ 4, 16) }
        } else if worker.pointee.longAnswers > 0 {
            worker.pointee.longAnswers &-= 1
        }
    }

    /// Whether a 101 switches to what was asked for (RFC 9110 §7.8).
    private func acceptsUpgrade(
        _ x: UnsafeMutablePointer<Exchange>, _ base: UnsafePointer<UInt8>, _ fields: UnsafePointer<FieldSlice>
    ) -> Bool {
        let head = x.pointee.head
        guard x.pointee.flags.contains(.upgrade), head.flags.contains([.connectionUpgrade, .upgradePresent]),
            let field = FieldSlice.first(.upgrade, in: fields, Int(head.fieldCount))
        else { return false }
        return OctetRules.equal(base + Int(field.pointee.valueOffset), Int(field.pointee.valueLength), "websocket")
    }

    // MARK: Content

    @inline(__always)
    private func passContent(
        _ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>,
        _ octets: UnsafePointer<UInt8>, _ count: Int
    ) -> Int32 {
        switch x.pointee.response {
        case .head: return Self.pending
        case .length:
            let part = count < x.pointee.remaining ? count : Int(x.pointee.remaining)
            if !state.pointee.listener.write(x.pointee.request, octets, part) { return clientGone(x) }
            x.pointee.remaining &-= UInt64(part)
            return x.pointee.remaining == 0 ? complete(x, c, leftover: part < count) : Self.pending
        case .untilClose:
            return state.pointee.listener.write(x.pointee.request, octets, count) ? Self.pending : clientGone(x)
        case .chunked: return passChunks(x, c, octets, count)
        }
    }

    private func passChunks(
        _ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>,
        _ octets: UnsafePointer<UInt8>, _ count: Int
    ) -> Int32 {
        var used = 0
        while used < count {
            switch x.pointee.chunks.next(octets + used, count &- used) {
            case .data(let offset, let length):
                if !state.pointee.listener.write(x.pointee.request, octets + used + offset, length) {
                    return clientGone(x)
                }
                used &+= offset &+ length
            case .needMore: return Self.pending
            case .end(let consumed): return complete(x, c, leftover: used &+ consumed < count)
            case .malformed: return breakOff(x)
            }
        }
        // The end may take no further octet.
        return x.pointee.chunks.isDone ? complete(x, c, leftover: false) : Self.pending
    }

    /// The worker has closed the connection, or it broke.
    func workerEnded(
        _ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>, code: Int32
    ) -> Int32 {
        switch x.pointee.response {
        case .head:
            if x.pointee.flags.contains(.answered) { return fail(x, .brokeOff, code: code) }
            return c.pointee.flags.contains(.reused)
                ? keptConnectionDied(x, c, code: code) : noAnswer(x, c, code: code)
        case .untilClose where code == 0:
            x.pointee.flags.insert(.lastOnConnection)
            return complete(x, c, leftover: false)
        default: return breakOff(x)
        }
    }
}
