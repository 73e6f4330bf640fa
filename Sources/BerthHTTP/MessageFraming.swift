/// How the end of a message's content is found (RFC 9112 §6).
public enum ContentFraming: UInt8, Sendable, BitwiseCopyable {
    /// There is no content.
    case none = 0
    /// Exactly `contentLength` octets, which may be 0.
    case contentLength = 1
    /// Chunks up to the last one and its trailer section.
    case chunked = 2
    /// Everything until the connection is closed; responses only.
    case untilClose = 3
}

/// Reads the values of the fields that decide framing. Shared by both roles.
enum MessageFraming {
    /// Digits of a Content-Length, leading zeros included; 18 of them cannot overflow an Int64.
    static let contentLengthDigitsMax = 18

    /// The number in a Content-Length value, or -1 unless it is 1 through 18 digits and nothing else (RFC 9110 §8.6).
    static func contentLength(_ value: UnsafePointer<UInt8>, _ count: Int) -> Int64 {
        guard count > 0, count <= contentLengthDigitsMax else { return -1 }
        var number: Int64 = 0
        var index = 0
        while index < count {
            let digit = value[index] &- 0x30
            if digit > 9 { return -1 }
            number = number &* 10 &+ Int64(digit)
            index &+= 1
        }
        return number
    }

    /// What a Transfer-Encoding value says (RFC 9112 §6.1).
    enum TransferCoding { case chunked, unknown, chunkedNotLast, malformed }

    /// Judges a Transfer-Encoding value. Only the bare word `chunked` can be read; the rest is told apart for the answer.
    static func transferCoding(_ value: UnsafePointer<UInt8>, _ count: Int) -> TransferCoding {
        if count == 7, OctetRules.equal(value, count, "chunked") { return .chunked }
        var unknown = false
        var chunkedSeen = false
        var chunkedBeforeLast = false
        var start = 0
        while true {
            var end = start
            while end < count, value[end] != UInt8(ascii: ",") { end &+= 1 }
            var first = start
            var last = end
            while first < last, OctetRules.isWhitespace(value[first]) { first &+= 1 }
            while last > first, OctetRules.isWhitespace(value[last &- 1]) { last &-= 1 }
            if !OctetRules.isToken(value + first, last &- first) { return .malformed }
            if chunkedSeen { chunkedBeforeLast = true }
            if OctetRules.equal(value + first, last &- first, "chunked") { chunkedSeen = true } else { unknown = true }
            if end >= count { break }
            start = end &+ 1
        }
        if chunkedBeforeLast { return .chunkedNotLast }
        return unknown ? .unknown : .malformed
    }
}
