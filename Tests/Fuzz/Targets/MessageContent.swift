import BerthHTTP

/// What a message's content came to.
enum MessageContent: Equatable {
    /// The content, and the octets that it takes up on the wire.
    case complete([UInt8], length: Int)
    /// The input ends before the content does.
    case incomplete([UInt8])
    case malformed(RequestRejection)

    /// Reads the content behind the head of a request.
    init(of head: RequestHead, _ input: [UInt8]) {
        let rest = input[Int(head.headLength)...]
        switch head.framing {
        case .contentLength:
            let isThere = Int64(rest.count) >= head.contentLength
            self =
                isThere
                ? .complete(Array(rest.prefix(Int(head.contentLength))), length: Int(head.contentLength))
                : .incomplete(Array(rest))
        case .chunked: self.init(chunked: Array(rest))
        default: self = .complete([], length: 0)
        }
    }

    /// Takes the chunked coding off, fed in pieces that end at `cuts`.
    init(chunked input: [UInt8], cuts: [Int] = []) {
        var decoder = ChunkedDecoder()
        var content: [UInt8] = []
        var start = 0
        for cut in cuts + [input.count] {
            let piece = Array(input[start..<cut])
            var used = 0
            let ending = Pieces.withExactly(piece, piece.count) { memory -> MessageContent? in
                while true {
                    switch decoder.next(memory + used, piece.count - used) {
                    case .data(let offset, let length):
                        content += UnsafeBufferPointer(start: memory + used + offset, count: length)
                        used += offset + length
                    case .needMore(let consumed):
                        // Everything shown is to be used up.
                        return consumed == piece.count - used ? nil : .malformed(.chunkSizeMalformed)
                    case .end(let consumed): return .complete(content, length: start + used + consumed)
                    case .malformed(let reason): return .malformed(reason)
                    }
                }
            }
            if let ending {
                self = ending
                return
            }
            start = cut
        }
        self = .incomplete(content)
    }
}
