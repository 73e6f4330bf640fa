import CBerthSystem

/// The request queue of one application pool: its state, and the exact number of requests that wait in it, over all loops.
///
/// It lives outside the configuration snapshots, known by the pool's name. A request that runs straight through only reads
/// the state; one that has to wait is counted. Any thread.
/// Source: HTTP.sys request queues (length 10...65535, default 1000), 503 reasons.
public struct RequestQueue: @unchecked Sendable, BitwiseCopyable {
    /// Whether the pool takes requests, and if not, why: the HTTPERR reason.
    public enum State: UInt64, Sendable {
        case started = 0
        /// An administrator stopped the pool.
        case disabled
        /// Rapid-fail protection stopped it.
        case appOffline
        /// It stopped itself by policy.
        case appShutdown
        /// No worker can be had; the site is stopped, or its configuration is refused and nothing older runs.
        case unavailable

        /// As HTTPERR writes it.
        public var reason: StaticString {
            switch self {
            case .started, .unavailable: "N/A"
            case .disabled: "Disabled"
            case .appOffline: "AppOffline"
            case .appShutdown: "AppShutdown"
            }
        }
    }

    /// What a client sees of a 503 that this queue makes. Source: HTTP.sys 503 response verbosity.
    public enum Verbosity: UInt64, Sendable {
        /// 503 with its standard phrase. IIS' default.
        case limited = 0
        /// Nothing: the connection is closed (HTTP.sys' own default; IIS `loadBalancerCapabilities` TcpLevel).
        case basic
        /// 503 with a phrase that says why.
        case full
    }

    /// IIS `queueLength`.
    public static let lengthDefault: UInt64 = 1000

    private struct Words {
        var state: UInt64 = 0
        var lengthMax: UInt64 = RequestQueue.lengthDefault
        /// Of `Verbosity`.
        var verbosity: UInt64 = 0
        var name: UnsafeMutablePointer<UInt8>
        var nameLength: Int
        var reserved: (UInt64, UInt64, UInt64) = (0, 0, 0)
        // The next cache line: written by loops.
        var waiting: UInt64 = 0
        var refused: UInt64 = 0
    }

    private let words: UnsafeMutablePointer<Words>

    /// A queue that lives as long as the process.
    public init(name: String, lengthMax: UInt64) {
        let octets = Array(name.utf8)
        let text = UnsafeMutablePointer<UInt8>.allocate(capacity: max(octets.count, 1))
        for (i, octet) in octets.enumerated() { text[i] = octet }
        words = .allocate(capacity: 1)
        words.initialize(to: Words(lengthMax: lengthMax, name: text, nameLength: octets.count))
    }

    public var name: OctetRun { OctetRun(words.pointee.name, words.pointee.nameLength) }

    @inline(__always)
    public var isStarted: Bool { cberth_atomic_load_relaxed(&words.pointee.state) == 0 }

    public var state: State {
        get { State(rawValue: cberth_atomic_load(&words.pointee.state)) ?? .unavailable }
        nonmutating set { cberth_atomic_store(&words.pointee.state, newValue.rawValue) }
    }

    public var lengthMax: UInt64 {
        get { cberth_atomic_load(&words.pointee.lengthMax) }
        nonmutating set { cberth_atomic_store(&words.pointee.lengthMax, newValue) }
    }

    public var verbosity: Verbosity {
        get { Verbosity(rawValue: cberth_atomic_load(&words.pointee.verbosity)) ?? .limited }
        nonmutating set { cberth_atomic_store(&words.pointee.verbosity, newValue.rawValue) }
    }

    /// Requests that wait now.
    public var waiting: UInt64 { cberth_atomic_load(&words.pointee.waiting) }
    /// Requests refused because the queue was full, since the start.
    public var refused: UInt64 { cberth_atomic_load(&words.pointee.refused) }

    /// Counts a request that has to wait; false when the queue is full (503 QueueFull).
    public func enter() -> Bool {
        if cberth_atomic_add(&words.pointee.waiting, 1) <= lengthMax { return true }
        _ = cberth_atomic_subtract(&words.pointee.waiting, 1)
        _ = cberth_atomic_add(&words.pointee.refused, 1)
        return false
    }

    /// The request waits no longer, whatever became of it.
    public func leave() { _ = cberth_atomic_subtract(&words.pointee.waiting, 1) }
}
