import BerthHTTP

/// Reads one HTTP/1.1 response, some octets at a time, and hands out its content without the transfer coding.
///
/// As strict as the daemon is with its own workers: what deviates from RFC 9112 is refused, so that a client talking to
/// something that is no daemon says so at once.
package struct ControlResponseReader {
    package struct Head: Equatable {
        package var status: Int
        /// In lower case and without parameters.
        package var mediaType: String?
    }

    /// What is wrong with the response, as a clause.
    package struct Fault: Error, Equatable { package var what: String }

    /// Octets of a response head: as many as the daemon takes of a request's.
    package static let headSizeMax = 16_384
    /// Interim responses (1xx) before the response: RFC 9110 §15.2 allows any number, the daemon sends none.
    package static let interimMax = 8

    /// What the next octet belongs to.
    private enum State {
        case head
        /// Content of known length, with what is left of it, at least one octet.
        case content(Int)
        /// Content that ends with the connection.
        case contentUntilClose
        case chunks(ChunkedDecoder)
        case complete
    }

    /// Known once the response head was read.
    package private(set) var head: Head?
    package private(set) var isComplete = false
    private var state = State.head
    private let parser = ResponseParser(limits: ParserLimits(requestBytesMax: headSizeMax, fieldLengthMax: headSizeMax))
    private var parsed = ResponseHead()
    private var fields: [FieldSlice]
    /// The octets of the head so far: the parser wants all of them from the first one on.
    private var pending: [UInt8] = []
    private var interimCount = 0

    package init() { fields = Array(repeating: FieldSlice(), count: parser.limits.fieldsMax) }

    /// Takes the next octets from the connection; returns the content among them.
    package mutating func read(_ octets: some Collection<UInt8>) throws(Fault) -> [UInt8] {
        var rest = Array(octets)
        var content: [UInt8] = []
        while !rest.isEmpty {
            switch state {
            case .head: rest = try readHead(rest)
            case .content(let left):
                content += rest.prefix(left)
                if rest.count >= left { complete() } else { state = .content(left - rest.count) }
                rest.removeFirst(min(left, rest.count))
            case .contentUntilClose:
                content += rest
                rest = []
            case .chunks(var decoder):
                rest = try readChunks(rest, &decoder, &content)
                if !isComplete { state = .chunks(decoder) }
            case .complete: throw Fault(what: "the response goes on behind its end")
            }
        }
        return content
    }

    /// The connection has ended. Returns whether the response has, too.
    package mutating func end() -> Bool {
        if case .contentUntilClose = state { complete() }
        return isComplete
    }

    private mutating func complete() { (state, isComplete) = (.complete, true) }

    /// Returns the octets behind the head; none as long as it is not complete.
    private mutating func readHead(_ octets: [UInt8]) throws(Fault) -> [UInt8] {
        pending += octets
        let outcome = pending.withUnsafeBufferPointer { bytes in
            fields.withUnsafeMutableBufferPointer { fields in
                // Neither is empty: octets were appended, and fieldsMax is at least 1.
                guard let bytes = bytes.baseAddress, let fields = fields.baseAddress else {
                    return ResponseOutcome.incomplete
                }
                return parser.parse(&parsed, bytes, pending.count, fields: fields)
            }
        }
        switch outcome {
        case .incomplete: return []
        case .rejected(.statusLineMalformed): throw Fault(what: "the answer is no HTTP response")
        case .rejected(let reason): throw Fault(what: "the response \(reason.detail)")
        case .complete: break
        }
        let rest = Array(pending.dropFirst(Int(parsed.headLength)))
        if parsed.status < 200 {
            interimCount += 1
            guard parsed.isInterim, interimCount <= Self.interimMax else {
                throw Fault(what: "the response is interim, which nobody asked for")
            }
        } else {
            begin()
        }
        (pending, parsed) = ([], ResponseHead())
        return rest
    }

    /// The head is complete: what follows?
    private mutating func begin() {
        head = Head(status: Int(parsed.status), mediaType: mediaType)
        // Every request of ours has content in its response: HEAD is never sent.
        switch parsed.framing(requestMethod: .get) {
        case .none: complete()
        case .contentLength:
            if parsed.contentLength == 0 { complete() } else { state = .content(Int(parsed.contentLength)) }
        case .chunked: state = .chunks(ChunkedDecoder())
        case .untilClose: state = .contentUntilClose
        }
    }

    private var mediaType: String? {
        guard let field = fields.prefix(Int(parsed.fieldCount)).first(where: { $0.fieldID == .contentType }) else {
            return nil
        }
        let start = Int(field.valueOffset)
        let value = String(decoding: pending[start..<(start + Int(field.valueLength))], as: UTF8.self)
        return String(value.prefix { $0 != ";" && $0 != " " && $0 != "\t" }).lowercased()
    }

    /// Appends the content among `octets`; returns what lies behind the last chunk.
    private mutating func readChunks(
        _ octets: [UInt8], _ decoder: inout ChunkedDecoder, _ content: inout [UInt8]
    ) throws(Fault) -> [UInt8] {
        var index = 0
        while true {
            let step = octets[index...].withUnsafeBufferPointer { bytes in
                bytes.baseAddress.map { decoder.next($0, bytes.count) } ?? .needMore(consumed: 0)
            }
            switch step {
            case .data(let offset, let length):
                content += octets[(index + offset)..<(index + offset + length)]
                index += offset + length
            case .needMore: return []
            case .end(let consumed):
                complete()
                return Array(octets.dropFirst(index + consumed))
            case .malformed(let reason): throw Fault(what: "a chunk is malformed: \(reason.detail)")
            }
        }
    }
}
