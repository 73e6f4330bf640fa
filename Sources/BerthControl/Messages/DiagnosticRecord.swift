/// One thing that is wrong with a configuration file, with its place and what to write instead.
public struct DiagnosticRecord: Codable, Sendable, Hashable {
    public enum Severity: String, WireChoice {
        /// The site that the file describes cannot be served as written.
        case error
        /// Something else than written is done, or nothing.
        case warning
        /// Belongs to the diagnostic before it: the other place of a conflict.
        case note
        case unknown
    }

    public var severity: Severity
    /// What kind of mistake it is, in one stable word that scripts may compare: `unknown-key`.
    public var kind: String?
    /// The path of the file; `nil` where the fault lies in no file (a port that is taken).
    public var file: String?
    /// Counted from 1.
    public var line: Int?
    /// Counted from 1, in Unicode scalars, as editors do.
    public var column: Int?
    /// What is wrong.
    public var message: String
    /// What to write or do instead.
    public var hint: String?
    /// The line of the file that `line` names, without its end, for showing a caret below `column`.
    public var sourceLine: String?

    public init(
        severity: Severity, kind: String? = nil, file: String? = nil, line: Int? = nil, column: Int? = nil,
        message: String,
        hint: String? = nil, sourceLine: String? = nil
    ) {
        (self.severity, self.kind, self.file, self.line, self.column) = (severity, kind, file, line, column)
        (self.message, self.hint, self.sourceLine) = (message, hint, sourceLine)
    }

    /// `file:line:column`, as far as they are known, the way compilers write it; `nil` without a file.
    public var place: String? {
        guard let file else { return nil }
        guard let line else { return file }
        guard let column else { return "\(file):\(line)" }
        return "\(file):\(line):\(column)"
    }
}
