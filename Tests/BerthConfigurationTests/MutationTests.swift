import Testing

@testable import BerthConfiguration

@Suite("No text an administrator, or anybody else, can write stops the daemon")
struct MutationTests {
    /// SplitMix64: the same texts every time.
    struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    /// Pieces that mean something to one of the parsers.
    private static let pieces: [[UInt8]] =
        [
            "[[", "]]", "[", "]", "{", "}", "=", "\"", "\"\"\"", "'''", "\n", "#", ".", ",", "\\", "\\u0000",
            "\\U0010FFFF", "-1",
            "9223372036854775807", "1e999", "nan", "true", "1979-05-27", "http://", "https://", "*:80:", "[::1]",
            "/../", "%", "\u{0}",
            "\u{FEFF}", "é", "<", "/>", "&amp;", "&x;", "<!DOCTYPE a>", "<![CDATA[", "%HOME%", "999999999999d",
            "99999999999GiB",
            "\r\n", "[pool.\"\"]\n", "[[application]]\n", "[[module]]\nname=\"x\"\nlibrary=\"/x\"\n",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0x1B]]

    private func mutated(_ text: String, _ random: inout Seeded) -> [UInt8] {
        var octets = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let at = Int.random(in: 0...octets.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: octets.insert(contentsOf: Self.pieces.randomElement(using: &random) ?? [], at: at)
            case 1: octets.removeSubrange(at..<min(octets.count, at + Int.random(in: 0...8, using: &random)))
            case 2: if at < octets.count { octets[at] = UInt8.random(in: 0...255, using: &random) }
            case 3:
                let end = min(octets.count, at + Int.random(in: 0...40, using: &random))
                octets.insert(contentsOf: octets[at..<end], at: Int.random(in: 0...octets.count, using: &random))
            default: octets.removeSubrange(at...)
            }
        }
        return octets
    }

    @Test("three thousand mutated sets of files each come to a verdict", arguments: [1, 2, 3] as [UInt64])
    func mutations(_ seed: UInt64) {
        var random = Seeded(state: seed)
        let folder = "\n[[application]]\npath = \"/core\"\nroot = \"/srv/core\"\n"
        for round in 0..<1000 {
            let site = mutated(Samples.shop + folder, &random)
            let override = mutated("[site]\nid = 3\n[[module]]\nname = \"request-filtering\"\nmax_url = 10\n", &random)
            let daemon = mutated(Samples.daemon, &random)
            let webConfig = mutated(Samples.webConfig, &random)
            let texts = [
                "/s/shop.toml": site, "/s/shop.toml.d/x.toml": override, "/b.toml": daemon,
                "/srv/core/web.config": webConfig,
                "/s/other.toml": Array(Samples.shop.utf8),
            ]
            let files = FileAccess(
                read: { (path, _) throws(FileAccess.Failure) in
                    guard let text = texts[path] else { throw .notFound }
                    return text
                },
                list: { (folder, _) in
                    folder == "/s"
                        ? ["shop.toml", "shop.toml.d", "other.toml"] : folder == "/s/shop.toml.d" ? ["x.toml"] : []
                },
                kind: { texts[$0] != nil ? .file : $0 == "/s/shop.toml.d" ? .directory : .absent })
            let snapshot = ConfigurationLoader(siteDirectories: ["/s"], daemonFile: "/b.toml", files: files).load()

            let names = snapshot.sites.map(\.name) + snapshot.rejected.map(\.name)
            #expect(names.sorted() == ["other", "shop"], "seed \(seed), round \(round)")
            let errors = snapshot.diagnostics.filter { $0.severity == .error && !$0.location.file.hasPrefix("/b.toml") }
            #expect(snapshot.rejected.isEmpty == errors.isEmpty, "seed \(seed), round \(round)")
            for diagnostic in snapshot.diagnostics {
                #expect(!diagnostic.message.isEmpty && !diagnostic.rendered().isEmpty)
                #expect(texts[diagnostic.location.file] != nil, "seed \(seed), round \(round)")
            }
            for site in snapshot.sites {
                #expect(!site.bindings.isEmpty && site.applications.last?.path == "/" && site.id > 0)
                #expect(site.applications.allSatisfy { snapshot.pool(named: $0.pool) != nil })
            }
        }
    }
}
