import BerthListener
import CBerthModule

/// What the pipeline keeps behind each request of the listener: what modules see of it, and how far it is.
public struct RequestContext {
    enum Phase {
        /// The listener's own answer; no module sees it.
        static let none: UInt8 = 0
        static let running: UInt8 = 1
        /// A module waits for an event.
        static let pending: UInt8 = 2
        /// Handed back to the listener.
        static let finished: UInt8 = 3
    }

    /// First, so that a module's pointer names the context as well.
    var view: berth_request
    var pipeline: Pipeline
    var chain: UnsafePointer<ModuleChain>
    /// Index of the entry that runs or waits.
    var position: Int32
    /// Whose call this is.
    var module: UInt32
    /// What `set_status` said, for an answer that the host makes.
    var status: UInt16
    var substatus: UInt16
    var reasonLength: UInt16
    /// Modules of the send-response stage run; none of them begins a response.
    var isSending: Bool
    /// When the module that waits began to, in nanoseconds.
    var waitingSince: UInt64
    /// In the request's arena.
    var reason: UnsafePointer<UInt8>?
    /// The handler's own state (a forwarded request's), reset with the request.
    public var handlerState: UInt64
    var slots: InlineArray<16, UnsafeMutableRawPointer?>
}
