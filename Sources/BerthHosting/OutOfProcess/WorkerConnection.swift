import BerthEventLoop

/// One connection to a worker. Edge-triggered, registered once; it holds no memory but this. Loop thread only.
struct WorkerConnection: SlabElement {
    struct Flags: OptionSet, BitwiseCopyable {
        let rawValue: UInt16
        /// Octets, or an end, may be there to be read.
        static let readable = Flags(rawValue: 1)
        /// The worker has ended its side.
        static let peerFinished = Flags(rawValue: 2)
        /// The kernel took no more octets; waits to be writable.
        static let blocked = Flags(rawValue: 4)
        /// Octets were sent on it: it is connected.
        static let established = Flags(rawValue: 8)
        /// Carried an exchange before this one.
        static let reused = Flags(rawValue: 16)
        /// Was seen to be silent and open just before it was used again.
        static let probed = Flags(rawValue: 32)
        /// What there is to read was there before the request was sent.
        static let unsolicited = Flags(rawValue: 64)
        /// The worker has taken longer than the request timeout.
        static let timedOut = Flags(rawValue: 128)
        /// Has small buffers at both ends.
        static let lean = Flags(rawValue: 256)
    }

    var generation: UInt32 = 0
    var fd: Int32 = -1
    /// Events asked for, as registered.
    var interest: UInt32 = 0
    /// Index + 1 of the exchange it carries; 0: idle.
    var exchange: UInt32 = 0
    /// Index + 1, in the list of idle connections of its endpoint.
    var nextIdle: UInt32 = 0
    var previousIdle: UInt32 = 0
    /// Slot of the worker in its application.
    var endpoint: UInt16 = 0
    var flags: Flags = []
    var application: UnsafeMutablePointer<ForwardingApplication>
    /// One timer for the whole life: it is moved only when it would fire too late, and looks at `deadline` when it fires.
    var timer = TimerID.none
    var timerDue: UInt64 = .max
    var deadline: UInt64 = .max
    /// The turn of the loop in which it was given to its exchange.
    var takenAt: UInt64 = 0
}
