import BerthEventLoop
import BerthHTTP
import CBerthSystem
import Glibc

/// How octets leave: everything for one connection is gathered in the loop's batch and goes out with one call at the end of
/// the turn. What the kernel does not take moves to blocks of the output pool, and the connection waits to be writable.
extension Listener {
    /// First octets of a block: number of the next one, start and end of what it holds.
    private struct OutputBlock: BitwiseCopyable {
        var next: UInt32
        var start: UInt32
        var end: UInt32
        var reserved: UInt32
    }
    private static let outputHeader = 16

    // MARK: Queueing

    /// Queues octets behind everything the connection has queued already.
    @inline(__always)
    func append(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ octets: OctetRun) {
        guard let start = octets.start, octets.count > 0 else { return }
        append(index, c, start, octets.length)
    }

    func append(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ start: UnsafePointer<UInt8>, _ count: Int) {
        if c.pointee.fd < 0 { return }
        c.pointee.queuedTotal &+= UInt64(count)
        if c.pointee.outputFirst == 0 {
            claimBatch(index)
            if c.pointee.fd < 0 { return }
            if count <= Self.batchSize &- state.pointee.batchCount {
                var out = OctetWriter(state.pointee.batch + state.pointee.batchCount, capacity: count)
                out.put(start, count)
                state.pointee.batchCount &+= count
                return
            }
            flushBatch(more: true)
            if c.pointee.fd < 0 { return }
            if c.pointee.outputFirst == 0 {
                sendOrKeep(index, c, start, count)
                return
            }
        }
        keep(index, c, start, count)
    }

    /// Makes the batch this connection's; sends what another one has in it.
    @inline(__always)
    func claimBatch(_ index: UInt32) {
        let name = index &+ 1
        if state.pointee.batchOwner == name { return }
        if state.pointee.batchOwner != 0 { flush() }
        state.pointee.batchOwner = name
    }

    /// Room in the batch for `count` octets that the caller writes itself and then `commitBatch`es; nil when they have to go
    /// another way.
    @inline(__always)
    func roomInBatch(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ count: Int) -> UnsafeMutablePointer<
        UInt8
    >? {
        if c.pointee.outputFirst != 0 { return nil }
        claimBatch(index)
        if Self.batchSize &- state.pointee.batchCount < count {
            flushBatch(more: true)
            if c.pointee.outputFirst != 0 || c.pointee.fd < 0 || count > Self.batchSize { return nil }
        }
        return state.pointee.batch + state.pointee.batchCount
    }

    @inline(__always)
    func commitBatch(_ c: UnsafeMutablePointer<Connection>, _ count: Int) {
        state.pointee.batchCount &+= count
        c.pointee.queuedTotal &+= UInt64(count)
    }

    /// Sends octets at once, behind an empty batch, and keeps what the kernel does not take.
    private func sendOrKeep(
        _ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ start: UnsafePointer<UInt8>, _ count: Int
    ) {
        let sent = loop.system.pointee.send(loop.system, c.pointee.fd, start, count, 0)
        if sent < 0 && sent != -Int(EAGAIN) {
            peerGone(index, c)
            return
        }
        let done = max(sent, 0)
        noteSent(c, done)
        if done < count { keep(index, c, start + done, count &- done) }
    }

