import BerthEventLoop
import BerthListener
import CBerthSystem

/// The requests that run, for an administrator. Not on the way of a request.
extension Pipeline {
    /// The requests of this loop that are with its modules or on their way to the client, the oldest first.
    ///
    /// - Parameters:
    ///   - site: only those of this site; nil: of all.
    ///   - elapsedMin: only those that have run so many milliseconds.
    ///   - limit: how many at most.
    /// - Returns: the requests, and whether there are more.
    ///
    /// Cost: some nanoseconds for each slot in use, some microseconds for each request listed.
    public func runningRequests(
        site: String?, elapsedMin: UInt64, limit: Int
    ) -> (requests: [RunningRequest], isTruncated: Bool) {
        let now = listener.loop.now
        var found: [UnsafeMutablePointer<Request>] = []
        listener.forEachRequest { request in
            let phase = request.pointee.phase
            guard phase == RequestContext.Phase.pending || phase == RequestContext.Phase.finished,
                request.pointee.receivedAt.milliseconds(until: now) >= elapsedMin
            else { return }
            if let site, Self.siteName(of: request) != site { return }
            found.append(request)
        }
        if found.count > limit {
            found.sort { $0.pointee.receivedAt < $1.pointee.receivedAt }
            return (found.prefix(limit).map { describe($0, now) }, true)
        }
        let requests = found.map { describe($0, now) }
        return (requests.sorted { $0.elapsedMilliseconds > $1.elapsedMilliseconds }, false)
    }

    private static func siteName(of request: UnsafeMutablePointer<Request>) -> String {
        let chain = context(of: request).pointee.chain
        return String(
            decoding: UnsafeBufferPointer(start: chain.pointee.siteName, count: chain.pointee.siteNameLength),
            as: UTF8.self)
    }

    private func describe(_ request: UnsafeMutablePointer<Request>, _ now: MonotonicInstant) -> RunningRequest {
        let context = Self.context(of: request)
        let head = request.pointee.head
        let base = request.pointee.headStart
        let (local, remote) = listener.addresses(request)
        let elapsed = request.pointee.receivedAt.milliseconds(until: now)
        var place = RunningRequest.Place.sending
        var waited = elapsed
        var module: String?
        if request.pointee.phase == RequestContext.Phase.pending {
            let chain = context.pointee.chain
            place =
                request.pointee.isQueued
                ? .queued : .stage(chain.pointee.stage(of: Int(context.pointee.position)) ?? .executeRequestHandler)
            waited = MonotonicInstant(nanoseconds: context.pointee.waitingSince).milliseconds(until: now)
            module = chain.pointee.moduleName(context.pointee.module)
        }
        return RunningRequest(
            id: request.pointee.id, connection: listener.connectionNumber(of: request),
            method: text(base + Int(head.methodOffset), Int(head.methodLength)),
            url: text(base + Int(head.targetOffset), Int(head.targetLength)),
            host: text(base + Int(head.hostOffset), Int(head.hostLength)), site: Self.siteName(of: request),
            siteID: request.pointee.target?.pointee.siteID ?? 0,
            pool: request.pointee.target.map { text($0.pointee.queue.name) } ?? "", localAddress: text(local),
            localPort: local.pointee.port, clientAddress: text(remote), elapsedMilliseconds: elapsed, place: place,
            placeMilliseconds: waited, module: module)
    }

    private func text(_ start: UnsafePointer<UInt8>, _ count: Int) -> String {
        String(decoding: UnsafeBufferPointer(start: start, count: min(count, RunningRequest.textMax)), as: UTF8.self)
    }

    private func text(_ run: OctetRun) -> String {
        guard let start = run.start else { return "" }
        return text(start, run.length)
    }

    private func text(_ address: UnsafePointer<cberth_address>) -> String {
        if address.pointee.family == 1 { return "unix" }
        var octets = [CChar](repeating: 0, count: 64)
        let length = Int(cberth_address_format(address, &octets, octets.count))
        return String(decoding: octets.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
