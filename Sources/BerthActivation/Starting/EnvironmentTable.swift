/// Variables in their order, whose names compare without regard to case (A to Z), as on Windows.
struct EnvironmentTable {
    private(set) var entries: [EnvironmentEntry] = []
    private var indices: [String: Int] = [:]

    init() {}

    init(_ entries: some Sequence<EnvironmentEntry>) {
        for entry in entries { self[entry.name] = entry.value }
    }

    /// Setting keeps the place of an earlier entry and takes the newer spelling of its name.
    subscript(name: String) -> String? {
        get { indices[name.lowercased()].map { entries[$0].value } }
        set {
            let key = name.lowercased()
            switch (indices[key], newValue) {
            case (let index?, let value?): entries[index] = EnvironmentEntry(name, value)
            case (nil, let value?):
                indices[key] = entries.count
                entries.append(EnvironmentEntry(name, value))
            case (let index?, nil):
                entries.remove(at: index)
                indices = [:]
                for (index, entry) in entries.enumerated() { indices[entry.name.lowercased()] = index }
            case (nil, nil): break
            }
        }
    }

    /// Replaces `%NAME%` where `lookup` knows it; what is unknown stays as it is written, and nothing is replaced twice.
    static func expanding(_ text: String, lookup: (String) -> String?) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "%") {
            result += rest[..<open]
            let inside = rest[rest.index(after: open)...]
            guard let close = inside.firstIndex(of: "%") else {
                rest = rest[open...]
                break
            }
            if close > inside.startIndex, let value = lookup(String(inside[..<close])) {
                result += value
                rest = inside[inside.index(after: close)...]
            } else {
                // The second sign may open another name.
                result += rest[open..<close]
                rest = inside[close...]
            }
        }
        return result + rest
    }
}
