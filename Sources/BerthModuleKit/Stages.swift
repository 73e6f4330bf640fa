internal import CBerthModule

/// A stage of a request, numbered as in the ABI.
@frozen
public enum Stage: Int32, Sendable {
    case begin = 0
    case authenticate = 1
    case authorize = 2
    case mapHandler = 4
    case execute = 7
    /// Always runs, whatever finished the request.
    case log = 10
    /// Always runs, last: where memory of the request is let go.
    case end = 11
    /// The head of the response is about to be encoded; fields may still be added.
    case sendResponse = 12
    /// A piece of the request content is about to be handed to the handler.
    case readEntity = 13
}

/// The stages in which a module wants to be called.
public struct Stages: OptionSet, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    private init(_ stage: Stage) { rawValue = 1 << UInt32(stage.rawValue) }

    public static let begin = Stages(.begin)
    public static let authenticate = Stages(.authenticate)
    public static let authorize = Stages(.authorize)
    public static let mapHandler = Stages(.mapHandler)
    public static let execute = Stages(.execute)
    public static let log = Stages(.log)
    public static let end = Stages(.end)
    public static let sendResponse = Stages(.sendResponse)
    public static let readEntity = Stages(.readEntity)
    /// Not a stage: `tick` is wanted.
    public static let tick = Stages(rawValue: 1 << 31)

    func contains(_ stage: Stage) -> Bool { contains(Stages(stage)) }
}

/// Why `resume` is called.
@frozen
public enum Event: Sendable {
    /// Request content is there.
    case readable
    /// The window of the response is open again.
    case writable
    /// `Completion.complete` was called with this value.
    case completed(Int64)
    /// The function given to `runBlocking` has returned this value.
    case blockingDone(Int64)
    /// The client has left while the request was pending: finish soon, nothing can be sent.
    case clientGone

    @usableFromInline
    init(_ event: UInt32, _ value: Int64) {
        switch event {
        case UInt32(BERTH_EVENT_READABLE): self = .readable
        case UInt32(BERTH_EVENT_WRITABLE): self = .writable
        case UInt32(BERTH_EVENT_COMPLETED): self = .completed(value)
        case UInt32(BERTH_EVENT_BLOCKING_DONE): self = .blockingDone(value)
        default: self = .clientGone
        }
    }
}
