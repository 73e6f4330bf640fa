/// Why a request is refused before anybody routes it. The answer is made by the front and the connection is closed.
public enum RequestRejection: UInt8, Error, CaseIterable, Sendable, BitwiseCopyable {
    // The request line.
    case methodNotToken = 1
    case methodLetterCase
    case methodTooLong
    case methodNotServed
    case connectNotServed
    case requestLineMalformed
    case versionMalformed
    case versionNotSupported
    case targetTooLong
    case targetOctet
    case targetFragment
    case targetForm
    case asteriskForm
    case authorityMalformed
    case userinfo
    case absoluteFormWithoutPath
    // Lines and fields.
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
    // Host.
    case hostMissing
    case hostRepeated
    case hostMalformed
    // Framing.
    case contentLengthMalformed
    case contentLengthRepeated
    case contentLengthWithTransferEncoding
    case transferEncodingRepeated
    case transferEncodingMalformed
    case transferCodingUnknown
    case chunkedNotLast
    case transferEncodingInHTTP10
    case lengthRequired
    // Content.
    case chunkSizeMalformed
    case chunkSizeTooLarge
    case chunkExtensionMalformed
    case chunkExtensionsTooLong
    case chunkDataUnterminated
    case trailerMalformed
    case trailerTooLong
    case contentTooLarge
    // The path, when it is cooked.
    case pathEscapeMalformed
    case pathControlOctet
    case pathBackslash
    case pathNotUTF8
    case pathSegmentTooLong
    case pathSegmentsTooMany

    /// The status code of the answer.
    ///
    /// Source: what HTTP.sys answers; 501 and 505 as RFC 9110 §15.6 has them, 417 is the listener's.
    public var status: UInt16 {
        switch self {
        case .methodNotServed, .transferCodingUnknown: 501
        case .versionNotSupported: 505
        case .targetTooLong: 414
        case .lengthRequired: 411
        case .contentTooLarge: 413
        default: 400
        }
    }

    /// The word of the HTTPERR log for this.
    ///
    /// Source: HTTP.sys, "Error logging in HTTP APIs".
    public var httpErrReason: StaticString {
        switch self {
        case .methodNotToken, .methodLetterCase, .methodTooLong, .connectNotServed: "Verb"
        case .methodNotServed, .transferCodingUnknown: "N/I"
        case .requestLineMalformed, .versionMalformed: "BadRequest"
        case .versionNotSupported: "Version_N/S"
        case .targetTooLong: "URL_Length"
        case .targetOctet, .targetFragment, .targetForm, .asteriskForm, .absoluteFormWithoutPath,
            .pathEscapeMalformed, .pathControlOctet, .pathBackslash, .pathNotUTF8, .pathSegmentTooLong,
            .pathSegmentsTooMany:
            "URL"
        case .authorityMalformed, .userinfo, .hostMissing, .hostRepeated, .hostMalformed: "Hostname"
        case .bareCarriageReturn, .bareLineFeed: "Invalid_CR/LF"
        case .foldedLine, .fieldNameEmpty, .fieldNameNotToken, .spaceBeforeColon, .fieldWithoutColon, .fieldValueOctet,
            .trailerMalformed:
            "Header"
        case .fieldTooLong: "FieldLength"
        case .fieldsTooMany, .headTooLong, .chunkExtensionsTooLong, .trailerTooLong: "RequestLength"
        case .contentLengthMalformed, .chunkSizeMalformed, .chunkSizeTooLarge: "Number"
        case .contentLengthRepeated, .contentLengthWithTransferEncoding, .transferEncodingRepeated,
            .transferEncodingMalformed, .chunkedNotLast, .transferEncodingInHTTP10, .chunkExtensionMalformed,
            .chunkDataUnterminated:
            "BadRequest"
        case .lengthRequired: "LengthRequired"
        case .contentTooLarge: "EntityTooLarge"
        }
    }
}
