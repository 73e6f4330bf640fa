import BerthHTTP

/// The chunked coding: the pieces do not matter, it reads what RFC 9112 §7.1 says, and what is coded anew reads the same.
enum ChunkedProperties {
    static func check(_ input: [UInt8]) throws {
        let whole = MessageContent(chunked: input)
        for cuts in Pieces.cuts(of: input) {
            let again = MessageContent(chunked: input, cuts: cuts)
            try require(again == whole, "in pieces \(cuts.prefix(3)): \(again), whole: \(whole)")
        }
        try compare(whole, ReferenceChunks.read(input), input)
        guard case .complete(let content, let length) = whole else { return }
        // Behind the end nothing is looked at.
        try require(MessageContent(chunked: Array(input[..<length])) == whole, "what follows the end changes it")
        let coded = ForwardingProperties.chunked(content, seed: Pieces.hash(of: input))
        try require(
            MessageContent(chunked: coded) == .complete(content, length: coded.count), "coded anew it is not the same")
    }

    private static func compare(_ content: MessageContent, _ reference: ReferenceChunks, _ input: [UInt8]) throws {
        switch (content, reference) {
        case (.complete(let a, let length), .complete(let b, let end)):
            try require(a == b && length == end, "the grammar has \(b.count) octets up to \(end), not up to \(length)")
        case (.incomplete(let a), .incomplete(let b)): try require(a == b, "the content so far is not the grammar's")
        case (.malformed(let reason), .malformed(let limit)):
            try require(limit == nil || limit == reason, "refused as \(reason), not as \(limit.map { "\($0)" } ?? "")")
        default: throw Violation(description: "the grammar says \(reference), the decoder \(content)")
        }
    }
}
