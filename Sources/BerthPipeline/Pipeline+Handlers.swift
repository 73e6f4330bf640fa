public import BerthListener
import CBerthModule

/// What a handler that is part of the host uses instead of the module ABI.
extension Pipeline {
    /// Begins a response as `berth_host.start_response` does: the modules of the send-response stage run first. The fields
    /// are the caller's to have checked.
    ///
    /// - Returns: nil, or why not.
    @inline(__always)
    public func startResponse(
        _ request: UnsafeMutablePointer<Request>, _ response: UnsafePointer<ResponseStart>
    ) -> Listener.ResponseFailure? {
        let status = response.pointee.status
        runSendStage(request, status: status, substatus: 0)
        if let failure = listener.start(request, response) { return failure }
        let view = Self.view(of: request)
        view.pointee.status = status
        view.pointee.substatus = 0
        view.pointee.flags |= BERTH_REQUEST_RESPONSE_STARTED.rawValue
        return nil
    }
}
