import Glibc
import Testing

@testable import BerthConfiguration

@Suite("Files of the machine")
struct FileAccessTests {
    /// A folder of its own, removed afterwards.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir
        var template = Array("\(parent)/berth-configuration-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { remove(folder) }
        try body(folder)
    }

    private func remove(_ folder: String) {
        for name in (try? FileAccess.system.list(folder, 1000)) ?? [] {
            let path = "\(folder)/\(name)"
            var status = stat()
            if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { remove(path) } else { unlink(path) }
        }
        rmdir(folder)
    }

    private func write(_ text: String, to path: String) {
        let fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)
        defer { close(fd) }
        let octets = Array(text.utf8)
        #expect(Glibc.write(fd, octets, octets.count) == octets.count)
    }

    @Test("a file is read up to its limit, at n and n + 1")
    func limit() throws {
        try withFolder { folder in
            write("12345", to: "\(folder)/a")
            let text = try FileAccess.system.read("\(folder)/a", 5)
            #expect(text == Array("12345".utf8))
            #expect(throws: FileAccess.Failure.tooLarge) { try FileAccess.system.read("\(folder)/a", 4) }
            #expect(throws: FileAccess.Failure.notFound) { try FileAccess.system.read("\(folder)/b", 4) }
        }
    }

    @Test("a folder, a pipe and a device are no files, and reading them does not wait")
    func noFiles() throws {
        try withFolder { folder in
            #expect(mkfifo("\(folder)/pipe", 0o600) == 0)
            #expect(throws: FileAccess.Failure.notAFile) { try FileAccess.system.read("\(folder)/pipe", 10) }
            #expect(throws: FileAccess.Failure.notAFile) { try FileAccess.system.read(folder, 10) }
            #expect(throws: FileAccess.Failure.notAFile) { try FileAccess.system.read("/dev/zero", 10) }
            #expect(FileAccess.system.kind("\(folder)/pipe") == .other)
            #expect(FileAccess.system.kind(folder) == .directory)
            #expect(FileAccess.system.kind("/dev/null") == .nullDevice)
        }
    }

    @Test("a folder is listed up to its limit")
    func list() throws {
        try withFolder { folder in
            write("", to: "\(folder)/a")
            write("", to: "\(folder)/b")
            let names = try FileAccess.system.list(folder, 2)
            #expect(names.sorted() == ["a", "b"])
            #expect(throws: FileAccess.Failure.tooLarge) { try FileAccess.system.list(folder, 1) }
            #expect(throws: FileAccess.Failure.notFound) { try FileAccess.system.list("\(folder)/c", 1) }
        }
    }

    @Test("a link to /dev/null masks a site, one in NAME.toml.d an override; what cannot be read is named")
    func layersOnDisk() throws {
        try withFolder { folder in
            for name in ["lib", "etc", "etc/b.toml.d"] { #expect(mkdir("\(folder)/\(name)", 0o755) == 0) }
            let site = { (port: Int) in
                "[site]\nbindings = [\"http://*:\(port)/\"]\n[[application]]\nhosting = \"static\"\nroot = \"/r\"\n"
            }
            write(site(1), to: "\(folder)/lib/a.toml")
            write(site(2), to: "\(folder)/lib/b.toml")
            write("[site]\nauto_start = false\n", to: "\(folder)/etc/b.toml.d/10.toml")
            write(site(4), to: "\(folder)/etc/.hidden.toml")
            write(site(5), to: "\(folder)/etc/bad name.toml")
            #expect(symlink("/dev/null", "\(folder)/etc/a.toml") == 0)
            #expect(symlink("/dev/null", "\(folder)/etc/b.toml.d/20.toml") == 0)
            #expect(symlink("/none/at/all", "\(folder)/etc/dangling.toml") == 0)
            #expect(mkfifo("\(folder)/etc/pipe.toml", 0o600) == 0)
            let loader = ConfigurationLoader(
                siteDirectories: ["\(folder)/lib", "\(folder)/etc"], daemonFile: "\(folder)/berth.toml")
            let snapshot = loader.load()
            #expect(snapshot.sites.map(\.name) == ["b"])
            #expect(snapshot.sites.first?.autoStart == false)
            #expect(snapshot.rejected.map(\.name) == ["bad name", "dangling", "pipe"])
            #expect(
                snapshot.rejected.map { $0.diagnostics.map(\.kind) } == [[.invalidName], [.unreadable], [.unreadable]])
        }
    }
}
