/// What `POST /v1/check` found. Errors in files are a result, not a failure: the status is 200.
public struct CheckResult: Codable, Sendable, Equatable {
    /// No diagnostic is an error.
    public var isValid: Bool
    public var filesChecked: Int
    public var sitesChecked: Int
    public var diagnostics: [DiagnosticRecord]

    public init(filesChecked: Int, sitesChecked: Int, diagnostics: [DiagnosticRecord]) {
        self.isValid = !diagnostics.contains { $0.severity == .error }
        (self.filesChecked, self.sitesChecked, self.diagnostics) = (filesChecked, sitesChecked, diagnostics)
    }
}
