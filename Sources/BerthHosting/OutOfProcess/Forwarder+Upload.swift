import BerthHTTP
import BerthListener
import BerthPipeline
import CBerthSystem
import Glibc

/// The request on its way to the worker: its head, then content as the client sends it and the worker takes it.
extension Forwarder {
    // MARK: The head

    /// Sends the head, and with the same call whatever content is there already.
    ///
    /// Nothing is taken from the client before the worker has taken the head, so a request that meets a dead connection is
    /// whole and can be sent elsewhere.
    func sendHead(_ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>) -> Int32 {
        let request = x.pointee.request
        let listener = state.pointee.listener
        let forwarded = ForwardedHead(
            head: request.pointee.head, base: request.pointee.headStart, fields: UnsafePointer(request.pointee.fields),
            path: request.pointee.path, client: listener.addresses(request).remote,
            tokenField: worker(of: c).pointee.tokenField, upgrade: x.pointee.flags.contains(.upgrade))
        var out = OctetWriter(state.pointee.headBuffer, capacity: state.pointee.headBufferSize)
        forwarded.write(&out)
        if out.overflowed { return fail(x, .tooLong) }
        if x.pointee.upload == .ended {
            let sent = state.pointee.system.pointee.send(
                state.pointee.system, c.pointee.fd, state.pointee.headBuffer, out.count, 0)
            if sent < out.count {
                if sent < 0 { return headNotSent(x, c, code: Int32(truncatingIfNeeded: -sent)) }
                if !keepUnsent(x, c, state.pointee.headBuffer + sent, out.count &- sent) { return fail(x, .noMemory) }
            }
            headSent(x, c)
            armDeadline(x, c)
            return Self.pending
        }
        return sendHeadAndContent(x, c, &out)
    }

