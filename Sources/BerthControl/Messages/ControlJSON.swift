import FoundationEssentials

/// The JSON of the control socket: how values become octets and back.
///
/// Keys are written sorted, so that the same value is always the same octets; absent optional values are left out.
public enum ControlJSON {
    public static let mediaType = "application/json"
    /// RFC 9457 §3.
    public static let problemMediaType = "application/problem+json"
    public static let eventStreamMediaType = "text/event-stream"
    public static let logMediaType = "text/plain; charset=utf-8"
    /// Prometheus text exposition format 0.0.4.
    public static let metricsMediaType = "text/plain; version=0.0.4; charset=utf-8"

    /// Fails only for a value that JSON cannot hold, such as an infinite number; no message of ours has one.
    public static func encode(_ value: some Encodable, pretty: Bool = false) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return [UInt8](try encoder.encode(value))
    }

    public static func decode<Value: Decodable>(_ type: Value.Type, from octets: [UInt8]) throws -> Value {
        try JSONDecoder().decode(type, from: Data(octets))
    }
}
