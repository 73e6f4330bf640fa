import BerthHTTP

/// Request heads: the pieces do not matter, nothing lies outside, and what is accepted reaches a worker as it was.
enum RequestProperties {
    /// So small that a short input meets every limit.
    static let tight = ParserLimits(
        requestBytesMax: 256, fieldLengthMax: 64, urlLengthMax: 64, fieldsMax: 5, methodLengthMax: 16)

    static func check(_ input: [UInt8]) throws {
        try checkPieces(input, limits: tight)
        let reading = try checkPieces(input, limits: ParserLimits())
        if reading.outcome == .complete { try ForwardingProperties.check(input, reading) }
    }

    /// The reading that every way to cut the input gives.
    @discardableResult
    static func checkPieces(_ input: [UInt8], limits: ParserLimits) throws -> RequestReading {
        let whole = RequestReading(input, limits: limits)
        for cuts in Pieces.cuts(of: input) {
            let again = RequestReading(input, cuts: cuts, limits: limits)
            try require(again == whole, "in pieces \(cuts.prefix(3)): \(again.outcome), whole: \(whole.outcome)")
        }
        guard whole.outcome == .complete else { return whole }
        try whole.checkPlaces(in: input)
        // The head ends where it ends: one octet less is not enough, and what follows is not looked at.
        let end = Int(whole.head.headLength)
        let short = RequestReading(Array(input[..<(end - 1)]), limits: limits)
        try require(short.outcome == .incomplete, "complete before its last octet: \(short.outcome)")
        try require(RequestReading(Array(input[..<end]), limits: limits) == whole, "what follows the head changes it")
        return whole
    }
}
