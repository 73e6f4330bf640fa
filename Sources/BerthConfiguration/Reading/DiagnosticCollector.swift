/// Gathers what is wrong with one scope (the daemon's file, or one site) while it is read.
///
/// Owned by the load that made it, used on its thread only.
final class DiagnosticCollector {
    /// Diagnostics kept of one scope; the rest is counted, not kept.
    static let diagnosticsMax = 200

    private(set) var diagnostics: [ConfigurationDiagnostic] = []
    private(set) var hasErrors = false
    private var texts: [String: [UInt8]] = [:]

    /// Makes the lines of a file available to what is reported about it.
    func add(text: [UInt8], of file: String) { texts[file] = text }

    func error(
        _ kind: ConfigurationDiagnostic.Kind, at location: SourceLocation, _ message: String, _ advice: String? = nil
    ) {
        report(.error, kind, location, message, advice)
    }

    func warning(
        _ kind: ConfigurationDiagnostic.Kind, at location: SourceLocation, _ message: String, _ advice: String? = nil
    ) {
        report(.warning, kind, location, message, advice)
    }

    private func report(
        _ severity: ConfigurationDiagnostic.Severity, _ kind: ConfigurationDiagnostic.Kind, _ location: SourceLocation,
        _ message: String, _ advice: String?
    ) {
        if severity == .error { hasErrors = true }
        guard diagnostics.count < Self.diagnosticsMax else { return }
        let diagnostic = ConfigurationDiagnostic(
            severity, kind, at: location, message, advice: advice, sourceLine: line(at: location))
        // Two readers may look at one key (`enabled` of a module that logs); it is wrong once.
        if !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
    }

    /// Without its end; nil where the text is not known. O(n) in the file.
    private func line(at location: SourceLocation) -> String? {
        guard location.line > 0, let text = texts[location.file] else { return nil }
        var rest = text[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        for _ in 1..<location.line {
            guard let end = rest.firstIndex(of: 0x0A) else { return nil }
            rest = rest[(end + 1)...]
        }
        var line = rest.prefix { $0 != 0x0A }
        if line.last == 0x0D { line = line.dropLast() }
        return String(decoding: line, as: UTF8.self)
    }
}
