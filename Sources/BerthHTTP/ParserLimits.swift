/// How much of a message head a parser accepts. Values outside their range are moved to its nearer end.
public struct ParserLimits: Equatable, Sendable, BitwiseCopyable {
    /// Longest head in octets, request line to empty line, 256 through 16 777 216.
    ///
    /// Never below `fieldLengthMax`. Source: HTTP.sys `MaxRequestBytes`, default 16 384.
    public let requestBytesMax: Int
    /// Longest field line in octets, line end not counted, 64 through 65 534.
    ///
    /// Source: HTTP.sys `MaxFieldLength`, default 16 384.
    public let fieldLengthMax: Int
    /// Longest request target in octets, 64 through 65 534. A longer one is answered 414.
    ///
    /// Source: HTTP.sys holds the URL to `MaxFieldLength`, default 16 384.
    public let urlLengthMax: Int
    /// Most field lines of a head, 1 through 65 535: what the array of `FieldSlice` has room for.
    ///
    /// HTTP.sys has no such limit. Source: Kestrel `MaxRequestHeaderCount`, default 100.
    public let fieldsMax: Int
    /// Longest method in octets, 16 through 255.
    ///
    /// Source: HTTP.sys writes no more than 255 octets of a method to its log.
    public let methodLengthMax: Int
    /// Whether POST and PUT without Content-Length and Transfer-Encoding are answered 411, as HTTP.sys and Kestrel do.
    ///
    /// RFC 9112 §6.3 allows it; off means such a request has no content.
    public let requiresLength: Bool

    public init(
        requestBytesMax: Int = 16_384, fieldLengthMax: Int = 16_384, urlLengthMax: Int = 16_384, fieldsMax: Int = 100,
        methodLengthMax: Int = 255, requiresLength: Bool = true
    ) {
        let fieldLength = min(max(fieldLengthMax, 64), 65_534)
        self.fieldLengthMax = fieldLength
        self.requestBytesMax = max(min(max(requestBytesMax, 256), 16_777_216), fieldLength)
        self.urlLengthMax = min(max(urlLengthMax, 64), 65_534)
        self.fieldsMax = min(max(fieldsMax, 1), 65_535)
        self.methodLengthMax = min(max(methodLengthMax, 16), 255)
        self.requiresLength = requiresLength
    }

    /// Empty lines tolerated before a request line: one that RFC 9112 §2.2 asks for, one for a client that sends two.
    public static let emptyLinesMax = 2
}
