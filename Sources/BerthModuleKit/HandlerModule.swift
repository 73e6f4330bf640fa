internal import CBerthModule

/// A module: what the author of an in-process application writes.
///
/// One value is made for each loop of the host ("context" in the ABI). It is never called by two threads at once, so its
/// methods may change it and need no lock; the thread it is called on may differ from call to call. What all loops
/// share is `Shared`, made once for each application ("instance" in the ABI).
///
/// The methods are called on a loop: they must not block. What takes longer goes to `Request.runBlocking`, or to a
/// thread of the module's own that wakes the request through `Request.completion`.
///
/// A trap (an array index out of range, an overflow) ends the process the module is loaded into. See docs/modules.md.
public protocol HandlerModule: SendableMetatype, ~Copyable {
    /// What all loops share. Left out, it is the settings themselves.
    associatedtype Shared: Sendable = Settings

    /// The name of the module in logs.
    static var name: StaticString { get }
    /// The version of the module in logs. "1.0" when left out.
    static var version: StaticString { get }
    /// The stages in which the host calls the module. `[.execute]` when left out.
    static var stages: Stages { get }

    /// Makes what all loops share. Off the loops; may block, under the application's `startup_time_limit`.
    ///
    /// A failure is answered 500.30, its text is shown to the administrator.
    static func start(_ settings: Settings) throws(ModuleFailure) -> Shared

    /// Makes the module of one loop. Off the loops.
    init(shared: Shared, loop: Int) throws(ModuleFailure)

    /// Produces the response: the execute stage.
    mutating func handle(_ request: Request) -> Outcome
    /// Goes on with a request that was left `.pending`. Its answer stands for the answer of the stage that waited.
    mutating func resume(_ request: Request, _ event: Event) -> Outcome
    /// Called in every other stage that `stages` names.
    mutating func run(_ stage: Stage, _ request: Request) -> Outcome
    /// Called about once a second. Only when `stages` holds `.tick`.
    mutating func tick(wallSeconds: Int64)
}

extension HandlerModule where Self: ~Copyable {
    public static var version: StaticString { "1.0" }
    public static var stages: Stages { .execute }
    @inlinable public mutating func handle(_ request: Request) -> Outcome { .continue }
    @inlinable public mutating func resume(_ request: Request, _ event: Event) -> Outcome { .error }
    @inlinable public mutating func run(_ stage: Stage, _ request: Request) -> Outcome { .continue }
    @inlinable public mutating func tick(wallSeconds: Int64) {}
}

extension HandlerModule where Self: ~Copyable, Shared == Settings {
    public static func start(_ settings: Settings) throws(ModuleFailure) -> Settings { settings }
}

/// What a method of a module answers.
@frozen
public enum Outcome: Int32, Sendable {
    /// On to the next module or stage. From `handle`: the response is complete.
    case `continue` = 0
    /// The module waits; the host calls `resume` later.
    case pending = 1
    /// No further stages but log and end; the response is what was started so far.
    case finish = 2
    /// The host answers 500, or cuts the response when it has begun.
    case error = -1
}

/// Why a module cannot start, for an administrator.
public struct ModuleFailure: Error {
    public let text: String

    public init(_ text: String) { self.text = text }
}
