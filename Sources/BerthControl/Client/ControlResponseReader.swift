/// Reads one HTTP/1.1 response, octet group by octet group, and hands out its content without the transfer coding.
///
/// Strict, because the other end is always our own daemon: what deviates from RFC 9112 is refused, so that a client
/// talking to something else says so at once.
package struct ControlResponseReader {
    package struct Head: Equatable {
        package var status: Int
        /// In lower case and without parameters.
        package var mediaType: String?
    }

    /// What is wrong with the response.
    package struct Fault: Error, Equatable { package var what: String }

    /// Octets of a response head, chunk-size line or trailer section: as much as our daemon takes of a request's.
    package static let lineSizeMax = 16 << 10
    /// Interim responses (1xx) before the response: RFC 9110 §15.2 allows any number, we expect none.
    package static let interimMax = 8

    /// What the next octet belongs to.
    private enum State: Equatable {
        case head
        /// Content of known length, with what is left of it.
        case content(Int)
        /// Content that ends with the connection.
        case contentUntilEnd
        case chunkSize
        case chunk(Int)
        case chunkEnd
        case trailers
        case complete
    }

    /// Known once the response head was read.
    package private(set) var head: Head?
    private var state = State.head
    /// Octets of a head or line whose end has not arrived.
    private var pending: [UInt8] = []
    private var interimCount = 0

    package init() {}

    package var isComplete: Bool { state == .complete }

    /// Takes the next octets from the connection; returns the content among them.
    package mutating func read(_ octets: some Collection<UInt8>) throws(Fault) -> [UInt8] {
        var rest = Array(octets)[...]
        var content: [UInt8] = []
        while !rest.isEmpty {
            switch state {
            case .head:
                guard let section = try takeHead(&rest) else { continue }
                try begin(section)
            case .content(let left):
                let piece = rest.prefix(left)
                content += piece
                rest = rest.dropFirst(piece.count)
                state = piece.count == left ? .complete : .content(left - piece.count)
            case .contentUntilEnd:
                content += rest
                rest = []
            case .chunkSize:
                guard let line = try takeLine(&rest) else { continue }
                let size = try Self.chunkSize(line)
                state = size == 0 ? .trailers : .chunk(size)
            case .chunk(let left):
                let piece = rest.prefix(left)
                content += piece
                rest = rest.dropFirst(piece.count)
                state = piece.count == left ? .chunkEnd : .chunk(left - piece.count)
            case .chunkEnd:
                guard let line = try takeLine(&rest) else { continue }
                guard line.isEmpty else { throw Fault(what: "a chunk is longer than it says") }
                state = .chunkSize
            case .trailers:
                guard let line = try takeLine(&rest) else { continue }
                if line.isEmpty { state = .complete }
            case .complete:
                throw Fault(what: "octets after the end of the response")
            }
        }
        return content
    }

    /// The connection has ended. Returns whether the response has, too.
    package mutating func end() -> Bool {
        if state == .contentUntilEnd { state = .complete }
        return state == .complete
    }

    // MARK: Parts

    private mutating func takeLine(_ rest: inout ArraySlice<UInt8>) throws(Fault) -> [UInt8]? {
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "\n") else {
                pending.append(octet)
                guard pending.count <= Self.lineSizeMax else { throw Fault(what: "a line of the response is too long") }
                continue
            }
            guard pending.popLast() == UInt8(ascii: "\r") else { throw Fault(what: "a line ends without CR") }
            defer { pending.removeAll(keepingCapacity: true) }
            return pending
        }
        return nil
    }

    /// All lines through the empty one, without it.
    private mutating func takeHead(_ rest: inout ArraySlice<UInt8>) throws(Fault) -> [[UInt8]]? {
        let end = Array("\r\n\r\n".utf8)
        while let octet = rest.popFirst() {
            pending.append(octet)
            // Said before the limit is reached: a head never begins with anything else.
            if pending.count == 5, pending != Array("HTTP/".utf8) {
                throw Fault(what: "the answer is no HTTP response")
            }
            guard pending.count <= Self.lineSizeMax else { throw Fault(what: "the response head is too large") }
            guard octet == UInt8(ascii: "\n"), pending.suffix(4).elementsEqual(end) else { continue }
            var lines: [[UInt8]] = []
            for line in pending.dropLast(4).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
                lines.append(Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line))
            }
            pending.removeAll(keepingCapacity: true)
            return lines
        }
        return nil
    }

    /// Reads the lines of a response head and decides how its content is framed (RFC 9112 §6.3).
    private mutating func begin(_ lines: [[UInt8]]) throws(Fault) {
        let status = try Self.status(lines[0])
        var contentLength: Int?
        var isChunked = false
        var mediaType: String?
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
                !line.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F })
            else { throw Fault(what: "a field line is malformed") }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = Self.trimmed(String(decoding: line[(colon + 1)...], as: UTF8.self))
            switch name {
            case "content-length":
                guard contentLength == nil, let length = Self.decimal(value) else {
                    throw Fault(what: "the Content-Length is malformed")
                }
                contentLength = length
            case "transfer-encoding":
                guard !isChunked, value.lowercased() == "chunked" else {
                    throw Fault(what: "the transfer coding is not chunked")
                }
                isChunked = true
            case "content-type":
                mediaType = Self.trimmed(String(value.prefix { $0 != ";" })).lowercased()
            default: break
            }
        }
        guard !(isChunked && contentLength != nil) else {
            throw Fault(what: "both Content-Length and a transfer coding")
        }
        if (100...199).contains(status) {
            interimCount += 1
            guard interimCount <= Self.interimMax, status != 101 else {
                throw Fault(what: "an interim response that was not asked for")
            }
            return
        }
        head = Head(status: status, mediaType: mediaType)
        if status == 204 || status == 304 {
            state = .complete
        } else if isChunked {
            state = .chunkSize
        } else if let contentLength {
            state = contentLength == 0 ? .complete : .content(contentLength)
        } else {
            state = .contentUntilEnd
        }
    }

    /// `HTTP/1.x SP 3DIGIT SP [reason]` (RFC 9112 §4).
    private static func status(_ line: [UInt8]) throws(Fault) -> Int {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].elementsEqual("HTTP/1.1".utf8) || parts[0].elementsEqual("HTTP/1.0".utf8),
            parts[1].count == 3, let status = decimal(String(decoding: parts[1], as: UTF8.self)), status >= 100
        else { throw Fault(what: "the status line is malformed") }
        return status
    }

    /// The size in front of a chunk, extensions ignored (RFC 9112 §7.1).
    private static func chunkSize(_ line: [UInt8]) throws(Fault) -> Int {
        let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") && $0 != 0x09 }
        guard (1...15).contains(digits.count), digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-"),
            let size = Int(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw Fault(what: "a chunk size is malformed") }
        return size
    }

    /// Digits only, and few enough not to overflow.
    private static func decimal(_ text: String) -> Int? {
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(String(text.drop(while: isSpace).reversed()).drop(while: isSpace).reversed())
    }
}
