/// Why a module cannot serve: what a client gets (500.3x), and what an administrator is told.
public struct ModuleFailure: Error, Sendable, Equatable {
    /// The substatus of the 500 answer. Source: ASP.NET Core Module, 500.30 through 500.37.
    public enum Kind: UInt16, Sendable {
        /// Its initialisation failed.
        case initialisationFailed = 30
        /// Missing, not a shared library, of another architecture.
        case notLoadable = 32
        /// No registration function, or one for another version of the ABI.
        case wrongABI = 33
        /// Its initialisation took longer than the startup time limit.
        case initialisationTimedOut = 37
    }

    public let kind: Kind
    /// What failed, where, why, and what to do next.
    public let text: String

    public init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }
}
