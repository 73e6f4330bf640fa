/// A response as it came over the wire.
public struct Response: Sendable {
    public var version = ""
    public var status = 0
    public var reason = ""
    public var fields: [(name: String, value: String)] = []
    /// Without its chunked coding.
    public var content: [UInt8] = []
    /// Fields behind the last chunk.
    public var trailers: [(name: String, value: String)] = []
    /// Statuses of the 1xx responses before it.
    public var informational: [Int] = []
    /// Octets on the wire, those of 1xx responses included.
    public var wireCount = 0

    public var text: String { String(decoding: content, as: UTF8.self) }

    /// The value of a field, all of one name joined as RFC 9110 §5.2 says; nil when there is none.
    public subscript(_ name: String) -> String? {
        let values = fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }

    /// Reads the lines of a head, without the empty one at its end.
    init(head: ArraySlice<UInt8>) throws {
        var lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        let first = lines.removeFirst().split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard first.count >= 2, first[0].hasPrefix("HTTP/1."), let status = Int(first[1]), first[1].utf8.count == 3
        else {
            throw Failure("no response: \(String(decoding: head.prefix(100), as: UTF8.self))")
        }
        version = String(first[0])
        self.status = status
        reason = first.count > 2 ? String(first[2]) : ""
        fields = try Self.fields(lines)
    }

    static func fields(_ lines: [Substring]) throws -> [(name: String, value: String)] {
        try lines.filter { !$0.isEmpty }.map { line in
            guard let colon = line.firstIndex(of: ":") else { throw Failure("no field: \(line)") }
            var value = line[line.index(after: colon)...]
            while value.first == " " || value.first == "\t" { value.removeFirst() }
            while value.last == " " || value.last == "\t" { value.removeLast() }
            return (String(line[..<colon]), String(value))
        }
    }
}
