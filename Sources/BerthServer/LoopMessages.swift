import BerthEventLoop
import BerthListener

/// What the control thread tells a loop, and what a loop tells the control thread.
///
/// Kinds below 16 are the listener's, 16 through 31 the forwarder's.
enum LoopMessage {
    /// `a`: a retained `LoopGeneration`.
    static let install: UInt32 = 64
    /// `a`: a retained `EndpointAddition`.
    static let addEndpoint: UInt32 = 65
    /// `a`: number of the endpoint.
    static let removeEndpoint: UInt32 = 66
    /// Accept no more, finish what is running; `a`: monotonic nanoseconds after which the rest is cut. The first is answered
    /// with `acceptsNoMore`.
    static let stop: UInt32 = 67
    /// `a`: descriptor of the error log, as its bit pattern; `b`: its fields.
    static let errorLogFile: UInt32 = 68
    /// `a`: a retained `TimerChange`.
    static let timers: UInt32 = 69
    /// `a`: a retained `RequestQuestion`; answered with `requestsListed`.
    static let listRequests: UInt32 = 70
    /// No loop accepts any more, so none will be given a connection by another: it may end when it has none.
    static let end: UInt32 = 71
}

enum ControlMessage {
    /// `a`: loop, `b`: number of the generation that this loop has let go of.
    static let retired: UInt32 = 96
    /// `a`: loop. It has ended.
    static let stopped: UInt32 = 97
    /// A module's initialisation has ended.
    static let moduleMade: UInt32 = 98
    /// `a`: number of the application that has requests and no worker, `c`: the worker that refused a connection, or 0.
    static let workerWanted: UInt32 = 99
    /// `c`: the worker that this loop uses no longer.
    static let workerReleased: UInt32 = 100
    /// `a`: the worker, `b`: 1 when it accepted the shutdown message.
    static let shutdownAnswered: UInt32 = 101
    /// `a`: loop, `b`: number of the generation that it serves with from now on.
    static let installed: UInt32 = 102
    /// `a`: a retained `RequestListing`.
    static let requestsListed: UInt32 = 103
    /// A loop has stopped accepting.
    static let acceptsNoMore: UInt32 = 104
}

/// An endpoint on its way to a loop.
final class EndpointAddition: Sendable {
    let number: Int
    let endpoint: ListeningEndpoint

    init(number: Int, endpoint: ListeningEndpoint) {
        self.number = number
        self.endpoint = endpoint
    }
}

/// Timers of the daemon on their way to a loop.
final class TimerChange: Sendable {
    let timers: ListenerTimers

    init(_ timers: ListenerTimers) { self.timers = timers }
}
