/// Two readings of the same octets, judged.
struct Comparison {
    enum Verdict: Equatable {
        case same
        case explained(Disagreement)
        /// In words that are the same for the same kind of difference.
        case unexplained(String)
    }

    /// What completes a head that was cut short: a parser that still waits has to say what it thinks of it.
    static let ending: [UInt8] = Array("\r\n\r\n".utf8)

    let verdict: Verdict

    /// - Parameters:
    ///   - llhttpInTheEnd: llhttp's reading of the same octets with `ending` behind them.
    ///   - version: llhttp's, the first of its numbers.
    init(of input: [UInt8], llhttp: WireReading, llhttpInTheEnd: WireReading, version: Int) {
        let berth = WireReading(berth: input)
        let later = WireReading(berth: input + Self.ending)
        verdict = Self.compare(input, berth, later, llhttp, llhttpInTheEnd, version)
    }

    private static func compare(
        _ input: [UInt8], _ berth: WireReading, _ berthInTheEnd: WireReading, _ llhttp: WireReading,
        _ llhttpInTheEnd: WireReading, _ version: Int
    ) -> Verdict {
        for (ours, theirs) in zip(berth.messages, llhttp.messages) {
            if let what = difference(ours, theirs) {
                if what == "persistence", namesBothKeepAliveAndClose(ours) { return .explained(.keepAliveAndClose) }
                if what == "the upgrade", namesNoProtocol(ours) { return .explained(.emptyUpgrade) }
                return .unexplained("\(what) differs")
            }
            // llhttp leaves the connection to the other protocol here, and Berth's listener may too.
            if theirs.isUpgrade { return .same }
        }
        let (ours, theirs) = (berth.messages.count, llhttp.messages.count)
        // The request that is judged differently: the one that llhttp has begun, or the next.
        let judged = llhttp.messages.last?.isComplete == false ? min(ours, theirs - 1) : min(ours, theirs)
        let rest = input[min(berth.ends.prefix(judged).last ?? 0, input.count)...]
        if let reason = berth.refusal, ours <= theirs {
            // A refusal behind the head has shown the head before.
            let refusesTheSame =
                llhttp.refusal != nil
                && (ours == theirs || ours + 1 == theirs && llhttp.messages.last?.isComplete == false)
            let refusesLater = ours == theirs && llhttp.ending == .more && llhttpInTheEnd.refusal != nil
            if refusesTheSame || refusesLater { return .same }
            return Disagreement.stricter(reason, rest, llhttp: version).map { .explained($0) }
                ?? .unexplained("stricter: \(reason)")
        }
        if let code = llhttp.refusal, theirs <= ours {
            // It judges a request line before it has come to its end.
            if ours == theirs, berth.ending == .more, berthInTheEnd.refusal != nil { return .same }
            if code == "HPE_CLOSED_CONNECTION", judged > 0 {
                // What closed it is the request before.
                let start = judged > 1 ? berth.ends[judged - 2] : 0
                let before = input[start..<min(berth.ends[judged - 1], input.count)]
                return Disagreement.connectionClosed(before, berth.messages[judged - 1]).map { .explained($0) }
                    ?? .unexplained("laxer: \(code)")
            }
            let message = theirs > judged && judged < ours ? berth.messages[judged] : nil
            return Disagreement.laxer(code, rest, message).map { .explained($0) } ?? .unexplained("laxer: \(code)")
        }
        if ours == theirs {
            if berth.ending == llhttp.ending { return .same }
            if let known = Disagreement.ending(input, berth, llhttp: version) { return .explained(known) }
        }
        return .unexplained("\(ours) requests, then \(berth.ending); llhttp \(theirs), then \(llhttp.ending)")
    }

    /// What is not the same about a request that both take; nil: nothing.
    private static func difference(_ ours: WireMessage, _ theirs: WireMessage) -> String? {
        if ours.method != theirs.method { return "the method" }
        if ours.target != theirs.target { return "the target" }
        if ours.minor != theirs.minor { return "the version" }
        if ours.fields != theirs.fields { return "a field" }
        if ours.isUpgrade != theirs.isUpgrade { return "the upgrade" }
        let length = min(ours.content.count, theirs.content.count)
        if ours.content.prefix(length) != theirs.content.prefix(length) { return "the content" }
        if ours.isComplete, theirs.isComplete, ours.content != theirs.content { return "the end of the content" }
        return ours.isPersistent == theirs.isPersistent ? nil : "persistence"
    }

    private static func values(_ name: String, _ message: WireMessage) -> [String] {
        message.fields.filter { String(decoding: $0.name, as: UTF8.self).lowercased() == name }
            .map { String(decoding: $0.value, as: UTF8.self).lowercased() }
    }

    private static func namesBothKeepAliveAndClose(_ message: WireMessage) -> Bool {
        let options = values("connection", message).joined(separator: ",")
        return message.minor == 0 && !message.isPersistent && options.contains("close")
            && options.contains("keep-alive")
    }

    private static func namesNoProtocol(_ message: WireMessage) -> Bool {
        message.isUpgrade && values("upgrade", message).allSatisfy(\.isEmpty)
    }
}
