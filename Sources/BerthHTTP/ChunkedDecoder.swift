import CBerthBytes

/// What the decoder of the chunked coding found at the octets it was shown.
public enum ChunkStep: Equatable, Sendable, BitwiseCopyable {
    /// `length` octets of content at `offset`; everything up to their end is used up. Go on behind them.
    case data(offset: Int, length: Int)
    /// Everything shown (`consumed` octets) is used up, and there is more to come.
    case needMore(consumed: Int)
    /// The last chunk and its trailer section are complete after `consumed` octets; what follows is the next message.
    case end(consumed: Int)
    case malformed(RequestRejection)
}

/// Takes chunks apart (RFC 9112 §7.1), in place: content is reported where it lies.
///
/// A state machine of 32 octets without pointers that uses up whatever it is shown, so nothing has to be kept between two
/// reads. CRLF is strict and sizes are hexadecimal digits and nothing else. Extensions are held to their grammar and to a
/// limit, and skipped; whitespace stands where the grammar has it (BWS, which has to be read: RFC 9110 §5.6.3) and nowhere else.
///
/// Trailer fields are checked, counted against a limit and dropped (RFC 9112 §7.1.2 allows that): none is merged into the
/// head or passed on, so that one named Content-Length or Host can do no harm.
public struct ChunkedDecoder: Sendable, BitwiseCopyable {
    /// Hexadecimal digits of a chunk size, leading zeros included; 15 of them cannot overflow an Int64.
    public static let sizeDigitsMax: UInt8 = 15
    /// Octets of chunk extensions in one message, from behind the size to the CR. Source: Go's net/http allows 16 KiB more than
    /// the content.
    public static let extensionOctetsMax: UInt32 = 16_384
    /// Octets of a trailer section. Source: HTTP.sys holds a field to `MaxFieldLength`, 16 384.
    public static let trailerOctetsMax: UInt32 = 16_384

    /// What the next octet has to be.
    private enum State: UInt8 {
        /// The first digit of a chunk size.
        case size
        /// Another digit, the `;` of an extension or whitespace before it, or CR.
        case sizeOrEnd
        /// The `;` of an extension, or more whitespace before it.
        case extensionStart
        /// The first octet of an extension's name, or whitespace before it.
        case extensionNameStart
        /// An octet of an extension's name, what may follow a name, or CR.
        case extensionName
        /// `=`, the next `;`, or more whitespace behind an extension's name.
        case extensionNameEnd
        /// The first octet of an extension's value, or whitespace before it.
        case extensionValueStart
        /// An octet of a value that is a token, whitespace or `;` behind it, or CR.
        case extensionToken
        /// An octet inside the quotes of a value.
        case extensionQuoted
        /// The octet behind a backslash inside quotes.
        case extensionEscaped
        /// Behind the closing quote: whitespace, `;` or CR.
        case extensionQuotedEnd
        /// LF after the size.
        case sizeLineFeed
        /// Content; `remaining` octets of it.
        case data
        /// CR behind the content of a chunk.
        case dataReturn
        /// LF behind the content of a chunk.
        case dataLineFeed
        /// The first octet of a trailer field, or CR of the last empty line.
        case trailerStart
        /// An octet of the name of a trailer field, or its colon.
        case trailerName
        /// An octet of the value of a trailer field, or CR.
        case trailerValue
        /// LF behind a trailer field.
        case trailerLineFeed
        /// LF of the last empty line.
        case lastLineFeed
        /// Nothing: the message is complete.
        case done
    }

    private var remaining: UInt64 = 0
    private var extensionOctets: UInt32 = 0
    private var trailerOctets: UInt32 = 0
    private var state = State.size
    private var digits: UInt8 = 0

    public init() {}

    /// Whether the last chunk and the trailer section have been seen.
    public var isDone: Bool { state == .done }

    /// Content still to come of the chunk that was begun; 0 between chunks.
    public var remainingInChunk: UInt64 { state == .data ? remaining : 0 }

