internal import CBerthModule

/// User and password of an `Authorization: Basic` field (RFC 7617), decoded into memory of the caller's.
struct BasicCredentials {
    /// Octets of a user name. Ours: what htpasswd and W3C logs take.
    static let userMax = 255
    /// Octets of a password. Ours; crypt(3) itself stops at 511 (CRYPT_MAX_PASSPHRASE_SIZE 512 with the NUL).
    static let passwordMax = 511
    /// Octets of user, colon and password.
    static let decodedMax = userMax + 1 + passwordMax

    enum Reading: Equatable {
        /// Another scheme.
        case otherScheme
        /// No base64, no colon, or a control character in it: 400.
        case malformed
        /// User or password longer than anybody's: 401.1.
        case tooLong
        /// This many octets of user; the password follows behind the colon, this many octets.
        case credentials(user: Int, password: Int)
    }

    /// Reads the value of the field into `room`, which has room for `decodedMax` octets.
    static func read(_ value: berth_octets, into room: UnsafeMutablePointer<UInt8>) -> Reading {
        guard value.hasLoweredPrefix("basic"), let start = value.start else { return .otherScheme }
        if value.length > 5, start[5] != 0x20 { return .otherScheme }
        let token = value.dropFirst(min(5, value.length)).trimmed
        guard token.count > 0 else { return .malformed }
        // RFC 4648 §4: four characters are three octets.
        guard token.length <= (decodedMax + 2) / 3 * 4 else { return .tooLong }
        guard let count = decode(token, room) else { return .malformed }
        guard count <= decodedMax else { return .tooLong }

        var colon = -1
        for index in 0..<count {
            // RFC 7617 §2: no control characters in either.
            if room[index] < 0x20 || room[index] == 0x7f { return .malformed }
            if colon < 0, room[index] == 0x3a { colon = index }
        }
        guard colon >= 0 else { return .malformed }
        guard colon <= userMax, count - colon - 1 <= passwordMax else { return .tooLong }
        return .credentials(user: colon, password: count - colon - 1)
    }

    /// Base64 with padding; nil for anything else. The output has room for three octets more than `decodedMax`.
    private static func decode(_ token: berth_octets, _ room: UnsafeMutablePointer<UInt8>) -> Int? {
        guard let start = token.start else { return nil }
        var length = token.length
        var padding = 0
        while padding < 2, length > 0, start[length - 1] == 0x3d {
            length -= 1
            padding += 1
        }
        // Padding may be left out by a sloppy client, but not be wrong.
        guard length % 4 != 1, padding == 0 || (length + padding) % 4 == 0 else { return nil }
        var (bits, bitCount, count): (UInt32, Int, Int) = (0, 0, 0)
        for index in 0..<length {
            guard let digit = digit(start[index]) else { return nil }
            bits = bits &<< 6 | UInt32(digit)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                room[count] = UInt8(truncatingIfNeeded: bits &>> UInt32(bitCount))
                count += 1
            }
        }
        return count
    }

    @inline(__always)
    private static func digit(_ octet: UInt8) -> UInt8? {
        switch octet {
        case 0x41...0x5a: octet - 0x41
        case 0x61...0x7a: octet - 0x47
        case 0x30...0x39: octet + 4
        case 0x2b: 62
        case 0x2f: 63
        default: nil
        }
    }
}
