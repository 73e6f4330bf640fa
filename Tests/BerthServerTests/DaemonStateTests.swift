import BerthConfiguration
import Glibc
import Testing

@testable import BerthServer

@Suite("What the daemon remembers")
struct DaemonStateTests {
    @Test("numbers of sites are kept, also those of a site that is gone")
    func numbers() {
        var state = DaemonState()
        state.remember(["a": 1, "b": 2])
        state.remember(["b": 2])
        #expect(state.siteIDs == ["a": 1, "b": 2])
    }

    @Test("a number that another site has now is forgotten")
    func takenNumber() {
        var state = DaemonState()
        state.remember(["a": 1, "b": 2])
        state.remember(["b": 1])
        #expect(state.siteIDs == ["b": 1])
    }

    @Test("what was stopped stays so until it is started")
    func stopped() {
        var state = DaemonState()
        state.remember(["a": 1])
        state.setStopped(true, site: "a")
        state.setStopped(true, pool: "a/api")
        state.remember(["a": 1])
        #expect(state.sites["a"]?.isStopped == true)
        #expect(state.pools["a/api"]?.isStopped == true)
        state.setStopped(false, site: "a")
        state.setStopped(false, pool: "a/api")
        #expect(state.sites["a"]?.isStopped == false)
        #expect(state.pools.isEmpty)
    }

    @Test("at the limit names are kept, above it those that are not configured are forgotten")
    func limit() {
        var state = DaemonState()
        let all = Dictionary(uniqueKeysWithValues: (1...DaemonState.namesMax).map { ("s\($0)", UInt32($0)) })
        state.remember(all)
        state.remember(["s1": 1])
        #expect(state.sites.count == DaemonState.namesMax)
        state.remember(["s1": 1, "new": UInt32(DaemonState.namesMax + 1)])
        #expect(state.siteIDs == ["s1": 1, "new": UInt32(DaemonState.namesMax + 1)])
    }

    @Test("the file is read as it was written, and no half of one is left behind")
    func file() throws {
        let folder = try TemporaryFolder()
        let file = StateFile(directory: folder.path)
        #expect(file.read().state == DaemonState())
        #expect(file.read().problem == nil)
        var state = DaemonState()
        state.remember(["a": 7])
        #expect(file.write(state) == nil)
        #expect(file.read().state == state)
        let names = try FileAccess.system.list(folder.path, 10)
        #expect(names == ["state.json"])
    }

    @Test(
        "a file that cannot be used is said, and nothing is remembered", arguments: ["", "{", "{\"version\": 2}", "[]"])
    func brokenFile(text: String) throws {
        let folder = try TemporaryFolder()
        let file = try #require(fopen(folder.path + "/state.json", "w"))
        fputs(text, file)
        fclose(file)
        let (state, problem) = StateFile(directory: folder.path).read()
        #expect(state == DaemonState())
        #expect(problem == "it is not a state file of this release")
    }

    @Test("a folder that is not there is an error with its reason")
    func noFolder() throws {
        let folder = try TemporaryFolder()
        #expect(StateFile(directory: folder.path + "/no").write(DaemonState())?.code == ENOENT)
    }
}
