import TestSupport
import Testing

/// Handler modules by the hundred.
@Suite("Many modules")
struct ManyModulesTests {
    private static let count = 200

    private static func site(_ number: Int) -> String {
        """
        [site]
        bindings = ["http://m\(number).example:$PORT/"]
        [[application]]
        hosting = "in-process"
        isolation = "none"
        module = "$FOLDER/modules/\(number).so"
        """
    }

    /// The number of the configuration that a reload puts in force.
    private func generation(afterReloading daemon: Daemon) throws -> Int {
        let seen = daemon.process.output.all.count
        try daemon.reload()
        let line = try daemon.process.output.wait(containing: " is in force: ", from: seen)
        let words = line.split(separator: " ")
        let number = words.firstIndex(of: "configuration").flatMap { Int(words[words.index(after: $0)]) }
        return try #require(number, "\(line)")
    }

    /// One generation a module would cost the square of their number. What bounds the count is no clock: the pause between two
    /// generations is ten times what building one took, on a busy machine too.
    @Test("two hundred sites, each with a module of its own, are put in force with few generations")
    func together() throws {
        let module = try #require(Files.octets(Build.path("libFixtureModule.so")))
        try withDaemon(sites: ["m0": Self.site(0)]) { daemon in
            try daemon.folder.make("modules")
            for number in 0...Self.count { try daemon.folder.write("modules/\(number).so", module, mode: 0o755) }
            for number in 1...Self.count { try daemon.write(site: "m\(number)", Self.site(number)) }
            let first = try generation(afterReloading: daemon)
            for number in 1...Self.count {
                try daemon.eventually("/plain", host: "m\(number).example", "module \(number) answers") {
                    $0.status == 200 && $0.text == "fixture"
                }
            }
            let last = try generation(afterReloading: daemon)
            #expect(last - first <= Self.count / 4, "\(last - first) generations for \(Self.count) modules")
        }
    }
}
