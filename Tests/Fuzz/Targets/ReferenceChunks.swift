import BerthHTTP

/// The chunked coding read straight from its grammar (RFC 9112 §7.1), slowly: what the decoder has to agree with.
enum ReferenceChunks {
    case complete([UInt8], end: Int)
    case incomplete([UInt8])
    /// The limit that was passed, or nil for a defect of the grammar.
    case malformed(RequestRejection?)

    /// What ends the reading before the message does.
    private enum Stop: Error { case end, defect, limit(RequestRejection) }

    static func read(_ input: [UInt8]) -> ReferenceChunks {
        var content: [UInt8] = []
        var reader = Reader(input: input)
        do {
            while true {
                let size = try reader.sizeLine()
                if size == 0 { break }
                for _ in 0..<size { content.append(try reader.octet()) }
                try reader.lineEnd()
            }
            while try reader.trailer() {}
            return .complete(content, end: reader.place)
        } catch Stop.limit(let limit) {
            return .malformed(limit)
        } catch Stop.end {
            return .incomplete(content)
        } catch {
            return .malformed(nil)
        }
    }

    private struct Reader {
        let input: [UInt8]
        var place = 0
        var extensionOctets = 0
        var trailerOctets = 0

        mutating func octet() throws -> UInt8 {
            if place == input.count { throw Stop.end }
            place += 1
            return input[place - 1]
        }

        mutating func lineEnd() throws {
            for expected: UInt8 in [0x0d, 0x0a] { if try octet() != expected { throw Stop.defect } }
        }

        /// chunk-size [ chunk-ext ] CRLF.
        mutating func sizeLine() throws -> UInt64 {
            var size: UInt64 = 0
            var digits = 0
            while true {
                let octet = try octet()
                if let digit = octet < 0x80 ? Character(Unicode.Scalar(octet)).hexDigitValue : nil {
                    digits += 1
                    if digits > Int(ChunkedDecoder.sizeDigitsMax) { throw Stop.limit(.chunkSizeTooLarge) }
                    size = size * 16 + UInt64(digit)
                } else if digits > 0, octet == 0x0d {
                    break
                } else if digits > 0, octet == UInt8(ascii: ";") || Self.whitespace.contains(octet) {
                    place -= 1
                    try skipExtensions()
                    break
                } else {
                    throw Stop.defect
                }
            }
            if try octet() != 0x0a { throw Stop.defect }
            return size
        }

        /// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ), and the CR behind it.
        private mutating func skipExtensions() throws {
            while try peek() != 0x0d {
                try skipWhitespace()
                try skip { $0 == UInt8(ascii: ";") }
                try skipWhitespace()
                try skipToken()
                let isBeforeWhitespace = Self.whitespace.contains(try peek())
                try skipWhitespace()
                if try peek() == UInt8(ascii: "=") {
                    try skip { _ in true }
                    try skipWhitespace()
                    if try peek() == UInt8(ascii: "\"") { try skipQuotedString() } else { try skipToken() }
                } else if isBeforeWhitespace, try peek() != UInt8(ascii: ";") {
                    throw Stop.defect
                }
            }
            place += 1
        }

        /// The next octet, which stays the next.
        private func peek() throws -> UInt8 {
            if place == input.count { throw Stop.end }
            return input[place]
        }

        /// Takes an octet of an extension that has to pass.
        private mutating func skip(_ passes: (UInt8) -> Bool) throws {
            if !passes(try peek()) { throw Stop.defect }
            place += 1
            extensionOctets += 1
            if extensionOctets > Int(ChunkedDecoder.extensionOctetsMax) { throw Stop.limit(.chunkExtensionsTooLong) }
        }

        private mutating func skipWhitespace() throws {
            while Self.whitespace.contains(try peek()) { try skip { _ in true } }
        }

        private mutating func skipToken() throws {
            repeat { try skip(Self.token.contains) } while Self.token.contains(try peek())
        }

        private mutating func skipQuotedString() throws {
            let isText: (UInt8) -> Bool = { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7f }
            try skip { $0 == UInt8(ascii: "\"") }
            while try peek() != UInt8(ascii: "\"") {
                let isEscape = try peek() == UInt8(ascii: "\\")
                try skip(isText)
                if isEscape { try skip(isText) }
            }
            try skip { _ in true }
        }

        private mutating func trailerOctet() throws -> UInt8 {
            let octet = try octet()
            trailerOctets += 1
            if trailerOctets > Int(ChunkedDecoder.trailerOctetsMax) { throw Stop.limit(.trailerTooLong) }
            return octet
        }

        /// A field line, or false for the empty line.
        mutating func trailer() throws -> Bool {
            var octet = try trailerOctet()
            if octet == 0x0d {
                if try trailerOctet() != 0x0a { throw Stop.defect }
                return false
            }
            var nameLength = 0
            while octet != UInt8(ascii: ":") {
                if !Self.token.contains(octet) { throw Stop.defect }
                nameLength += 1
                octet = try trailerOctet()
            }
            if nameLength == 0 { throw Stop.defect }
            while true {
                octet = try trailerOctet()
                if octet == 0x0d { break }
                if octet != 0x09, octet < 0x20 || octet == 0x7f { throw Stop.defect }
            }
            if try trailerOctet() != 0x0a { throw Stop.defect }
            return true
        }

        private static let whitespace: Set<UInt8> = [0x20, 0x09]
        private static let token = Set(
            "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    }
}
