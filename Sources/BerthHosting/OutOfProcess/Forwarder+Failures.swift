import BerthHTTP
import BerthListener
import BerthPipeline
import CBerthSystem
import Glibc

/// How exchanges end that cannot end well (ancm §6).
extension Forwarder {
    // MARK: The worker's fault

    /// 502.3, or a visible end when the response has begun.
    ///
    /// - Parameters:
    ///   - code: errno, 0: none.
    ///   - detail: what is wrong with an invalid response, as a clause.
    func fail(
        _ x: UnsafeMutablePointer<Exchange>, _ failure: ForwardingFailure, code: Int32 = 0, detail: StaticString = ""
    ) -> Int32 {
        let request = x.pointee.request
        if state.pointee.listener.hasStarted(request) { return breakOff(x) }
        x.pointee.application.count(.failures)
        passTurnOn(x)
        abandonConnection(x, reset: true)
        free(x)
        request.pointee.errorNumber = failure == .timedOut ? ETIMEDOUT : code
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 512) { text in
            guard let start = text.baseAddress else { return }
            var out = OctetWriter(start, capacity: 512)
            out.put(failure.detail)
            if detail.utf8CodeUnitCount > 0 {
                out.put(" ")
                out.put(detail)
                out.put(".")
            }
            if code != 0, let reason = strerror(code) {
                out.put(" (")
                reason.withMemoryRebound(to: UInt8.self, capacity: 1) { out.put($0, strlen(reason)) }
                out.put(")")
            }
            state.pointee.pipeline.sendErrorPage(
                request, status: 502, substatus: 3, reason: OctetRun(start, out.count))
        }
        return Self.finish
    }

    /// Nobody takes connections there, so nothing of the request was sent: another worker may have it. A worker of ours that
    /// refuses is dying, and one that somebody else runs is away.
    func connectionRefused(
        _ x: UnsafeMutablePointer<Exchange>, _ worker: UnsafeMutablePointer<WorkerEndpoint>, code: Int32
    ) -> Int32 {
        let a = x.pointee.application
        if !a.pointee.isManaged { return fail(x, .notConnected, code: code) }
        worker.pointee.isSuspect = true
        if let other = pick(a), a.pointee.workers?[other].isSuspect == false { return attempt(x) }
        if x.pointee.flags.contains(.refused) { return fail(x, .notConnected, code: code) }
        x.pointee.flags.insert(.refused)
        return doubt(x, worker, code: code)
    }

    /// A kept connection ended before the first octet of an answer: the request goes out once more on a fresh one when that
    /// cannot do harm (RFC 9112 §9.3.1, RFC 9110 §9.2.2).
    func keptConnectionDied(
        _ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>, code: Int32
    ) -> Int32 {
        // Not one octet of it was taken when sending the head failed.
        let wasSent = x.pointee.state != .connecting
        let mayRepeat =
            !x.pointee.flags.contains(.repeated) && !x.pointee.flags.contains(.contentTaken)
            && (!wasSent || isRepeatable(x))
        if !mayRepeat { return fail(x, .noAnswer, code: code) }
        if wasSent { x.pointee.failedWorker = worker(of: c).pointee.id }
        takeBack(x)
        x.pointee.application.count(.repeated)
        return attempt(x)
    }

    /// A connection was made, took the request, and ended without an answer. Where its worker has died the next one gets the
    /// request, if that cannot do harm; a worker that lives has answered in its way.
    func noAnswer(
        _ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>, code: Int32
    ) -> Int32 {
        let worker = worker(of: c)
        let failed = x.pointee.failedWorker
        if !x.pointee.application.pointee.isManaged || x.pointee.flags.contains(.contentTaken) || !isRepeatable(x)
            || failed != 0 && failed != worker.pointee.id
        {
            return fail(x, .noAnswer, code: code)
        }
        let id = worker.pointee.id
        takeBack(x)
        // Giving its connection back may have let go of the worker, when that was on its way out.
        guard let worker = find(x.pointee.application, id: id) else {
            x.pointee.failedWorker = id
            x.pointee.application.count(.repeated)
            return attempt(x)
        }
        return doubt(x, worker, code: code)
    }

    /// Makes the exchange one that was never sent, on a fresh connection from now on.
    private func takeBack(_ x: UnsafeMutablePointer<Exchange>) {
        abandonConnection(x, reset: false)
        dropUnsent(x)
        dropHead(x)
        x.pointee.flags.insert(.repeated)
        x.pointee.flags.remove([.waitsForClient, .waitsForRoom])
        x.pointee.head = ResponseHead()
        x.pointee.state = .waiting
    }

    /// Whether the request may be sent twice: its method is idempotent (RFC 9110 §9.2.2).
    @inline(__always)
    func isRepeatable(_ x: UnsafeMutablePointer<Exchange>) -> Bool {
        switch x.pointee.request.pointee.head.method {
        case .get, .head, .put, .delete, .options, .propfind, .search: true
        default: false
        }
    }

    /// The response has begun and cannot be completed: the client sees that it was cut.
    func breakOff(_ x: UnsafeMutablePointer<Exchange>) -> Int32 {
        let request = x.pointee.request
        x.pointee.application.count(.failures)
        abandonConnection(x, reset: true)
        free(x)
        state.pointee.listener.breakOff(request)
        return Self.finish
    }

    /// The worker could not be started: the page that says why, to those who may know, or nothing at all.
    func answerStartFailure(_ x: UnsafeMutablePointer<Exchange>) -> Int32 {
        let (request, a) = (x.pointee.request, x.pointee.application)
        a.count(.failures)
        free(x)
        if !a.pointee.disablesStartUpErrorPage {
            state.pointee.pipeline.sendErrorPage(request, status: 502, substatus: 5, reason: a.pointee.failure)
            return Self.finish
        }
        request.pointee.substatus = 3
        var response = ResponseStart(status: 502, contentLength: 0)
        if state.pointee.pipeline.startResponse(request, &response) == nil { state.pointee.listener.end(request) }
        return Self.finish
    }

    /// The application has taken itself down and says so (`app_offline.htm`, ancm §9.1).
    func answerOffline(
        _ request: UnsafeMutablePointer<Request>, _ a: UnsafeMutablePointer<ForwardingApplication>
    ) -> Int32 {
        let page = a.pointee.offlinePage
        var field = ResponseField(name: OctetRun("Content-Type"), value: OctetRun("text/html"))
        withUnsafePointer(to: &field) {
            var response = ResponseStart(status: 503, contentLength: Int64(page.length))
            response.fields = $0
            response.fieldCount = 1
            if state.pointee.pipeline.startResponse(request, &response) == nil {
                if let octets = page.start, page.length > 0 {
                    _ = state.pointee.listener.write(request, octets, page.length)
                }
                state.pointee.listener.end(request)
            }
        }
        return Self.finish
    }

    /// Whether an OPTIONS request ends here because its Max-Forwards is 0 (RFC 9110 §7.6.2).
    @inline(__always)
    func isLast(_ request: UnsafeMutablePointer<Request>) -> Bool {
        request.pointee.head.method == .options
            && MaxForwards.value(request.pointee.head, request.pointee.headStart, request.pointee.fields) == 0
    }

    /// 200 without content: all that can be said about a resource whose worker must not be asked (RFC 9110 §9.3.7).
    func answerAsLast(_ request: UnsafeMutablePointer<Request>) -> Int32 {
        var response = ResponseStart(status: 200, contentLength: 0)
        if state.pointee.pipeline.startResponse(request, &response) == nil { state.pointee.listener.end(request) }
        return Self.finish
    }

    /// 503 as HTTP.sys makes it, with its reason in the error log.
    func refuse(_ x: UnsafeMutablePointer<Exchange>, reason: StaticString) -> Int32 {
        let request = x.pointee.request
        x.pointee.application.count(.failures)
        free(x)
        state.pointee.listener.refuseUnavailable(request, reason: reason)
        return Self.pending
    }

    // MARK: The client's

    /// The client has left: the worker learns it at once.
    func clientGone(_ x: UnsafeMutablePointer<Exchange>) -> Int32 {
        let request = x.pointee.request
        passTurnOn(x)
        abandonConnection(x, reset: true)
        free(x)
        // What logs show for a request that nobody waited for. Source: ANCM.
        if request.pointee.status == 0 { request.pointee.status = 400 }
        state.pointee.listener.breakOff(request)
        return Self.finish
    }

    /// Content did not come as announced. The worker never sees the end of it, so it cannot take it for a whole request.
    func contentFailed(_ x: UnsafeMutablePointer<Exchange>, _ failure: ContentOutcome.Failure) -> Int32 {
        let request = x.pointee.request
        if failure == .gone || state.pointee.listener.hasStarted(request) { return clientGone(x) }
        abandonConnection(x, reset: true)
        free(x)
        switch failure {
        case .tooLarge:
            state.pointee.pipeline.sendErrorPage(request, status: 413, substatus: 1, reason: .none)
        case .malformed:
            state.pointee.pipeline.sendErrorPage(request, status: 400, substatus: 0, reason: .none)
        case .gone, .timedOut:
            // The listener's timer has logged it; HTTP.sys closes without a word.
            state.pointee.listener.breakOff(request)
        }
        return Self.finish
    }
}
