import BerthListener
import CBerthSystem

/// A worker process as one loop knows it, in a slot of its application. Loop thread only.
struct WorkerEndpoint: BitwiseCopyable {
    /// 0: the slot is free.
    var id: UInt64
    var endpoint: cberth_endpoint
    /// `MS-ASPNETCORE-TOKEN: …` and its line end, on the heap; 0 octets: none.
    var tokenField: OctetRun
    /// Connections, used and idle.
    var connections: UInt32 = 0
    /// Index + 1 of the connection that was used last, and how many wait behind it.
    var idleFirst: UInt32 = 0
    var idleCount: UInt32 = 0
    /// Published no more: takes no new request, goes when its last connection does.
    var isRetired = false
    /// Refused a connection, or ended one without an answer: others are preferred until it is published again.
    var isSuspect = false

    /// Whether its latest answers were long (0...16): then a head is read alone, and the content left for the pipe.
    var longAnswers: UInt8 = 0

    var isTCP: Bool { endpoint.address.family != 1 }
    var inUse: UInt32 { connections &- idleCount }
}
