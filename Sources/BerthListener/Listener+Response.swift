import BerthHTTP
import BerthEventLoop
import CBerthSystem
import Glibc

extension Listener {
    /// Why a response could not be begun.
    public enum ResponseFailure: Error { case alreadyStarted, gone, tooLarge }

    // MARK: Content

    /// Octets of content that may be written now; 0: wait for `.writable` (asked for with `waitForRoom`).
    public func room(_ request: UnsafeMutablePointer<Request>) -> Int {
        let c = connection(of: request)
        if c.pointee.tailRequest != 0 { return 0 }
        let window = window(c)
        var waiting = waitingOctets(c)
        if waiting >= window && state.pointee.batchOwner == request.pointee.connection &+ 1 {
            flush()
            let before = waiting
            waiting = waitingOctets(c)
            if waiting == 0 { noteTaken(c, Int(truncatingIfNeeded: before)) }
        }
        return waiting >= window ? 0 : Int(window &- waiting)
    }

    /// `.writable` follows when half of the window is free, which may be so already once the batch is out.
    public func waitForRoom(_ request: UnsafeMutablePointer<Request>) {
        let c = connection(of: request)
        if state.pointee.batchOwner == request.pointee.connection &+ 1 { flush() }
        if c.pointee.fd < 0 { return }
        // Only a connection that the kernel has blocked becomes writable.
        let isFull = c.pointee.tailRequest != 0 || waitingOctets(c) > window(c) / 2
        if c.pointee.flags.contains(.blocked) && isFull {
            request.pointee.wantsRoom = true
        } else {
            makeReady(request, .writable)
        }
    }

    /// Queues content of a response that was begun, framed as its head says. All of it is taken; ask `room` first.
    ///
    /// - Returns: false when it is longer than announced, or nothing can be sent any more.
    public func write(_ request: UnsafeMutablePointer<Request>, _ octets: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let index = request.pointee.connection
        let c = connection(of: request)
        if c.pointee.fd < 0 || request.pointee.isBroken { return false }
        if count == 0 { return true }
        // Nothing follows a file.
        if c.pointee.tailRequest != 0 { return false }
        switch request.pointee.responseState {
        case .bodiless: return true
        case .length:
            if UInt64(count) > request.pointee.responseRemaining { return false }
            request.pointee.responseRemaining &-= UInt64(count)
        case .chunked:
            var line: (UInt64, UInt64, UInt64) = (0, 0, 0)
            withUnsafeMutableBytes(of: &line) {
                guard let base = $0.baseAddress else { return }
                var out = OctetWriter(base.assumingMemoryBound(to: UInt8.self), capacity: 24)
                out.putHex(UInt64(count))
                out.put("\r\n")
                append(index, c, UnsafePointer(out.base), out.count)
            }
        case .untilClose, .tunnel: break
        case .none, .ended: return false
        }
        if count >= 16_384 { appendLarge(index, c, octets, count) } else { append(index, c, octets, count) }
        if request.pointee.responseState == .chunked { append(index, c, OctetRun("\r\n")) }
        return !request.pointee.isBroken && c.pointee.fd >= 0
    }

    /// Lets `count` octets of a file (or of memory that stays as it is) follow as the rest of the content.
    public func writeTail(
        _ request: UnsafeMutablePointer<Request>, file: Int32, memory: UnsafePointer<UInt8>?, offset: UInt64,
        count: UInt64
    ) -> Bool {
        request.pointee.tailMemory = memory
        request.pointee.tailOffset = offset
        return queueTail(request, descriptor: file, isPipe: false, count)
    }

    /// Lets the `count` octets that a pipe holds follow as content, without a copy, and sends what the client takes.
    /// Nothing else may be written while `isSendingPipe`; `waitForRoom` tells when that has changed.
    public func writePipe(_ request: UnsafeMutablePointer<Request>, _ pipe: Int32, _ count: Int) -> Bool {
        request.pointee.tailMemory = nil
        if !queueTail(request, descriptor: pipe, isPipe: true, UInt64(count)) { return false }
        flush()
        return !request.pointee.isBroken
    }

    /// Whether the pipe still holds octets that the client does not take.
    public func isSendingPipe(_ request: UnsafeMutablePointer<Request>) -> Bool {
        connection(of: request).pointee.tailRequest == request.pointee.index &+ 1
    }

