import Glibc
import TestSupport
import Testing

/// A limit of memory around the daemon, and attackers who would fill more than that.
@Suite(
    "A ceiling of memory", .serialized,
    .enabled(if: MemoryGroup.isAvailable, "no control group with a memory limit can be made here"),
    .disabled(if: Build.isSanitized, "a sanitizer takes several times the memory"))
struct MemoryCeilingTests {
    private static let site = """
        [site]
        bindings = ["http://localhost:$PORT/"]
        [[application]]
        hosting = "static"
        root = "$FOLDER/www"
        [[application]]
        path = "/app"
        hosting = "out-of-process"
        root = "$FOLDER"
        command = ["$BIN/EchoWorker"]
        """

    /// Runs `body` with a daemon in a group of its own; afterwards it answers as before and has given memory back.
    private func attacked(
        mebibytes: Int = 96, site: String = MemoryCeilingTests.site, refuses: Bool = true,
        _ body: (Daemon) throws -> [Client]
    ) throws {
        let group = try MemoryGroup(limit: mebibytes << 20)
        let daemon = try Daemon(
            sites: ["site": site], settings: "loops = 1\n[timeouts]\nshutdown_drain = \"1s\"\n",
            files: ["www/f.txt": "file"], wrapper: group.wrapper)
        try daemon.waitUntilReady()
        try daemon.process.output.wait(containing: "the control group allows \(mebibytes) MiB of memory: at most ")
        #expect(try daemon.request("/f.txt").text == "file")
        try daemon.eventually("/app/pid", "the worker") { $0.status == 200 }
        let before = ProcessTable.memory(of: daemon.process.pid)
        let attackers: [Client]
        do { attackers = try body(daemon) } catch {
            throw Failure(
                "\(error)\nkilled: \(group.kills)\n\(daemon.process.output.all.suffix(20).joined(separator: "\n"))")
        }
        #expect(daemon.process.isRunning)
        #expect(group.kills == 0)
        for client in attackers { client.reset() }
        try daemon.eventually("/f.txt", "the file, when the attackers are gone") { $0.text == "file" }
        try daemon.eventually("/app/pid", "the worker, when the attackers are gone") { $0.status == 200 }
        _ = try Deadline().look("memory is given back") {
            ProcessTable.memory(of: daemon.process.pid) < before + 8 << 20 ? true : nil
        }
        if refuses { try daemon.process.output.wait(containing: " have room again; ") }
        #expect(try daemon.stop() == .status(0))
        #expect(group.kills == 0)
    }

    private func says(_ daemon: Daemon, _ text: String) -> Bool {
        daemon.process.output.all.contains { $0.contains(text) }
    }

    /// What an attacker sends may meet a connection that was refused already.
    private func send(_ client: Client, _ octets: [UInt8]) { _ = try? client.sendSome(octets[...]) }

    @Test("heads that are not finished use up their blocks, and the daemon stays")
    func heads() throws {
        try attacked { daemon in
            let head = Array(
                "GET /f.txt HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "x", count: 15_000))".utf8)
            var attackers: [Client] = []
            // Without a bound 5 000 of them fill what the group allows, and the kernel kills the daemon.
            for _ in 0..<6000 {
                // One that is refused may learn it while it connects.
                guard let client = try? daemon.connect() else { continue }
                send(client, head)
                attackers.append(client)
                // Those that were refused need not be held.
                if attackers.count % 200 == 0 { attackers.removeAll { $0.hasInput(within: 0) } }
            }
            try daemon.process.output.wait(containing: "connections are refused: all ")
            try daemon.waitForErrorLog("a refused connection") { $0.contains(" Connections_Refused") }
            return attackers
        }
    }

    @Test("more connections than it has memory for are turned away")
    func connections() throws {
        try attacked { daemon in
            var attackers: [Client] = []
            var refused = 0
            while refused < 100 {
                guard attackers.count < 8000 else { throw Failure("8000 connections are taken") }
                guard let client = try? daemon.connect() else {
                    // It learned it while it connected.
                    refused += 1
                    continue
                }
                send(client, Array("GET /f.txt HTTP/1.1\r\nHost: localhost\r\nX: 1".utf8))
                attackers.append(client)
                if attackers.count % 100 == 0 { refused = attackers.count { $0.hasInput(within: 0) } }
            }
            return attackers
        }
    }

    @Test("content that nobody reads takes a part of its blocks, and the daemon stays")
    func slowReaders() throws {
        // With a whole window for each, these were more than there are blocks for.
        try attacked(refuses: false) { daemon in
            var attackers: [Client] = []
            for _ in 0..<120 {
                let client = try daemon.connect(receiveBuffer: 4096)
                send(client, Array("GET /app/stream?count=800&size=65536 HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
                attackers.append(client)
            }
            for client in attackers { #expect(try client.receiveSome(atMost: 1)) }
            #expect(!says(daemon, "connections are cut: "))
            return attackers
        }
    }

    @Test("files that sites keep in memory take their part of it, and no more")
    func files() throws {
        // Eight caches of 8 MiB each, which is as much as the group allows.
        let applications = (0..<8).map {
            "[[application]]\npath = \"/c\($0)\"\nhosting = \"static\"\nroot = \"$FOLDER/www\"\n"
        }
        try attacked(mebibytes: 64, site: Self.site + "\n" + applications.joined(), refuses: false) { daemon in
            let content = String(repeating: "x", count: 16_384)
            for number in 0..<512 { try daemon.folder.write("www/\(number).txt", content) }
            let client = try daemon.connect()
            for number in 0..<8 * 512 {
                #expect(try client.request("/c\(number / 512)/\(number % 512).txt").content.count == 16_384)
            }
            return []
        }
    }
}
