/// One native or handler module: `GET /v1/modules`.
public struct ModuleRecord: Codable, Sendable, Equatable {
    public enum Kind: String, WireChoice {
        /// Takes part in the stages of the pipeline.
        case native
        /// Produces the response of an in-process application.
        case handler
        case unknown
    }

    public var name: String
    public var kind: Kind
    /// The file it was loaded from; `nil` for one that is built in.
    public var file: String?
    /// The version of the module ABI it was built for.
    public var abiVersion: UInt32?
    /// The stages it takes part in: `authenticateRequest`.
    public var stages: [String]
    /// Who uses it, as `SITE` or `SITE/PATH`.
    public var usedBy: [String]
    /// The file was replaced on disk; what runs is the old one until the next process.
    public var isOutdated: Bool
    /// Why it could not be loaded or started.
    public var failure: FailureRecord?

    public init(
        name: String, kind: Kind, file: String? = nil, abiVersion: UInt32? = nil, stages: [String] = [],
        usedBy: [String] = [], isOutdated: Bool = false, failure: FailureRecord? = nil
    ) {
        (self.name, self.kind, self.file, self.abiVersion) = (name, kind, file, abiVersion)
        (self.stages, self.usedBy, self.isOutdated, self.failure) = (stages, usedBy, isOutdated, failure)
    }
}