    /// Reads on at the first of `count` octets. Cost: some instructions an octet of framing, none an octet of content.
    ///
    /// After `.malformed` the decoder must not be used again; after `.end` it answers `.end(consumed: 0)`.
    public mutating func next(_ p: UnsafePointer<UInt8>, _ count: Int) -> ChunkStep {
        var index = 0
        while index < count {
            let octet = p[index]
            switch state {
            case .size, .sizeOrEnd:
                let value = cberth_hex_value(octet)
                if value >= 0 {
                    if digits >= Self.sizeDigitsMax { return .malformed(.chunkSizeTooLarge) }
                    digits &+= 1
                    remaining = remaining << 4 | UInt64(truncatingIfNeeded: value)
                    state = .sizeOrEnd
                } else if state == .sizeOrEnd, octet == 0x0d {
                    state = .sizeLineFeed
                } else if state == .sizeOrEnd, octet == 0x3b || OctetRules.isWhitespace(octet) {
                    state = .extensionStart
                    if let reason = readExtension(octet) { return .malformed(reason) }
                } else {
                    return .malformed(.chunkSizeMalformed)
                }
            case .extensionStart, .extensionNameStart, .extensionName, .extensionNameEnd, .extensionValueStart,
                .extensionToken, .extensionQuoted, .extensionEscaped, .extensionQuotedEnd:
                if let reason = readExtension(octet) { return .malformed(reason) }
            case .sizeLineFeed:
                if octet != 0x0a { return .malformed(.chunkSizeMalformed) }
                digits = 0
                state = remaining == 0 ? .trailerStart : .data
            case .data:
                let length = remaining < UInt64(count &- index) ? Int(remaining) : count &- index
                remaining &-= UInt64(length)
                if remaining == 0 { state = .dataReturn }
                return .data(offset: index, length: length)
            case .dataReturn:
                if octet != 0x0d { return .malformed(.chunkDataUnterminated) }
                state = .dataLineFeed
            case .dataLineFeed:
                if octet != 0x0a { return .malformed(.chunkDataUnterminated) }
                state = .size
            case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed:
                if let reason = readTrailer(octet) { return .malformed(reason) }
            case .done:
                return .end(consumed: index)
            }
            index &+= 1
        }
        return state == .done ? .end(consumed: index) : .needMore(consumed: index)
    }

    /// chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS ( token / quoted-string ) ] ), up to the CR.
    private mutating func readExtension(_ octet: UInt8) -> RequestRejection? {
        guard let next = stateInExtension(after: octet) else { return .chunkExtensionMalformed }
        state = next
        if next == .sizeLineFeed { return nil }
        extensionOctets &+= 1
        return extensionOctets > Self.extensionOctetsMax ? .chunkExtensionsTooLong : nil
    }

    /// Nil: the grammar has no such octet there.
    private func stateInExtension(after octet: UInt8) -> State? {
        let isWhitespace = OctetRules.isWhitespace(octet)
        switch state {
        case .extensionNameStart:
            if isWhitespace { return .extensionNameStart }
            return cberth_is_token(octet) ? .extensionName : nil
        case .extensionName, .extensionNameEnd:
            if isWhitespace { return .extensionNameEnd }
            if octet == 0x3d { return .extensionValueStart }
            if octet == 0x3b { return .extensionNameStart }
            if state == .extensionNameEnd { return nil }
            return cberth_is_token(octet) ? .extensionName : octet == 0x0d ? .sizeLineFeed : nil
        case .extensionValueStart:
            if isWhitespace { return .extensionValueStart }
            return cberth_is_token(octet) ? .extensionToken : octet == 0x22 ? .extensionQuoted : nil
        case .extensionQuoted:
            if octet == 0x22 { return .extensionQuotedEnd }
            if octet == 0x5c { return .extensionEscaped }
            return Self.isText(octet) ? .extensionQuoted : nil
        case .extensionEscaped:
            return Self.isText(octet) ? .extensionQuoted : nil
        default:
            // Behind a size or a value.
            if isWhitespace { return .extensionStart }
            if octet == 0x3b { return .extensionNameStart }
            if state == .extensionStart { return nil }
            if octet == 0x0d { return .sizeLineFeed }
            return state == .extensionToken && cberth_is_token(octet) ? .extensionToken : nil
        }
    }

    /// HTAB, SP, a visible character or obs-text: what a quoted-string and a field value are made of.
    private static func isText(_ octet: UInt8) -> Bool { octet >= 0x20 ? octet != 0x7f : octet == 0x09 }

    private mutating func readTrailer(_ octet: UInt8) -> RequestRejection? {
        trailerOctets &+= 1
        if trailerOctets > Self.trailerOctetsMax { return .trailerTooLong }
        switch state {
        case .trailerStart:
            if octet == 0x0d {
                state = .lastLineFeed
            } else if cberth_is_token(octet) {
                state = .trailerName
            } else {
                return .trailerMalformed
            }
        case .trailerName:
            if octet == 0x3a {
                state = .trailerValue
            } else if !cberth_is_token(octet) {
                return .trailerMalformed
            }
        case .trailerValue:
            if octet == 0x0d {
                state = .trailerLineFeed
            } else if !Self.isText(octet) {
                return .trailerMalformed
            }
        case .trailerLineFeed:
            if octet != 0x0a { return .trailerMalformed }
            state = .trailerStart
        default:
            if octet != 0x0a { return .trailerMalformed }
            state = .done
        }
        return nil
    }
}
