import Glibc
import TestSupport
import Testing

/// What there is no more of: descriptors, room on the disk, memory. Requests go on as far as they can, one line says what is
/// wrong, another when it is over.
@Suite("Exhaustion: descriptors, full disks, memory")
struct ExhaustionTests {
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
        [[application]]
        path = "/here"
        hosting = "in-process"
        isolation = "none"
        module = "$BIN/libEchoModule.so"
        """
    private static let settings = "[timeouts]\nshutdown_drain = \"1s\"\n"

    private static func program(_ name: String) -> String { Files.program(name) ?? name }

    /// A daemon behind `wrapper`, which ends with its exec.
    private static func daemon(
        wrapper: [String], settings: String = "", site: String = site, files: [String: String] = ["www/f.txt": "file"]
    ) throws -> Daemon {
        let daemon = try Daemon(
            sites: ["site": site], settings: settings + "\n" + Self.settings, files: files, wrapper: wrapper)
        try daemon.waitUntilReady()
        return daemon
    }

    private func lines(of daemon: Daemon, _ text: String) -> [String] {
        daemon.process.output.all.filter { $0.contains(text) }
    }

    // MARK: Descriptors

    /// Connects until the daemon takes no more; those that were answered, and those that wait in the backlog. What they ask for
    /// needs no descriptor but the connection's: one that is free again may be taken by the next of them.
    private func takeAllDescriptors(of daemon: Daemon) throws -> (answered: [Client], waiting: [Client]) {
        var answered: [Client] = []
        var waiting: [Client] = []
        while lines(of: daemon, "accepting pauses").isEmpty {
            let client = try daemon.connect()
            try client.send("GET /here HTTP/1.1\r\nHost: localhost\r\n\r\n")
            // Either it is answered, or the daemon says that it accepts no more.
            let seen = daemon.process.output.all.count
            let isAnswered: Bool = try Deadline(seconds: 20).look("an answer, or a pause of accepting") {
                if client.hasInput(within: 0.02) { return true }
                return daemon.process.output.all.dropFirst(max(seen - 2, 0)).contains {
                    $0.contains("accepting pauses")
                }
                    ? false : nil
            }
            if isAnswered {
                #expect(try client.receiveResponse().status == 200)
                answered.append(client)
            } else {
                waiting.append(client)
            }
            guard answered.count < 200 else { throw Failure("200 connections and still no pause") }
        }
        return (answered, waiting)
    }

    private static let fewDescriptors = [program("prlimit"), "--nofile=96:96"]
    private static let allowedAnyway = "loops = 1\n[listener]\nmax_connections = 4096"

    @Test("descriptors: accepting pauses with one line, what is open is served, and goes on when some are free")
    func descriptors() throws {
        let daemon = try Self.daemon(wrapper: Self.fewDescriptors, settings: Self.allowedAnyway)
        let (answered, waiting) = try takeAllDescriptors(of: daemon)
        #expect(answered.count > 10)
        // Four pauses later there is still one line, and those in the backlog still wait.
        let late = try daemon.connect()
        try late.send("GET /here HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(!late.hasInput(within: 1))
        #expect(lines(of: daemon, "accepting pauses").count == 1)
        #expect(lines(of: daemon, "accepting pauses")[0].contains("LimitNOFILE"))
        for client in answered { #expect(try client.request("/here").status == 200) }
        for client in answered { client.close() }
        for client in waiting + [late] { #expect(try client.receiveResponse().status == 200) }
        try daemon.process.output.wait(containing: "accepting goes on as usual; it paused ")
        #expect(lines(of: daemon, "accepting pauses").count == 1)
        #expect(try daemon.request("/f.txt").status == 200)
        #expect(try daemon.stop() == .status(0))
    }

    @Test("descriptors: a file and a worker that need one more are refused with 503, and had when it is there")
    func descriptorsOfOthers() throws {
        let daemon = try Self.daemon(
            wrapper: Self.fewDescriptors, settings: Self.allowedAnyway,
            files: ["www/f.txt": "file", "www/other.txt": "another"])
        let (answered, waiting) = try takeAllDescriptors(of: daemon)
        let file = try answered[0].request("/other.txt")
        #expect(file.status == 503 || file.status == 200 && file.text == "another", "\(file.status) \(file.text)")
        let worker = try answered[1].request("/app/pid")
        #expect([502, 503].contains(worker.status), "\(worker.status) \(worker.text)")
        #expect(daemon.process.isRunning)
        for client in answered.dropFirst(2) { client.close() }
        for client in waiting { #expect(try client.receiveResponse().status == 200) }
        try daemon.eventually("/other.txt", "the other file") { $0.status == 200 && $0.text == "another" }
        try daemon.eventually("/app/pid", "the worker") { $0.status == 200 }
        #expect(try daemon.stop() == .status(0))
    }

    // MARK: Disks

    /// Whether this process may make a namespace with a file system of its own.
    private static let canMount: Bool = {
        guard let process = try? ChildProcess([program("unshare"), "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        else {
            return false
        }
        return (try? process.wait()) == .status(0)
    }()

    /// Starts the daemon with a log folder of 256 KiB of memory. Seen from outside, it is below /proc/PID/root.
    private static func daemonWithSmallDisk() throws -> (Daemon, log: String) {
        let daemon = try daemon(
            wrapper: [
                program("unshare"), "-rm", "sh", "-c",
                """
                for last; do :; done
                mount -t tmpfs -o size=256k tmpfs "$last/log" && exec "$0" "$@"
                """,
            ], settings: "loops = 1", site: "[site.log]\nflush_interval = \"0s\"\n" + Self.site)
        return (daemon, "/proc/\(daemon.process.pid)/root\(daemon.folder.path)/log")
    }

    /// Takes all room that is left.
    private func fill(_ path: String) throws {
        let fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard fd >= 0 else { throw Failure.system("open \(path)") }
        defer { close(fd) }
        let octets = [UInt8](repeating: 0, count: 4096)
        while write(fd, octets, octets.count) > 0 {}
        #expect(errno == ENOSPC)
    }

    private func refuse(_ daemon: Daemon, _ count: Int) throws {
        for _ in 0..<count {
            let client = try daemon.connect()
            try client.send(
                "GET / HTTP/1.1\r\nHost: localhost\r\nBad Name: \(String(repeating: "x", count: 200))\r\n\r\n")
            #expect(try client.receiveResponse().status == 400)
        }
    }

    @Test(
        "a full disk: requests go on, one line for each log, and it is said how much was lost when there is room again",
        .enabled(if: canMount, "no namespaces here"))
    func fullDisk() throws {
        let (daemon, log) = try Self.daemonWithSmallDisk()
        #expect(try daemon.request("/f.txt").status == 200)
        try refuse(daemon, 1)
        _ = try Deadline().look("a line of the HTTPERR log") {
            Files.text("\(log)/HTTPERR/httperr1.log")?.contains(" Header ") == true ? true : nil
        }
        try fill("\(log)/filler")
        // What is left of the last blocks takes a few lines more.
        let cannot = "the error log cannot be written"
        while lines(of: daemon, cannot).isEmpty { try refuse(daemon, 20) }
        try refuse(daemon, 50)
        while lines(of: daemon, "request-logging: cannot write").isEmpty {
            let status = try daemon.request("/f.txt").status
            #expect(status == 200)
        }
        #expect(lines(of: daemon, cannot).count == 1)
        #expect(lines(of: daemon, cannot)[0].contains("No space left on device"))
        #expect(unlink("\(log)/filler") == 0)
        try refuse(daemon, 1)
        let again = try daemon.process.output.wait(containing: "the error log is written again; ")
        #expect(again.contains(" lines were lost"))
        _ = try Deadline(seconds: 30).look("the end of the access log's failure") {
            let status = try daemon.request("/f.txt").status
            #expect(status == 200)
            return lines(of: daemon, "request-logging: writing").first
        }
        #expect(lines(of: daemon, cannot).count == 1)
        #expect(lines(of: daemon, "request-logging: cannot write").count == 1)
        // No line is torn: each begins with its date.
        let text = Files.text("\(log)/HTTPERR/httperr1.log") ?? ""
        let own = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(own.filter { !$0.hasPrefix("20") }.isEmpty)
        #expect(try daemon.stop() == .status(0))
    }

    @Test("a log that takes nothing from the start does not keep the daemon from serving")
    func deviceFull() throws {
        let daemon = try Self.daemon(
            wrapper: [
                Self.program("sh"), "-c",
                """
                for last; do :; done
                mkdir -p "$last/log/HTTPERR" && ln -s /dev/full "$last/log/HTTPERR/httperr1.log" && exec "$0" "$@"
                """,
            ], settings: "loops = 1")
        #expect(try daemon.request("/f.txt").status == 200)
        try refuse(daemon, 3)
        try daemon.process.output.wait(containing: "the error log")
        #expect(try daemon.request("/f.txt").status == 200)
        #expect(try daemon.stop() == .status(0))
    }

    // MARK: Memory

    @Test(
        "too little address space for its tables is one clear line and no crash",
        .disabled(if: Build.isSanitized, "a sanitizer takes terabytes of addresses for its own"))
    func addressSpace() throws {
        let daemon = try Daemon(
            sites: ["site": Self.site], settings: Self.settings, files: ["www/f.txt": "file"],
            wrapper: [Self.program("prlimit"), "--as=400000000"])
        let end = try daemon.process.wait(seconds: 30)
        guard case .status(let status) = end else {
            Issue.record("\(end): \(daemon.process.output.text)")
            return
        }
        #expect(status != 0)
        try daemon.process.output.wait(containing: "Cannot allocate memory")
    }
}
