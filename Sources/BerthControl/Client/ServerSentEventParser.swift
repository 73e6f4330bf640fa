/// Turns the octets of an event stream into its events (WHATWG HTML §9.2.6).
public struct ServerSentEventParser {
    /// The longest line and the largest event that are read, in octets.
    public static let sizeMax = 1 << 20

    private var lines = LineSplitter(sizeMax: sizeMax)
    private var id: String?
    private var event: String?
    private var data: [String] = []
    private var size = 0

    public init() {}

    /// Takes the next octets; returns the events that they complete.
    ///
    /// - Throws: `LineSplitter.Overflow` when a line or an event is larger than `sizeMax`.
    public mutating func read(_ octets: [UInt8]) throws(LineSplitter.Overflow) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for line in try lines.read(octets) {
            guard !line.isEmpty else {
                if !data.isEmpty {
                    events.append(ServerSentEvent(id: id, event: event, data: data.joined(separator: "\n")))
                }
                (event, data, size) = (nil, [], 0)
                continue
            }
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            var value = parts.count == 2 ? parts[1] : ""
            if value.first == " " { value = value.dropFirst() }
            switch parts[0] {
            case "id": id = String(value)
            case "event": event = String(value)
            case "data":
                size += value.utf8.count
                guard size <= Self.sizeMax else { throw LineSplitter.Overflow() }
                data.append(String(value))
            default: break  // A comment, or a field that we have no use for (`retry`).
            }
        }
        return events
    }
}
