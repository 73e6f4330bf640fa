/// The query of a request target, read by name.
struct ControlQuery {
    /// Parameters that nobody has asked for yet, in the order they were sent.
    private(set) var unread: [String] = []
    private var values: [String: String] = [:]

    init(_ query: some StringProtocol) throws(ProblemDocument) {
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first.flatMap({ PercentCoding.decode($0) }),
                let value = parts.count == 2 ? PercentCoding.decode(parts[1]) : ""
            else { throw ProblemDocument(.badRequest, detail: "the query is not percent-encoded UTF-8 text") }
            guard values.updateValue(value, forKey: name) == nil else {
                throw ProblemDocument(.badRequest, detail: "the query parameter \(name) is given twice")
            }
            unread.append(name)
        }
    }

    mutating func text(_ name: String) -> String? {
        unread.removeAll { $0 == name }
        return values[name]
    }

    /// `follow`, `follow=true` and `follow=1` say yes.
    mutating func flag(_ name: String) throws(ProblemDocument) -> Bool {
        switch text(name) {
        case nil, "false", "0": return false
        case "", "true", "1": return true
        default:
            throw ProblemDocument(.badRequest, detail: "the query parameter \(name) is neither true nor false")
        }
    }

    mutating func number(_ name: String, max: UInt64) throws(ProblemDocument) -> UInt64? {
        guard let text = text(name) else { return nil }
        guard let value = UInt64(text), value <= max, text.utf8.first != UInt8(ascii: "+") else {
            throw ProblemDocument(
                .badRequest, detail: "the query parameter \(name) is no whole number from 0 through \(max)")
        }
        return value
    }
}
