/// One message of an event stream (WHATWG HTML §9.2), as `GET /v1/events?follow` sends them.
public struct ServerSentEvent: Sendable, Equatable {
    /// The number of the event; a client that lost the stream goes on after it, with `after` or `Last-Event-ID`.
    public var id: String?
    /// The kind of the event.
    public var event: String?
    /// The event itself, as JSON on one line.
    public var data: String

    public init(id: String? = nil, event: String? = nil, data: String) {
        (self.id, self.event, self.data) = (id, event, data)
    }

    /// Fails as `ControlJSON.encode` does.
    public init(_ record: EventRecord) throws {
        self.init(
            id: String(record.number), event: record.kind,
            data: String(decoding: try ControlJSON.encode(record), as: UTF8.self))
    }

    /// What a daemon sends now and then on a silent stream, so that a client that left is noticed.
    public static let keepAlive: [UInt8] = Array(": still here\n\n".utf8)

    /// The octets to send. A line end within `id` or `event` would forge a field, so they end there; one within `data`
    /// begins another line of it. Only CR and LF end lines here, not the others that Unicode has.
    public var octets: [UInt8] {
        var octets: [UInt8] = []
        func append(_ name: String, _ value: some Collection<UInt8>) {
            octets += Array(name.utf8) + Array(": ".utf8) + Array(value) + [UInt8(ascii: "\n")]
        }
        if let id { append("id", id.utf8.prefix { !Self.endsLine($0) }) }
        if let event { append("event", event.utf8.prefix { !Self.endsLine($0) }) }
        for line in data.utf8.split(omittingEmptySubsequences: false, whereSeparator: Self.endsLine) {
            append("data", line)
        }
        return octets + [UInt8(ascii: "\n")]
    }

    private static func endsLine(_ octet: UInt8) -> Bool { octet == UInt8(ascii: "\n") || octet == UInt8(ascii: "\r") }
}
