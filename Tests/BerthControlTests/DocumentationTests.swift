import BerthControl
import Foundation
import Testing

/// `docs/control.md` says what is true: every example decodes as the type that its resource is answered with.
@Suite("the examples of docs/control.md")
struct DocumentationTests {
    private struct Example {
        var heading: Substring
        var json: [UInt8]?
    }

    /// The sections with a request line for a heading, each with its JSON example, where it has one.
    private func examples() throws -> [Example] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/control.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        return text.components(separatedBy: "\n### `").dropFirst().map { section in
            let blocks = section.components(separatedBy: "```json\n")
            let json = blocks.count > 1 ? blocks[1].components(separatedBy: "```")[0] : nil
            return Example(heading: section.prefix { $0 != "`" }, json: json.map { Array($0.utf8) })
        }
    }

    /// Decodes and encodes: an example with a member that the type does not have, or lacks, comes out different.
    private func isExample<Value: Codable>(_ json: [UInt8], of type: Value.Type) throws -> Bool {
        let value = try ControlJSON.decode(type, from: json)
        let written = try JSONSerialization.jsonObject(with: Data(try ControlJSON.encode(value))) as? NSDictionary
        let example = try JSONSerialization.jsonObject(with: Data(json)) as? NSDictionary
        return written == example
    }

    @Test("every resource has its section, and every example is what the resource is answered with")
    func resources() throws {
        var seen = 0
        for example in try examples() {
            let words = example.heading.split(separator: " ").map { String($0) }
            let route = try ControlRoute(method: words[0], target: words[1])
            seen += 1
            guard let json = example.json else {
                #expect(route == .metrics || route == .logs(site: "shop", follow: false, lines: 100))
                continue
            }
            let isExample =
                switch route {
                case .info: try isExample(json, of: DaemonInfo.self)
                case .sites: try isExample(json, of: ResourceList<SiteRecord>.self)
                case .site: try isExample(json, of: SiteRecord.self)
                case .applications: try isExample(json, of: ResourceList<ApplicationRecord>.self)
                case .pools: try isExample(json, of: ResourceList<PoolRecord>.self)
                case .pool: try isExample(json, of: PoolRecord.self)
                case .workers: try isExample(json, of: ResourceList<WorkerRecord>.self)
                case .bindings: try isExample(json, of: ResourceList<BindingRecord>.self)
                case .modules: try isExample(json, of: ResourceList<ModuleRecord>.self)
                case .requests: try isExample(json, of: ResourceList<RequestRecord>.self)
                case .events: try isExample(json, of: ResourceList<EventRecord>.self)
                case .check: try isExample(json, of: CheckResult.self)
                case .reload: try isExample(json, of: ReloadResult.self)
                case .startSite, .stopSite, .startPool, .stopPool, .recyclePool:
                    try isExample(json, of: ActionResult.self)
                case .metrics, .logs: false
                }
            #expect(isExample, "\(example.heading)")
        }
        // The routes but for the three that share a section with their like.
        #expect(seen == 17)
    }
}
