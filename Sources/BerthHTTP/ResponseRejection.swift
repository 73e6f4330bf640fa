/// Why the response of a worker cannot be used. The client gets a 502, the connection to the worker is closed.
public enum ResponseRejection: UInt8, Error, CaseIterable, Sendable, BitwiseCopyable {
    case statusLineMalformed = 1
    case versionNotSupported
    case statusMalformed
    case reasonOctet
    case bareCarriageReturn
    case bareLineFeed
    case foldedLine
    case fieldNameEmpty
    case fieldNameNotToken
    case spaceBeforeColon
    case fieldWithoutColon
    case fieldValueOctet
    case fieldTooLong
    case fieldsTooMany
    case headTooLong
    case contentLengthMalformed
    case contentLengthRepeated
    case contentLengthWithTransferEncoding
    case transferEncodingRepeated
    case transferCodingUnknown
    case transferEncodingInHTTP10

    /// What is wrong, as a clause for the log: "the worker's response …".
    public var detail: StaticString {
        switch self {
        case .statusLineMalformed: "does not begin with a status line"
        case .versionNotSupported: "has an HTTP version that is neither 1.0 nor 1.1"
        case .statusMalformed: "has a status code that is not three digits from 100 on"
        case .reasonOctet: "has a control character in its reason phrase"
        case .bareCarriageReturn: "has a carriage return that stands alone"
        case .bareLineFeed: "has a line feed that stands alone"
        case .foldedLine: "has a field line that begins with white space"
        case .fieldNameEmpty: "has a field without a name"
        case .fieldNameNotToken: "has a field name with an octet that no name may hold"
        case .spaceBeforeColon: "has white space between a field name and its colon"
        case .fieldWithoutColon: "has a field line without a colon"
        case .fieldValueOctet: "has a field value with a control character"
        case .fieldTooLong: "has a field that is too long"
        case .fieldsTooMany: "has too many fields"
        case .headTooLong: "has a head that is too long"
        case .contentLengthMalformed: "has a Content-Length that is not a number"
        case .contentLengthRepeated: "has more than one Content-Length"
        case .contentLengthWithTransferEncoding: "has both Content-Length and Transfer-Encoding"
        case .transferEncodingRepeated: "has more than one Transfer-Encoding"
        case .transferCodingUnknown: "has a Transfer-Encoding other than chunked"
        case .transferEncodingInHTTP10: "uses a transfer coding with HTTP/1.0"
        }
    }

    /// Where the rule is written down.
    public var section: StaticString {
        switch self {
        case .statusLineMalformed, .statusMalformed, .reasonOctet: "RFC 9112 §4"
        case .versionNotSupported: "RFC 9112 §2.3"
        case .bareCarriageReturn, .bareLineFeed: "RFC 9112 §2.2"
        case .foldedLine: "RFC 9112 §5.2"
        case .fieldNameEmpty, .fieldNameNotToken: "RFC 9110 §5.1"
        case .spaceBeforeColon: "RFC 9112 §5.1"
        case .fieldWithoutColon: "RFC 9112 §5"
        case .fieldValueOctet: "RFC 9110 §5.5"
        case .fieldTooLong, .fieldsTooMany, .headTooLong: "RFC 9110 §5.4"
        case .contentLengthMalformed, .contentLengthRepeated, .contentLengthWithTransferEncoding: "RFC 9112 §6.3"
        case .transferEncodingRepeated, .transferCodingUnknown, .transferEncodingInHTTP10: "RFC 9112 §6.1"
        }
    }
}
