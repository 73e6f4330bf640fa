import Testing

@Suite("the properties that libFuzzer checks")
struct FuzzMutationTests {
    @Test("hold for mutations of them (fixed seeds)", arguments: FuzzTarget.allCases)
    func mutated(_ target: FuzzTarget) {
        let seed: UInt64 = 0xbe27_f022
        var mutation = Mutation(
            seed: seed, of: Corpus.inputs(of: target).map(\.octets), words: Self.words[target] ?? [])
        let isConfiguration = target == .configuration || target == .webconfig
        for round in 0..<(isConfiguration ? 300 : 2_000) {
            let input = mutation.next()
            do { try target.check(input) } catch {
                Issue.record("\(target) seed \(seed) round \(round): \(error): \(shown(input))")
            }
        }
    }

    private static let words: [FuzzTarget: [String]] = [
        .prefix: [
            "http://", "http+unix:/run/x.sock:/", "*:80:", "[::1]", "127.0.0.1", "+", "*.", "xn--", "65536", "é",
        ],
        .configuration: ["[[", "]]", "=", "'''", "\"\"\"", "\\u0000", "[site]\n", "[[application]]\n", "true", "1e9"],
        .webconfig: ["<", "/>", "</", "&amp;", "&#0;", "<!DOCTYPE a>", "<![CDATA[", "<aspNetCore ", "='", "%HOME%"],
    ]
}
