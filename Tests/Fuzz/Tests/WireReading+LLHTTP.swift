import TestSupport

extension WireReading {
    /// What llhttp makes of each of these octets, through the machine's Node.
    static func llhttp(_ inputs: [[UInt8]], node: String) throws -> [WireReading] {
        let folder = try TemporaryFolder()
        var octets: [UInt8] = []
        for input in inputs {
            for shift in [0, 8, 16, 24] { octets.append(UInt8(truncatingIfNeeded: input.count >> shift)) }
            octets += input
        }
        let cases = try folder.write("cases", octets)
        let process = try ChildProcess(
            [node, "--no-deprecation", "\(Corpus.folder)/Differential/llhttp.cjs", cases, folder.path + "/results"])
        guard try process.wait(seconds: 300) == .status(0), let results = folder.read("results") else {
            throw Violation(description: "node failed: \(process.output.text)")
        }
        let readings = try results.split(separator: "\n").map { try WireReading(line: $0) }
        try require(readings.count == inputs.count, "node answered \(readings.count) of \(inputs.count)")
        return readings
    }

    /// The first of the version's numbers: 9 of 9.3.1.
    static func llhttpVersion(node: String) throws -> Int {
        let process = try ChildProcess([node, "-p", "process.versions.llhttp"])
        guard try process.wait() == .status(0), let version = Int(process.output.text.prefix { $0 != "." }) else {
            throw Violation(description: "node does not tell its llhttp: \(process.output.text)")
        }
        return version
    }

    /// A line of `llhttp.cjs`.
    private init(line: Substring) throws {
        var words = line.split(separator: " ")[...]
        func word() throws -> Substring {
            guard let word = words.popFirst() else { throw Violation(description: "a line is too short") }
            return word
        }
        func number() throws -> Int { Int(try word()) ?? -1 }
        func text() throws -> [UInt8] {
            let word = Array(try word().utf8)
            if word == [UInt8(ascii: "-")] { return [] }
            return stride(from: 0, to: word.count - 1, by: 2).map { index in
                UInt8(String(decoding: word[index...(index + 1)], as: UTF8.self), radix: 16) ?? 0
            }
        }
        let end = String(try word())
        ending = end == "ok" ? .clean : end == "more" ? .more : .refused(end)
        for _ in 0..<(try number()) {
            var message = WireMessage(
                method: try text(), target: try text(), minor: try number(), fields: [], content: [],
                isComplete: try number() == 1, isPersistent: try number() == 1, isUpgrade: try number() == 1)
            message.content = try text()
            for _ in 0..<(try number()) { message.fields.append(.init(name: try text(), value: try text())) }
            messages.append(message)
        }
        // What follows a request that ends the connection is nobody's.
        if end == "HPE_CLOSED_CONNECTION", let last = messages.last, last.isComplete, !last.isPersistent {
            ending = .clean
        }
    }
}
