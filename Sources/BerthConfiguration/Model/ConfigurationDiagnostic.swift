/// One thing that is wrong, or strange, in the configuration: where, what, and what to write instead.
public struct ConfigurationDiagnostic: Sendable, Hashable {
    public enum Severity: String, Sendable { case error, warning }

    /// What kind of mistake it is: a stable word for programs, in problem documents and in tests.
    public enum Kind: String, Sendable, CaseIterable {
        case unreadable = "unreadable"
        case fileTooLarge = "file-too-large"
        case tooManyFiles = "too-many-files"
        case syntax = "syntax"
        case schema = "schema"
        case unknownKey = "unknown-key"
        case unknownModule = "unknown-module"
        case missing = "missing"
        case wrongType = "wrong-type"
        case wrongValue = "wrong-value"
        case outOfRange = "out-of-range"
        case unitMissing = "unit-missing"
        case invalidName = "invalid-name"
        case invalidBinding = "invalid-binding"
        case schemeNotAvailable = "scheme-not-available"
        case bindingConflict = "binding-conflict"
        case portConflict = "port-conflict"
        case reserved = "reserved"
        case duplicate = "duplicate"
        case conflictingKeys = "conflicting-keys"
        case notAvailable = "not-available"
        case webConfig = "web-config"
        case unused = "unused"
    }

    public let severity: Severity
    public let kind: Kind
    public let location: SourceLocation
    /// What is wrong, without a full stop.
    public let message: String
    /// What to write or do instead, without a full stop.
    public let advice: String?
    /// The line of the file that `location` points at, where it is known.
    public let sourceLine: String?

    public init(
        _ severity: Severity, _ kind: Kind, at location: SourceLocation, _ message: String, advice: String? = nil,
        sourceLine: String? = nil
    ) {
        self.severity = severity
        self.kind = kind
        self.location = location
        self.message = message
        self.advice = advice
        self.sourceLine = sourceLine
    }
}
