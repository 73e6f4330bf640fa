/// Walks the members of a comma-separated list (RFC 9110 §5.6.1), whitespace around them and empty ones left out.
///
/// Commas inside quoted strings are not known to it: meant for lists of tokens.
public struct ListCursor {
    private let value: UnsafePointer<UInt8>
    private let count: Int
    private var position = 0
    /// Where the current member begins, and how long it is; set after `advance()` answered true.
    public private(set) var offset = 0
    public private(set) var length = 0

    public init(_ value: UnsafePointer<UInt8>, _ count: Int) {
        self.value = value
        self.count = count
    }

    /// Goes to the next member; false when there is none.
    public mutating func advance() -> Bool {
        while position < count {
            var start = position
            while start < count, OctetRules.isWhitespace(value[start]) { start &+= 1 }
            var end = start
            while end < count, value[end] != UInt8(ascii: ",") { end &+= 1 }
            position = end &+ 1
            while end > start, OctetRules.isWhitespace(value[end &- 1]) { end &-= 1 }
            if end > start {
                offset = start
                length = end &- start
                return true
            }
        }
        return false
    }
}
