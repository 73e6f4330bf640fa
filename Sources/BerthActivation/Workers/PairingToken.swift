import BerthEventLoop
import CBerthSystem

/// The secret that proves to a worker that a request came through Berth: sent as `MS-ASPNETCORE-TOKEN`, told as
/// `ASPNETCORE_TOKEN`. A random UUID, 36 characters, lower case; kept over the attempts of one start, new for every other.
public struct PairingToken: Hashable, Sendable {
    public let text: String

    /// What the administrator chose (`ASPNETCORE_TOKEN` among the application's variables).
    public init(text: String) { self.text = text }

    static func random() throws(SystemError) -> PairingToken {
        var octets = [UInt8](repeating: 0, count: 16)
        try checked("getrandom", octets.withUnsafeMutableBytes { $0.baseAddress.map { cberth_random($0, 16) } ?? 0 })
        return PairingToken(octets: octets)
    }

    /// A version 4 UUID (RFC 9562 §5.4) of 16 random octets.
    init(octets: [UInt8]) {
        precondition(octets.count == 16)
        var octets = octets
        octets[6] = octets[6] & 0x0f | 0x40
        octets[8] = octets[8] & 0x3f | 0x80
        let digits = Array("0123456789abcdef".utf8)
        var utf8: [UInt8] = []
        utf8.reserveCapacity(36)
        for (index, octet) in octets.enumerated() {
            if [4, 6, 8, 10].contains(index) { utf8.append(UInt8(ascii: "-")) }
            utf8.append(digits[Int(octet >> 4)])
            utf8.append(digits[Int(octet & 15)])
        }
        text = String(decoding: utf8, as: UTF8.self)
    }
}
