import Glibc
import TestSupport
import Testing

@Suite("Berth and llhttp read the same requests out of the same octets")
struct DifferentialTests {
    private static let node = Files.program("node")

    /// Inputs compared; `scripts/differential` asks for more.
    private static let count = setting("BERTH_DIFFERENTIAL_CASES") ?? 20_000
    private static let seed = UInt64(setting("BERTH_DIFFERENTIAL_SEED") ?? 0xbe27_d1ff)

    private static func setting(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }

    @Test(
        "or differ in a way that is explained (fixed seed)",
        .enabled(if: node != nil, "node is not there: scripts/setup test installs it"))
    func explained() throws {
        let node = try #require(Self.node)
        let sources = Corpus.inputs(of: .request).map(\.octets)
        var mutation = Mutation(seed: Self.seed, of: sources)
        let inputs = sources + (0..<Self.count).map { _ in mutation.next() }
        // What a reader that waits for more would say in the end.
        let readings = try WireReading.llhttp(inputs + inputs.map { $0 + Comparison.ending }, node: node)
        let version = try WireReading.llhttpVersion(node: node)
        var counts: [Disagreement: Int] = [:]
        var agreed = 0
        var unexplained: [String: (count: Int, example: String)] = [:]
        for (index, input) in inputs.enumerated() {
            let comparison = Comparison(
                of: input, llhttp: readings[index], llhttpInTheEnd: readings[inputs.count + index],
                version: version)
            switch comparison.verdict {
            case .same: agreed += 1
            case .explained(let disagreement): counts[disagreement, default: 0] += 1
            case .unexplained(let what):
                let (example, known) = (shown(input), unexplained[what])
                let shortest = known.map { $0.example.count < example.count ? $0.example : example } ?? example
                unexplained[what] = ((known?.count ?? 0) + 1, shortest)
            }
        }
        print("differential: \(inputs.count) inputs, seed \(Self.seed): \(agreed) read the same")
        for (disagreement, count) in counts.sorted(by: { $0.value > $1.value }) {
            print("differential: \(count) \(disagreement.rawValue)")
        }
        for (what, found) in unexplained.sorted(by: { $0.value.count > $1.value.count }) {
            Issue.record("\(found.count) times, seed \(Self.seed): \(what): \(found.example)")
        }
        #expect(agreed > inputs.count / 3, "the comparison must not hold for want of requests that both take")
    }

    @Test("and docs/FUZZING.md has a row for every such way")
    func documented() throws {
        let page = try #require(Files.text("\(Corpus.folder)/../../docs/FUZZING.md"))
        for disagreement in Disagreement.allCases {
            #expect(page.contains("| `\(disagreement.rawValue)` |"), "\(disagreement)")
        }
    }
}
