import BerthHTTP

/// The ways in which Berth and llhttp read the same octets differently, each explained in `docs/FUZZING.md`.
///
/// A case is as narrow as its explanation: what only looks like it is an unexplained disagreement, and a finding.
enum Disagreement: String, CaseIterable {
    // Berth refuses what llhttp takes.
    case host = "host"
    case lengthRequired = "length-required"
    case versionMissing = "version-missing"
    case spacesInRequestLine = "spaces-in-request-line"
    case fragment = "fragment"
    case methodNotServed = "method-not-served"
    case version = "version"
    case otherProtocols = "other-protocols"
    case authority = "authority"
    case targetForm = "target-form"
    case longNumbers = "long-numbers"
    case codingInHTTP10 = "coding-in-http-1.0"
    case transferCoding = "transfer-coding"
    case emptyLines = "empty-lines"
    case chunkExtensionWithoutName = "chunk-extension-without-name"
    case beforeLLHTTP9 = "before-llhttp-9"
    // Berth takes what llhttp refuses.
    case unknownMethod = "unknown-method"
    case tabsAroundFraming = "tabs-around-framing"
    case framingInTrailer = "framing-in-trailer"
    case connectionInTrailer = "connection-in-trailer"
    case chunkExtension = "chunk-extension"
    // Both take it, and do something else.
    case emptyUpgrade = "empty-upgrade"
    case keepAliveAndClose = "keep-alive-and-close"

    /// Why Berth refuses for this reason what llhttp takes; nil: nobody has explained it.
    ///
    /// - Parameters:
    ///   - rest: the octets from the request on that is refused.
    ///   - version: llhttp's, the first of its numbers.
    static func stricter(_ reason: String, _ rest: ArraySlice<UInt8>, llhttp version: Int) -> Disagreement? {
        if let found = stricter(reason, rest) { return found }
        return version < 9 && takenBefore9.contains(reason) ? .beforeLLHTTP9 : nil
    }

    /// Defects that llhttp takes up to version 8 and refuses since.
    private static let takenBefore9: Set = [
        "targetOctet", "bareCarriageReturn", "bareLineFeed", "spaceBeforeColon", "fieldNameEmpty", "foldedLine",
        "chunkSizeMalformed", "chunkExtensionMalformed", "chunkDataUnterminated", "trailerMalformed",
    ]

    private static func stricter(_ reason: String, _ rest: ArraySlice<UInt8>) -> Disagreement? {
        if let first = rest.first, first == 0x0d || first == 0x0a { return .emptyLines }
        switch reason {
        case "hostMissing", "hostRepeated", "hostMalformed": return .host
        case "lengthRequired": return .lengthRequired
        case "methodNotServed", "connectNotServed": return .methodNotServed
        case "versionNotSupported": return .version
        case "userinfo", "authorityMalformed", "absoluteFormWithoutPath": return .authority
        case "targetForm", "asteriskForm": return .targetForm
        case "targetFragment": return .fragment
        case "transferEncodingInHTTP10": return .codingInHTTP10
        case "chunkSizeTooLarge": return .longNumbers
        case "chunkExtensionMalformed": return hasNamelessExtension(rest) ? .chunkExtensionWithoutName : nil
        case "contentLengthMalformed": return hasLongLength(rest) ? .longNumbers : nil
        case "transferCodingUnknown", "transferEncodingMalformed", "chunkedNotLast", "transferEncodingRepeated":
            return .transferCoding
        case "versionMalformed":
            let words = requestLine(rest).split(separator: 0x20, omittingEmptySubsequences: false)
            if words.contains(where: { $0.isEmpty }) { return .spacesInRequestLine }
            let version = words.last ?? []
            return version.starts(with: "RTSP/".utf8) || version.starts(with: "ICE/".utf8) ? .otherProtocols : nil
        case "requestLineMalformed", "bareLineFeed":
            let words = requestLine(rest).split(separator: 0x20, omittingEmptySubsequences: false)
            if words.count == 2 { return .versionMissing }
            return words.contains { $0.isEmpty } ? .spacesInRequestLine : nil
        default: return nil
        }
    }