    /// Sends batch and octets with one call, for content that is not worth copying.
    func appendLarge(
        _ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ start: UnsafePointer<UInt8>, _ count: Int
    ) {
        if c.pointee.fd < 0 || count == 0 { return }
        if c.pointee.outputFirst != 0 {
            append(index, c, start, count)
            return
        }
        claimBatch(index)
        if c.pointee.fd < 0 { return }
        c.pointee.queuedTotal &+= UInt64(count)
        boundUnsent(c)
        let batched = state.pointee.batchCount
        var pieces = (
            iovec(iov_base: state.pointee.batch, iov_len: batched),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: start), iov_len: count)
        )
        let sent = withUnsafePointer(to: &pieces) {
            $0.withMemoryRebound(to: iovec.self, capacity: 2) {
                loop.system.pointee.send_vector(
                    loop.system, c.pointee.fd, batched == 0 ? $0 + 1 : $0, batched == 0 ? 1 : 2, 0)
            }
        }
        state.pointee.batchCount = 0
        if sent < 0 && sent != -Int(EAGAIN) {
            peerGone(index, c)
            return
        }
        let done = max(sent, 0)
        noteSent(c, done)
        if done < batched {
            keep(index, c, state.pointee.batch + done, batched &- done)
            if c.pointee.fd >= 0 { keep(index, c, start, count) }
        } else if done &- batched < count {
            keep(index, c, start + (done &- batched), count &- (done &- batched))
        } else {
            noteTaken(c, count)
        }
    }

    /// Copies octets that the kernel does not take now into blocks.
    private func keep(
        _ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ start: UnsafePointer<UInt8>, _ count: Int
    ) {
        var from = start
        var left = count
        while left > 0 {
            var room = 0
            if c.pointee.outputLast != 0 {
                room = Self.outputBlockSize &- Int(header(c.pointee.outputLast).pointee.end)
            }
            if room == 0 {
                let block = state.pointee.output.take()
                if block == 0 {
                    noteCut(c)
                    abort(index, c)
                    return
                }
                header(block).initialize(
                    to: OutputBlock(
                        next: 0, start: UInt32(Self.outputHeader), end: UInt32(Self.outputHeader), reserved: 0))
                if c.pointee.outputLast != 0 { header(c.pointee.outputLast).pointee.next = block }
                if c.pointee.outputFirst == 0 { c.pointee.outputFirst = block }
                c.pointee.outputLast = block
                room = Self.outputBlockSize &- Self.outputHeader
            }
            let last = header(c.pointee.outputLast)
            let part = min(room, left)
            memcpy(state.pointee.output.memory(of: c.pointee.outputLast) + Int(last.pointee.end), from, part)
            last.pointee.end &+= UInt32(part)
            from += part
            left &-= part
        }
        if !c.pointee.flags.contains(.blocked) { block(index, c) }
    }

    private func header(_ block: UInt32) -> UnsafeMutablePointer<OutputBlock> {
        UnsafeMutableRawPointer(state.pointee.output.memory(of: block)).assumingMemoryBound(to: OutputBlock.self)
    }

    @inline(__always)
    private func noteSent(_ c: UnsafeMutablePointer<Connection>, _ count: Int) {
        c.pointee.sentTotal &+= UInt64(truncatingIfNeeded: count)
        tally(.octetsSent, UInt64(truncatingIfNeeded: count))
    }

    // MARK: Sending

    /// Sends the batch. Call at the end of each turn.
    @inline(__always)
    public func flush() {
        let owner = state.pointee.batchOwner
        if owner == 0 { return }
        state.pointee.batchOwner = owner
        flushBatch(more: false)
        state.pointee.batchOwner = 0
        let index = owner &- 1
        let c = state.pointee.connections.pointer(at: Int(index))
        if c.pointee.generation == 0 || c.pointee.fd < 0 { return }
        if c.pointee.tailRequest != 0 && c.pointee.outputFirst == 0 { sendTail(index, c) }
        if c.pointee.fd >= 0 { collectFinished(index, c) }
    }

    /// - Parameter more: other octets follow at once.
    private func flushBatch(more: Bool) {
        let owner = state.pointee.batchOwner
        let count = state.pointee.batchCount
        if owner == 0 || count == 0 { return }
        state.pointee.batchCount = 0
        let index = owner &- 1
        let c = state.pointee.connections.pointer(at: Int(index))
        if c.pointee.fd < 0 { return }
        let follows = more || c.pointee.tailRequest != 0 && !tailIsPipe(c)
        let sent = loop.system.pointee.send(loop.system, c.pointee.fd, state.pointee.batch, count, follows ? 1 : 0)
        if sent == count {
            noteSent(c, count)
            return
        }
        if sent < 0 && sent != -Int(EAGAIN) {
            peerGone(index, c)
            return
        }
        let done = max(sent, 0)
        noteSent(c, done)
        keep(index, c, state.pointee.batch + done, count &- done)
    }

    /// The kernel takes octets again.
    func writable(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        if state.pointee.batchOwner == index &+ 1 { flush() }
        while c.pointee.fd >= 0 && c.pointee.outputFirst != 0 {
            let pieces = UnsafeMutableRawPointer(state.pointee.scratch).assumingMemoryBound(to: iovec.self)
            var count = 0
            var wanted = 0
            var block = c.pointee.outputFirst
            while block != 0 && count < 16 {
                let h = header(block)
                let length = Int(h.pointee.end &- h.pointee.start)
                pieces[count] = iovec(
                    iov_base: state.pointee.output.memory(of: block) + Int(h.pointee.start), iov_len: length)
                wanted &+= length
                count &+= 1
                block = h.pointee.next
            }
            let more = block != 0 || c.pointee.tailRequest != 0 && !tailIsPipe(c)
            let sent = loop.system.pointee.send_vector(loop.system, c.pointee.fd, pieces, Int32(count), more ? 1 : 0)
            if sent < 0 {
                if sent != -Int(EAGAIN) { peerGone(index, c) }
                break
            }
            noteSent(c, sent)
            dropSent(c, sent)
            if sent < wanted { break }
        }
        if c.pointee.fd < 0 { return }
        if c.pointee.outputFirst == 0 {
            unblock(c)
            if c.pointee.tailRequest != 0 { sendTail(index, c) }
        }
        if c.pointee.fd < 0 { return }
        if !c.pointee.flags.contains(.blocked) {
            if c.pointee.rateSince != 0 { restoreDeadline(index, c) }
            c.pointee.rateSince = 0
            setInterest(index, c, c.pointee.interest & ~EPOLLOUT.rawValue)
        }
        collectFinished(index, c)
        if c.pointee.fd < 0 { return }
        if c.pointee.request != 0 {
            let request = state.pointee.requests.pointer(at: Int(c.pointee.request) &- 1)
            if request.pointee.wantsRoom && c.pointee.tailRequest == 0
                && waitingOctets(c) <= window(c) / 2
            {
                request.pointee.wantsRoom = false
                makeReady(request, .writable)
            }
        } else if c.pointee.outputFirst == 0 && c.pointee.tailRequest == 0 {
            advance(index, c)
        }
    }

    private func dropSent(_ c: UnsafeMutablePointer<Connection>, _ count: Int) {
        var left = UInt32(count)
        while left > 0 {
            let block = c.pointee.outputFirst
            let h = header(block)
            let part = min(left, h.pointee.end &- h.pointee.start)
            h.pointee.start &+= part
            left &-= part
            if h.pointee.start == h.pointee.end {
                c.pointee.outputFirst = h.pointee.next
                if h.pointee.next == 0 { c.pointee.outputLast = 0 }
                state.pointee.output.giveBack(block)
            }
        }
    }

    func dropOutput(_ c: UnsafeMutablePointer<Connection>) {
        while c.pointee.outputFirst != 0 {
            let block = c.pointee.outputFirst
            c.pointee.outputFirst = header(block).pointee.next
            state.pointee.output.giveBack(block)
        }
        c.pointee.outputLast = 0
    }

    /// Octets queued and not taken by the kernel.
    @inline(__always)
    func waitingOctets(_ c: UnsafeMutablePointer<Connection>) -> UInt64 {
        let tail =
            c.pointee.tailRequest == 0
            ? 0 : state.pointee.requests.pointer(at: Int(c.pointee.tailRequest) &- 1).pointee.tailRemaining
        return c.pointee.queuedTotal &- c.pointee.sentTotal &- tail
    }

    // MARK: Files and memory that stays

    /// What goes before a pipe is sent on its own: holding it back (MSG_MORE) until spliced pages follow made a response of
    /// 64 KiB cost 60 µs instead of 38.
    private func tailIsPipe(_ c: UnsafeMutablePointer<Connection>) -> Bool {
        state.pointee.requests.pointer(at: Int(c.pointee.tailRequest) &- 1).pointee.tailIsPipe
    }

    /// Sends what follows the queued octets: a file with sendfile, a pipe with splice, memory as it is.
    private func sendTail(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        boundUnsent(c)
        let request = state.pointee.requests.pointer(at: Int(c.pointee.tailRequest) &- 1)
        let count = request.pointee.tailRemaining
        var budget = UInt64(loop.turnShare)
        while request.pointee.tailRemaining > 0 {
            let part = Int(min(request.pointee.tailRemaining, budget))
            let sent: Int
            if let memory = request.pointee.tailMemory {
                sent = loop.system.pointee.send(
                    loop.system, c.pointee.fd, memory + Int(request.pointee.tailOffset), part, 0)
            } else if request.pointee.tailIsPipe {
                sent = loop.system.pointee.splice_out(
                    loop.system, request.pointee.tailFile, c.pointee.fd, part, 0)
            } else {
                sent = loop.system.pointee.send_file(
                    loop.system, c.pointee.fd, request.pointee.tailFile, request.pointee.tailOffset, part)
            }
            if sent == -Int(EAGAIN) {
                block(index, c)
                return
            }
            if sent < 0 {
                peerGone(index, c)
                return
            }
            if sent == 0 {
                // The file is shorter than it was: what was promised cannot be kept.
                truncate(index, c, request)
                return
            }
            noteSent(c, sent)
            request.pointee.tailOffset &+= UInt64(sent)
            request.pointee.tailRemaining &-= UInt64(sent)
            budget &-= min(budget, UInt64(sent))
            if budget == 0 && request.pointee.tailRemaining > 0 {
                block(index, c)
                return
            }
        }
        c.pointee.tailRequest = 0
        if !c.pointee.flags.contains(.blocked) { noteTaken(c, Int(truncatingIfNeeded: count)) }
        unblock(c)
    }

    // MARK: After sending

    /// Hands requests whose last octet is out to the loop's list of finished ones.
    @inline(__always)
    func collectFinished(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>) {
        while c.pointee.finishedFirst != 0 {
            let request = state.pointee.requests.pointer(at: Int(c.pointee.finishedFirst) &- 1)
            if c.pointee.fd >= 0 && request.pointee.endPosition > c.pointee.sentTotal { return }
            c.pointee.finishedFirst = request.pointee.nextFinished
            if request.pointee.nextFinished == 0 { c.pointee.finishedLast = 0 }
            request.pointee.nextFinished = 0
            let sent = min(c.pointee.sentTotal, request.pointee.endPosition)
            request.pointee.octetsSent =
                sent > request.pointee.startPosition ? sent &- request.pointee.startPosition : 0
            request.pointee.finishedAt = loop.now
            let name = request.pointee.index &+ 1
            if state.pointee.finishedLast != 0 {
                state.pointee.requests.pointer(at: Int(state.pointee.finishedLast) &- 1).pointee.nextFinished = name
            } else {
                state.pointee.finishedFirst = name
            }
            state.pointee.finishedLast = name
        }
    }
}
