import BerthConfiguration
import BerthControl

extension DiagnosticRecord {
    init(_ diagnostic: ConfigurationDiagnostic) {
        let location = diagnostic.location
        let isPlace = location.line > 0
        self.init(
            severity: diagnostic.severity == .error ? .error : .warning, kind: diagnostic.kind.rawValue,
            file: location.file, line: isPlace ? location.line : nil, column: isPlace ? location.column : nil,
            message: diagnostic.message, hint: diagnostic.advice, sourceLine: diagnostic.sourceLine)
    }
}
