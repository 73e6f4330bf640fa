/// Why a request to the control socket failed, as RFC 9457 has it: content of type `application/problem+json`.
public struct ProblemDocument: Codable, Sendable, Equatable, Error {
    /// Stable identifier that scripts may compare: `urn:berth:problem:site-not-found`.
    public var type: String
    /// The same words for every problem of the type.
    public var title: String
    /// The status of the response.
    public var status: Int
    /// What is wrong this time.
    public var detail: String
    /// What the reader can do about it.
    public var nextStep: String?
    /// The place in a configuration file, where there is one.
    public var file: String?
    public var line: Int?
    public var column: Int?
    /// All that is wrong, where it is more than one thing.
    public var diagnostics: [DiagnosticRecord]?
    /// The methods that the resource knows, for the field `Allow` of a 405.
    public var allow: [String]?

    public init(
        _ kind: Kind, detail: String, nextStep: String? = nil, file: String? = nil, line: Int? = nil,
        column: Int? = nil, diagnostics: [DiagnosticRecord]? = nil, allow: [String]? = nil
    ) {
        (self.type, self.title, self.status) = (kind.type, kind.title, kind.status)
        (self.detail, self.nextStep) = (detail, nextStep)
        (self.file, self.line, self.column) = (file, line, column)
        (self.diagnostics, self.allow) = (diagnostics, allow)
    }

    /// The problem that an answer without a problem document stands for (RFC 9457 §4.2.1, `about:blank`).
    init(status: Int) {
        (self.type, self.title, self.status) = ("about:blank", "The daemon answered with the status \(status)", status)
        self.detail = ""
    }

    /// `file:line:column`, as far as they are known; `nil` without a file.
    public var place: String? {
        DiagnosticRecord(severity: .error, file: file, line: line, column: column, message: "").place
    }

    /// `nil` for a type that this build does not know.
    public var kind: Kind? {
        guard type.hasPrefix(Kind.typePrefix) else { return nil }
        return Kind(rawValue: String(type.dropFirst(Kind.typePrefix.count)))
    }
}
