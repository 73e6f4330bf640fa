import Testing

@Suite("the properties that libFuzzer checks")
struct CorpusTests {
    @Test("hold for every input that was kept", arguments: FuzzTarget.allCases)
    func kept(_ target: FuzzTarget) {
        let inputs = Corpus.inputs(of: target)
        #expect(inputs.count >= 5, "the corpus of \(target) is missing")
        for input in inputs {
            do { try target.check(input.octets) } catch {
                Issue.record("corpus/\(target.rawValue)/\(input.name): \(error): \(shown(input.octets))")
            }
        }
    }
}
