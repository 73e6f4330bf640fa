package import BerthControl

/// The lines of one answer, for people.
package struct Page: Sendable {
    private let width: Int?
    private let usesColor: Bool
    package private(set) var lines: [String] = []

    package init(width: Int? = nil, usesColor: Bool = false) { (self.width, self.usesColor) = (width, usesColor) }

    package var text: String { lines.map { $0 + "\n" }.joined() }

    package mutating func add(_ text: String, _ style: Style? = nil) {
        lines.append(styled(DisplayText.clean(text), style))
    }

    package mutating func addBlank() { if lines.last?.isEmpty == false { lines.append("") } }

    /// Several words on one line, each in its style.
    package mutating func add(_ parts: [(text: String, style: Style?)]) {
        lines.append(parts.map { styled(DisplayText.clean($0.text), $0.style) }.joined())
    }

    package mutating func add(_ table: Table, ifEmpty: String) {
        guard !table.rows.isEmpty else { return add(ifEmpty, .faint) }
        lines += table.lines(width: width, usesColor: usesColor)
    }

    /// `label` in a column of its own, with what it says beside it.
    package mutating func add(label: String, _ text: String, _ style: Style? = nil) {
        let padding = String(repeating: " ", count: max(1, 15 - DisplayText.width(label)))
        lines.append(styled(label, .heading) + padding + styled(DisplayText.clean(text), style))
    }

    /// A diagnostic as compilers show them: place, severity, message; the line with a caret; what to do.
    package mutating func add(_ diagnostic: DiagnosticRecord) {
        let style: Style =
            switch diagnostic.severity {
            case .error: .bad
            case .warning: .warning
            case .note, .unknown: .faint
            }
        let place = diagnostic.place.map { $0 + ": " } ?? ""
        add([(place, .heading), (diagnostic.severity.rawValue + ": ", style), (diagnostic.message, nil)])
        if let source = diagnostic.sourceLine {
            add("    " + source.replacingTabs())
            if let column = diagnostic.column, column >= 1, column <= source.unicodeScalars.count + 1 {
                let before = String(source.unicodeScalars.prefix(column - 1)).replacingTabs()
                add("    " + String(repeating: " ", count: DisplayText.width(before)) + "^", style)
            }
        }
        if let hint = diagnostic.hint { add("    " + hint) }
    }

    package mutating func add(failure: FailureRecord) {
        let when = failure.time.map { " at \($0)" } ?? ""
        add("    \(failure.status.map { $0 + ": " } ?? "")\(failure.message)\(when)", .bad)
        if let hint = failure.hint { add("    " + hint) }
    }

    private func styled(_ text: String, _ style: Style?) -> String {
        guard usesColor, let style, !text.isEmpty else { return text }
        return style.applied(to: text)
    }
}

extension String {
    /// A tab is one character of a file and any number of columns of a terminal: here, one of both.
    fileprivate func replacingTabs() -> String { String(map { $0 == "\t" ? " " : $0 }) }
}
