/// Why a worker gave no answer that can be passed on. The client gets 502.3 (ancm §6).
enum ForwardingFailure {
    /// Nobody takes connections at the worker's endpoint.
    case notConnected
    /// The connection ended before the first octet of an answer.
    case noAnswer
    /// It ended inside the head of the answer.
    case brokeOff
    /// The answer is no HTTP/1.x response.
    case invalid
    /// The worker took longer than the request timeout.
    case timedOut
    /// The request's head does not fit into the loop's memory.
    case tooLong
    /// Memory for what a slow worker does not take is used up.
    case noMemory

    /// A sentence for administrators.
    var detail: StaticString {
        switch self {
        case .notConnected: "The worker process does not take connections."
        case .noAnswer: "The worker process closed the connection before it answered."
        case .brokeOff: "The worker process closed the connection in the middle of its answer."
        case .invalid: "The worker's response"
        case .timedOut: "The worker process did not answer within the request timeout."
        case .tooLong: "The request is too long to be passed on."
        case .noMemory: "The memory for requests that worker processes do not take is used up."
        }
    }
}