    private func queueTail(
        _ request: UnsafeMutablePointer<Request>, descriptor: Int32, isPipe: Bool, _ count: UInt64
    ) -> Bool {
        let c = connection(of: request)
        if c.pointee.fd < 0 || request.pointee.isBroken || c.pointee.tailRequest != 0 { return false }
        switch request.pointee.responseState {
        case .bodiless: return true
        case .length:
            if count > request.pointee.responseRemaining { return false }
            request.pointee.responseRemaining &-= count
        case .untilClose: break
        default: return false
        }
        if count == 0 { return true }
        request.pointee.tailFile = descriptor
        request.pointee.tailIsPipe = isPipe
        request.pointee.tailRemaining = count
        c.pointee.queuedTotal &+= count
        c.pointee.tailRequest = request.pointee.index &+ 1
        // The head may have gone out already; then nobody else flushes for us.
        claimBatch(request.pointee.connection)
        return true
    }

    /// Ends the content. False: it is shorter than announced, and the connection is cut so that the client sees it.
    @discardableResult
    public func end(_ request: UnsafeMutablePointer<Request>) -> Bool {
        let index = request.pointee.connection
        let c = connection(of: request)
        switch request.pointee.responseState {
        case .length where request.pointee.responseRemaining > 0:
            request.pointee.responseState = .ended
            truncate(index, c, request)
            return false
        case .chunked: append(index, c, OctetRun("0\r\n\r\n"))
        case .none: return false
        default: break
        }
        request.pointee.responseState = .ended
        return true
    }

    /// Whether a response has been begun.
    @inlinable @inline(__always)
    public func hasStarted(_ request: UnsafeMutablePointer<Request>) -> Bool { request.pointee.responseState != .none }
    /// Whether it has been ended.
    @inlinable @inline(__always)
    public func hasEnded(_ request: UnsafeMutablePointer<Request>) -> Bool { request.pointee.responseState == .ended }
    /// Whether octets written as content go nowhere (HEAD, 204, 304).
    public func isBodiless(_ request: UnsafeMutablePointer<Request>) -> Bool {
        request.pointee.responseState == .bodiless
    }

    /// Ends a response that cannot be completed: what was queued goes out, then the connection is cut.
    public func breakOff(_ request: UnsafeMutablePointer<Request>) {
        truncate(request.pointee.connection, connection(of: request), request)
    }

    func truncate(_ index: UInt32, _ c: UnsafeMutablePointer<Connection>, _ request: UnsafeMutablePointer<Request>) {
        request.pointee.isBroken = true
        request.pointee.keepsAlive = false
        request.pointee.responseState = .ended
        c.pointee.flags.formUnion([.closeAfterResponse, .truncated])
        if c.pointee.tailRequest == request.pointee.index &+ 1 {
            c.pointee.queuedTotal &-= request.pointee.tailRemaining
            request.pointee.tailRemaining = 0
            c.pointee.tailRequest = 0
            if request.pointee.endPosition > c.pointee.queuedTotal {
                request.pointee.endPosition = c.pointee.queuedTotal
            }
        }
    }

    // MARK: Memory of the request

    /// Octets that live as long as the request, aligned to 16; nil when its arena (32 KiB) is full.
    public func allocate(_ request: UnsafeMutablePointer<Request>, _ size: Int) -> UnsafeMutableRawPointer? {
        let aligned = (size &+ 15) & ~15
        if size < 0 || aligned > Self.arenaBlockSize &- Int(request.pointee.arenaUsed) { return nil }
        if request.pointee.arenaBlock == 0 {
            request.pointee.arenaBlock = state.pointee.arenas.take()
            if request.pointee.arenaBlock == 0 { return nil }
        }
        let memory = state.pointee.arenas.memory(of: request.pointee.arenaBlock) + Int(request.pointee.arenaUsed)
        request.pointee.arenaUsed &+= UInt32(aligned)
        return UnsafeMutableRawPointer(memory)
    }

    /// Octets of field lines that modules may add to a response they do not make. Ours.
    public static let addedFieldsMax = 4096

    /// Adds a field to the response that is not begun yet. Checked by the caller.
    public func addField(_ request: UnsafeMutablePointer<Request>, name: OctetRun, value: OctetRun) -> ResponseFailure?
    {
        if request.pointee.responseState != .none { return .alreadyStarted }
        if request.pointee.addedFields == nil {
            guard let memory = allocate(request, Self.addedFieldsMax) else { return .tooLarge }
            request.pointee.addedFields = memory.assumingMemoryBound(to: UInt8.self)
        }
        guard let memory = request.pointee.addedFields, let nameStart = name.start else { return .tooLarge }
        let used = Int(request.pointee.addedFieldsCount)
        if name.length &+ value.length &+ 4 > Self.addedFieldsMax &- used { return .tooLarge }
        var out = OctetWriter(memory + used, capacity: Self.addedFieldsMax &- used)
        out.put(nameStart, name.length)
        out.put(": ")
        if let valueStart = value.start { out.put(valueStart, value.length) }
        out.put("\r\n")
        request.pointee.addedFieldsCount &+= UInt32(out.count)
        return nil
    }
}
