/// The request stages in their order, numbered as in the module ABI (and IIS' request notifications).
public enum PipelineStage: Int, CaseIterable, Sendable {
    case beginRequest = 0
    case authenticateRequest = 1
    case authorizeRequest = 2
    case mapRequestHandler = 4
    case executeRequestHandler = 7
    /// These two always run, whatever ended the request.
    case logRequest = 10
    case endRequest = 11
    /// These two at any time.
    case sendResponse = 12
    case readEntity = 13

    /// Those that run one after the other until a module finishes the request.
    public static let deterministic: [PipelineStage] = [
        .beginRequest, .authenticateRequest, .authorizeRequest, .mapRequestHandler, .executeRequestHandler,
    ]
}
