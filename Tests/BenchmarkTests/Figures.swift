import Glibc
import Synchronization
import TestSupport
import Testing

/// What was measured: held against thresholds.txt, printed as rows of a table and kept in .build/counts.json.
enum Figures {
    private static let file = ".build/counts.json"

    private struct Row {
        let threshold: Threshold
        let value: Double
        /// What the value is made of, where it is a sum.
        let parts: [String: Double]
    }

    private static let rows = Mutex<[Row]>([])

    /// Records a sum and expects it to be within its threshold.
    static func expect(
        _ name: String, of parts: [String: Double], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try expect(name, parts.values.reduce(0, +), parts: parts, sourceLocation: sourceLocation)
    }

    /// Records a value and expects it to be within its threshold.
    ///
    /// - Parameter parts: what it is the sum of, to be shown where it is too large.
    static func expect(
        _ name: String, _ value: Double, parts: [String: Double] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        guard let threshold = try Threshold.load()[name] else { throw Failure("thresholds.txt has no \(name)") }
        let row = Row(threshold: threshold, value: value, parts: parts)
        try rows.withLock { rows in
            rows.append(row)
            try write(rows)
        }
        print(
            padded(name, 34), padded(number(value), 12, left: true), padded(number(threshold.limit), 12, left: true),
            padded(threshold.aim.map { number($0) } ?? "-", 10, left: true), " " + threshold.unit)
        let sum = parts.sorted { $0.key < $1.key }.map { "\($0.key) \(number($0.value))" }.joined(separator: ", ")
        #expect(
            value <= threshold.limit, "\(name): \(number(value)) \(threshold.unit), more than the limit; \(sum)",
            sourceLocation: sourceLocation)
    }

    /// As text without needless digits: three decimals below 100.
    static func number(_ value: Double) -> String {
        if abs(value) >= 100 { return "\(Int(value.rounded()))" }
        let thousandths = (value * 1000).rounded() / 1000
        return thousandths == thousandths.rounded() ? "\(Int(thousandths))" : "\(thousandths)"
    }

    private static func padded(_ text: String, _ width: Int, left: Bool = false) -> String {
        let spaces = String(repeating: " ", count: max(0, width - text.utf8.count))
        return left ? spaces + text : text + spaces
    }

    private static func write(_ rows: [Row]) throws {
        let objects = rows.map { row in
            let parts = row.parts.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }
            let aim = row.threshold.aim.map { "\($0)" } ?? "null"
            return "{\"name\": \"\(row.threshold.name)\", \"value\": \(row.value), \"limit\": \(row.threshold.limit), "
                + "\"aim\": \(aim), \"unit\": \"\(row.threshold.unit)\", \"parts\": {\(parts.joined(separator: ", "))}}"
        }
        let text = "[\n" + objects.joined(separator: ",\n") + "\n]\n"
        let path = Build.checkout + "/" + file
        guard let stream = fopen(path + "~", "w") else { throw Failure.system("open \(path)~") }
        let isWritten = fputs(text, stream) >= 0
        guard fclose(stream) == 0, isWritten, rename(path + "~", path) == 0 else {
            throw Failure.system("write \(path)")
        }
    }
}