    private func sendHeadAndContent(
        _ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>, _ out: inout OctetWriter
    ) -> Int32 {
        let request = x.pointee.request
        let listener = state.pointee.listener
        let isChunked = request.pointee.head.framing == .chunked
        var content: UnsafePointer<UInt8>?
        var count = 0
        var ended = false
        switch listener.content(of: request) {
        case .octets(let start, let available):
            (content, count) = (start, available)
            if isChunked { out.putChunkHeader(available) }
        case .wait: x.pointee.flags.insert(.waitsForClient)
        case .end:
            ended = true
            if isChunked { out.putLastChunk() }
        case .failed(let failure): return contentFailed(x, failure)
        }
        let tail: StaticString = "\r\n"
        let tailCount = isChunked && count > 0 ? 2 : 0
        let total = out.count &+ count &+ tailCount
        var pieces = (
            iovec(iov_base: state.pointee.headBuffer, iov_len: out.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: content), iov_len: count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: tail.utf8Start), iov_len: tailCount)
        )
        let system = state.pointee.system
        let fd = c.pointee.fd
        let pieceCount: Int32 = count == 0 ? 1 : tailCount == 0 ? 2 : 3
        let sent = withUnsafePointer(to: &pieces) {
            $0.withMemoryRebound(to: iovec.self, capacity: 3) {
                system.pointee.send_vector(system, fd, $0, pieceCount, 0)
            }
        }
        if sent < 0 { return headNotSent(x, c, code: Int32(truncatingIfNeeded: -sent)) }
        if sent < total {
            var skip = sent
            let parts = [
                (UnsafePointer(state.pointee.headBuffer), out.count), (content, count), (tail.utf8Start, tailCount),
            ]
            for (start, length) in parts {
                if skip < length, let start, !keepUnsent(x, c, start + skip, length &- skip) {
                    return fail(x, .noMemory)
                }
                skip = max(skip &- length, 0)
            }
        }
        if count > 0 {
            x.pointee.flags.insert(.contentTaken)
            listener.consumeContent(request, count)
        }
        if ended || !isChunked && listener.contentIsComplete(request) { x.pointee.upload = .ended }
        headSent(x, c)
        return pump(x, c)
    }

    @inline(__always)
    private func headSent(_ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>) {
        c.pointee.flags.insert(.established)
        x.pointee.state = .exchanging
        x.pointee.application.count(.forwarded)
    }

    private func headNotSent(
        _ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>, code: Int32
    ) -> Int32 {
        if code == EAGAIN {
            // Still connecting. The head is written again when that is done.
            block(x, c)
            x.pointee.flags.remove(.waitsForClient)
            armDeadline(x, c)
            return Self.pending
        }
        x.pointee.flags.remove(.waitsForClient)
        if c.pointee.flags.contains(.reused) { return keptConnectionDied(x, c, code: code) }
        let worker = worker(of: c)
        abandonConnection(x, reset: false)
        return connectionRefused(x, worker, code: code)
    }

    // MARK: Content

    /// Sends content until the client has no more of it, or the worker takes no more.
    func upload(_ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>) -> Int32 {
        let request = x.pointee.request
        let listener = state.pointee.listener
        let isChunked = request.pointee.head.framing == .chunked
        var budget = state.pointee.loop.turnShare
        while true {
            if x.pointee.unsentBlock != 0 && !sendUnsent(x, c) { return Self.pending }
            if x.pointee.uploadPiped != 0 && !sendPiped(x, c) { return Self.pending }
            if x.pointee.upload != .running { return Self.pending }
            if budget <= 0 {
                sendNextTurn(x, c)
                return Self.pending
            }
            if isChunked {
                let (count, result) = gatherChunks(x)
                if count > 0 && !send(x, c, state.pointee.scratch, count) { return Self.pending }
                budget &-= count
                if result != Self.pending || x.pointee.flags.contains(.waitsForClient) { return result }
                continue
            }
            let splices = splicesUpload(x)
            let count =
                splices
                ? spliceUpload(x) : listener.receiveContent(request, into: state.pointee.scratch, Self.scratchSize)
            if count > 0 {
                x.pointee.flags.insert(.contentTaken)
                if listener.contentIsComplete(request) { x.pointee.upload = .ended }
                if !splices && !send(x, c, state.pointee.scratch, count) { return Self.pending }
                budget &-= count
                continue
            }
            if count == -Int(EAGAIN) {
                x.pointee.flags.insert(.waitsForClient)
                return Self.pending
            }
            switch listener.content(of: request) {
            case .octets(let start, let available):
                x.pointee.flags.insert(.contentTaken)
                let isSent = send(x, c, start, available)
                listener.consumeContent(request, available)
                if listener.contentIsComplete(request) && x.pointee.upload == .running { x.pointee.upload = .ended }
                if !isSent { return Self.pending }
                budget &-= available
            case .wait:
                x.pointee.flags.insert(.waitsForClient)
                return Self.pending
            case .end: x.pointee.upload = .ended
            case .failed(let failure): return contentFailed(x, failure)
            }
        }
    }

    /// Fills the scratch memory with chunks: each as the client's content came, framed anew.
    private func gatherChunks(_ x: UnsafeMutablePointer<Exchange>) -> (Int, Int32) {
        let request = x.pointee.request
        let listener = state.pointee.listener
        var out = OctetWriter(state.pointee.scratch, capacity: Self.scratchSize)
        while true {
            switch listener.content(of: request) {
            case .octets(let start, let available):
                let count = min(available, out.room &- 32)
                if count < min(available, 4096) { return (out.count, Self.pending) }
                x.pointee.flags.insert(.contentTaken)
                out.putChunkHeader(count)
                out.put(start, count)
                out.putLineEnd()
                listener.consumeContent(request, count)
            case .wait:
                x.pointee.flags.insert(.waitsForClient)
                return (out.count, Self.pending)
            case .end:
                out.putLastChunk()
                x.pointee.upload = .ended
                return (out.count, Self.pending)
            case .failed(let failure):
                // What came before the fault is not worth sending: the worker must not take this for a message.
                return (0, contentFailed(x, failure))
            }
        }
    }

    /// Sends octets, and keeps what the kernel does not take. False: nothing more can be sent for now, or for good.
    func send(
        _ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>,
        _ start: UnsafePointer<UInt8>, _ count: Int
    ) -> Bool {
        let sent = state.pointee.system.pointee.send(state.pointee.system, c.pointee.fd, start, count, 0)
        if sent == count { return true }
        if sent < 0 && sent != -Int(EAGAIN) {
            workerTakesNoMore(x, c)
            return false
        }
        let done = max(sent, 0)
        if !keepUnsent(x, c, start + done, count &- done) { workerTakesNoMore(x, c) }
        return false
    }

    /// Copies octets that the worker does not take now. False: there is no memory.
    private func keepUnsent(
        _ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>,
        _ start: UnsafePointer<UInt8>, _ count: Int
    ) -> Bool {
        if count == 0 { return true }
        if x.pointee.unsentBlock == 0 {
            x.pointee.unsentBlock = state.pointee.unsent.take()
            if x.pointee.unsentBlock == 0 { return false }
            x.pointee.unsentStart = 0
            x.pointee.unsentEnd = 0
        }
        let memory = state.pointee.unsent.memory(of: x.pointee.unsentBlock)
        precondition(
            count <= state.pointee.unsent.blockSize &- Int(x.pointee.unsentEnd), "a block holds all that one call sends"
        )
        memcpy(memory + Int(x.pointee.unsentEnd), start, count)
        x.pointee.unsentEnd &+= UInt32(truncatingIfNeeded: count)
        block(x, c)
        return true
    }

    /// Sends what was kept. True: all of it is out.
    func sendUnsent(_ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>) -> Bool {
        if c.pointee.flags.contains(.blocked) { return false }
        let memory = state.pointee.unsent.memory(of: x.pointee.unsentBlock) + Int(x.pointee.unsentStart)
        let count = Int(x.pointee.unsentEnd &- x.pointee.unsentStart)
        let sent = state.pointee.system.pointee.send(state.pointee.system, c.pointee.fd, memory, count, 0)
        if sent == count {
            dropUnsent(x)
            return true
        }
        if sent < 0 && sent != -Int(EAGAIN) {
            workerTakesNoMore(x, c)
            return false
        }
        x.pointee.unsentStart &+= UInt32(truncatingIfNeeded: max(sent, 0))
        block(x, c)
        return false
    }

    func dropUnsent(_ x: UnsafeMutablePointer<Exchange>) {
        if x.pointee.unsentBlock == 0 { return }
        state.pointee.unsent.giveBack(x.pointee.unsentBlock)
        x.pointee.unsentBlock = 0
    }

    /// The worker has closed its side of the upload. It may have answered before it did.
    func workerTakesNoMore(_ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>) {
        dropUnsent(x)
        x.pointee.upload = .abandoned
        c.pointee.flags.insert([.readable, .peerFinished])
    }
}
