import BerthListener
import CBerthModule

/// Handlers for what cannot be served by the real one (yet): a module that failed, a module that is still being made.
public enum FixedHandler {
    /// What a failed application answers; lives as long as the chains that name it.
    private struct Answer {
        var status: UInt16
        var substatus: UInt16
        var text: UnsafeMutablePointer<UInt8>
        var length: Int
    }

    /// Answers every request with `status`.`substatus` and, for callers on this machine, the reason.
    ///
    /// The memory is kept for the life of the process: there is one for each failure, not for each request.
    public static func failing(status: UInt16, substatus: UInt16, reason: String, module: UInt32) -> ChainEntry {
        let octets = Array(reason.utf8.prefix(1024))
        let text = UnsafeMutablePointer<UInt8>.allocate(capacity: max(octets.count, 1))
        for (i, octet) in octets.enumerated() { text[i] = octet }
        let answer = UnsafeMutablePointer<Answer>.allocate(capacity: 1)
        answer.initialize(to: Answer(status: status, substatus: substatus, text: text, length: octets.count))
        return ChainEntry(
            function: { context, view in
                guard let answer = context?.assumingMemoryBound(to: Answer.self) else { return BERTH_ERROR.result }
                let host = HostCallTable.table
                return host.pointee.set_status(
                    view, answer.pointee.status, answer.pointee.substatus,
                    berth_octets(start: answer.pointee.text, count: UInt64(answer.pointee.length))) == 0
                    ? BERTH_FINISH.result : BERTH_ERROR.result
            }, resumed: nil, context: answer, module: module)
    }

    /// Parks every request until the next snapshot, in which the application is ready or has failed.
    public static func parking(module: UInt32) -> ChainEntry {
        ChainEntry(
            function: { _, view in
                let request = Pipeline.request(of: view)
                let pipeline = Pipeline.context(of: view).pointee.pipeline
                guard let target = request.pointee.target, target.pointee.queue.enter() else {
                    pipeline.listener.refuseUnavailable(request, reason: "QueueFull")
                    return BERTH_PENDING.result
                }
                pipeline.park(request)
                return BERTH_PENDING.result
            },
            resumed: { _, view, event, _ in
                // Only a client that left comes here; the rest is routed again.
                let request = Pipeline.request(of: view)
                if event == BERTH_EVENT_CLIENT_GONE.event {
                    Pipeline.context(of: view).pointee.pipeline.unpark(request)
                    return BERTH_FINISH.result
                }
                return BERTH_PENDING.result
            }, context: nil, module: module)
    }

    /// Checks that authentication has found somebody, be it an anonymous caller: 401.2 otherwise. Last of its stage.
    public static func requiringUser(module: UInt32) -> ChainEntry {
        ChainEntry(
            function: { _, view in
                if view.pointee.authentication_type.count > 0 { return BERTH_CONTINUE.result }
                _ = HostCallTable.table.pointee.set_status(view, 401, 2, berth_octets(start: nil, count: 0))
                return BERTH_FINISH.result
            }, resumed: nil, context: nil, module: module)
    }
}
