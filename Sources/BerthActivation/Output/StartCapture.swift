/// The first that a worker says, for the report on why it did not start.
struct StartCapture {
    /// Octets kept. Source: ANCM, 30 000 characters.
    static let octetsMax = 30_000

    private var octets: [UInt8] = []

    mutating func append(_ more: UnsafeRawBufferPointer) {
        octets.append(contentsOf: more.prefix(Self.octetsMax - octets.count))
    }

    mutating func forget() { octets = [] }

    var text: String { String(decoding: octets, as: UTF8.self) }
}