    /// Why llhttp refuses with this code what Berth takes; nil: nobody has explained it.
    ///
    /// - Parameter message: what Berth read where llhttp had seen the head already.
    static func laxer(_ code: String, _ rest: ArraySlice<UInt8>, _ message: WireMessage?) -> Disagreement? {
        switch code {
        case "HPE_INVALID_METHOD":
            let method = Array(requestLine(rest).prefix { $0 != 0x20 })
            return RequestMethod.of(method, method.count) == .other ? .unknownMethod : nil
        case "HPE_INVALID_CONTENT_LENGTH", "HPE_INVALID_TRANSFER_ENCODING":
            if framingLines(rest).contains(where: { $0.contains(0x09) }) { return .tabsAroundFraming }
            return hasFramingInTrailer(rest, message) ? .framingInTrailer : nil
        case "HPE_STRICT", "HPE_INVALID_CHUNK_SIZE":
            return isChunked(message) && hasSpacedExtension(rest) ? .chunkExtension : nil
        default: return nil
        }
    }

    /// Why both take the same requests of `input` and see a different end; nil: nobody has explained it.
    static func ending(_ input: [UInt8], _ reading: WireReading, llhttp version: Int) -> Disagreement? {
        // An old llhttp takes the length in a trailer section for one of the next request.
        if version >= 9 { return nil }
        var start = 0
        for (message, end) in zip(reading.messages, reading.ends) {
            if hasFramingInTrailer(input[start..<min(end, input.count)], message) { return .framingInTrailer }
            start = min(end, input.count)
        }
        return nil
    }

    /// Only chunks have anything behind the head that could be a field.
    private static func hasFramingInTrailer(_ rest: ArraySlice<UInt8>, _ message: WireMessage?) -> Bool {
        let inHead = message?.fields.count { isFraming($0.name) } ?? .max
        return isChunked(message) && framingLines(rest).count > inHead
    }

    /// Why llhttp takes nothing behind a request after which Berth goes on; nil: nobody has explained it.
    ///
    /// - Parameter octets: those of the request.
    static func connectionClosed(_ octets: ArraySlice<UInt8>, _ message: WireMessage) -> Disagreement? {
        let inHead = message.fields.count { isConnection($0.name) }
        let all = octets.split(separator: 0x0a).count { line in isConnection(line.prefix { $0 != 0x3a }) }
        return isChunked(message) && all > inHead ? .connectionInTrailer : nil
    }

    /// Without its end, and without empty lines before it.
    private static func requestLine(_ rest: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        rest.drop { $0 == 0x0d || $0 == 0x0a }.prefix { $0 != 0x0d && $0 != 0x0a }
    }

    private static func isChunked(_ message: WireMessage?) -> Bool {
        message?.fields.contains { String(decoding: $0.name, as: UTF8.self).lowercased() == "transfer-encoding" }
            == true
    }

    private static func isFraming(_ name: some Sequence<UInt8>) -> Bool {
        let name = String(decoding: Array(name), as: UTF8.self).lowercased()
        return name == "content-length" || name == "transfer-encoding"
    }

    private static func isConnection(_ name: some Sequence<UInt8>) -> Bool {
        String(decoding: Array(name), as: UTF8.self).lowercased() == "connection"
    }

    private static func framingLines(_ rest: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        rest.split(separator: 0x0a).filter { line in isFraming(line.prefix { $0 != 0x3a }) }
    }

    /// A line that begins with digits of a size and has an extension with whitespace in it.
    private static func hasSpacedExtension(_ rest: ArraySlice<UInt8>) -> Bool {
        rest.split(separator: 0x0a).contains { line in
            let behind = line.drop { Character(Unicode.Scalar($0)).isHexDigit }
            return behind.startIndex > line.startIndex && behind.contains(UInt8(ascii: ";"))
                && behind.contains { $0 == 0x20 || $0 == 0x09 }
        }
    }

    /// A line that begins with digits of a size and has an extension that is nothing but a value.
    private static func hasNamelessExtension(_ rest: ArraySlice<UInt8>) -> Bool {
        rest.split(separator: 0x0a).contains { line in
            let behind = line.drop { Character(Unicode.Scalar($0)).isHexDigit }
            if behind.startIndex == line.startIndex { return false }
            return behind.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).dropFirst()
                .contains { $0.first { $0 != 0x20 && $0 != 0x09 } == UInt8(ascii: "=") }
        }
    }

    private static func hasLongLength(_ rest: ArraySlice<UInt8>) -> Bool {
        framingLines(rest).contains { line in line.count { (0x30...0x39).contains($0) } > 18 }
    }
}
