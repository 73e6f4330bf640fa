/// An application that is a handler module, loaded by the host.
public struct InProcessSettings: Sendable, Hashable {
    public enum Isolation: String, Sendable, CaseIterable {
        /// In a process of its pool. Not available yet.
        case pool
        /// In the daemon itself: fastest, and a module that crashes takes the daemon with it.
        case none
    }

    /// The shared library, absolute.
    public var module: String
    public var isolation: Isolation
    /// Handed to the module as it is, at most 64 KiB.
    public var configuration: String

    public init(module: String, isolation: Isolation, configuration: String = "") {
        self.module = module
        self.isolation = isolation
        self.configuration = configuration
    }
}
