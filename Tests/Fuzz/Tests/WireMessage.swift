/// A request as a parser found it among octets, for comparing two parsers.
struct WireMessage: Equatable {
    struct Field: Equatable {
        var name: [UInt8]
        var value: [UInt8]
    }

    var method: [UInt8]
    var target: [UInt8]
    var minor: Int
    var fields: [Field]
    var content: [UInt8]
    /// Its content came to its end.
    var isComplete: Bool
    /// The connection can carry another request.
    var isPersistent: Bool
    /// Asks for another protocol.
    var isUpgrade: Bool
}

/// What a parser made of octets: requests, and what came after the last of them.
struct WireReading {
    enum Ending: Equatable {
        /// Nothing is left, or the connection ends here by what was said on it.
        case clean
        /// The octets ran out.
        case more
        /// Refused, for a reason in the parser's own words.
        case refused(String)
    }

    var messages: [WireMessage] = []
    /// Where each of them ends, as far as the parser tells.
    var ends: [Int] = []
    var ending = Ending.clean

    var refusal: String? { if case .refused(let reason) = ending { reason } else { nil } }
}
