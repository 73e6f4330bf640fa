/// Rows of cells below headings, aligned, and fitted into the width of the terminal.
package struct Table: Sendable {
    package struct Column: Sendable {
        package var heading: String
        package var isRight: Bool
        /// May be shortened to this many columns when the terminal is too narrow; `nil`: never.
        package var widthMin: Int?

        package init(_ heading: String, isRight: Bool = false, widthMin: Int? = nil) {
            (self.heading, self.isRight, self.widthMin) = (heading, isRight, widthMin)
        }
    }

    package struct Cell: Sendable, ExpressibleByStringLiteral {
        package var text: String
        package var style: Style?

        package init(_ text: String, _ style: Style? = nil) {
            (self.text, self.style) = (DisplayText.clean(text), style)
        }

        package init(stringLiteral text: String) { self.init(text) }
        package init(_ number: UInt64) { self.init(String(number)) }
    }

    package var columns: [Column]
    package var rows: [[Cell]] = []

    package init(_ columns: [Column]) { self.columns = columns }

    package mutating func add(_ cells: Cell...) {
        assert(cells.count == columns.count, "a row has another number of cells than the table has columns")
        rows.append(cells)
    }

    /// The lines of the table. A row ends with its last cell that is not empty.
    package func lines(width: Int?, usesColor: Bool) -> [String] {
        let widths = fitted(width)
        let headings = columns.map { Cell($0.heading, .heading) }
        return ([headings] + rows).map { line($0, widths, usesColor) }
    }

    private static let gap = "  "

    private func line(_ cells: [Cell], _ widths: [Int], _ usesColor: Bool) -> String {
        let last = cells.lastIndex { !$0.text.isEmpty } ?? 0
        var line = ""
        for (index, cell) in cells.enumerated() where index <= last {
            let text = DisplayText.shorten(cell.text, to: widths[index])
            let padding = String(repeating: " ", count: widths[index] - DisplayText.width(text))
            let styled = usesColor && !text.isEmpty ? cell.style?.applied(to: text) ?? text : text
            if index > 0 { line += Self.gap }
            line += columns[index].isRight ? padding + styled : index == last ? styled : styled + padding
        }
        return line
    }

    /// The width of each column: what its widest cell needs, less what the terminal has not, taken from the widest
    /// columns that may be shortened.
    private func fitted(_ width: Int?) -> [Int] {
        var widths = columns.map { DisplayText.width($0.heading) }
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], DisplayText.width(cell.text)) }
        }
        guard let width else { return widths }
        var excess = widths.reduce(0, +) + Self.gap.count * (columns.count - 1) - width
        while excess > 0 {
            let widest = columns.indices
                .filter { index in columns[index].widthMin.map { widths[index] > $0 } ?? false }
                .max { widths[$0] < widths[$1] }
            guard let widest else { break }
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }
}
