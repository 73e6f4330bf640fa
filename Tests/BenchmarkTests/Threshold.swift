import TestSupport

/// What a request, a connection or a daemon may cost: one line of thresholds.txt.
struct Threshold: Sendable {
    /// Workload and quantity, as `hello.instructions`.
    let name: String
    /// The measured value must not be larger.
    let limit: Double
    let unit: String
    /// What the design wants; nil where it names nothing.
    let aim: Double?

    /// The lines of thresholds.txt by name. A line that is no threshold is a failure: nothing goes unchecked by a slip.
    static func load() throws -> [String: Threshold] {
        guard let text = Files.text(Build.checkout + "/Tests/BenchmarkTests/thresholds.txt") else {
            throw Failure("Tests/BenchmarkTests/thresholds.txt cannot be read")
        }
        return try parse(text)
    }

    static func parse(_ text: String) throws -> [String: Threshold] {
        var all: [String: Threshold] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ")
            guard parts.count == 4, let limit = Double(parts[1]), limit >= 0, parts[3] == "-" || Double(parts[3]) != nil
            else { throw Failure("no threshold: \(line)") }
            let threshold = Threshold(
                name: String(parts[0]), limit: limit, unit: String(parts[2]), aim: Double(parts[3]))
            guard all.updateValue(threshold, forKey: threshold.name) == nil else {
                throw Failure("two thresholds for \(threshold.name)")
            }
        }
        return all
    }
}
