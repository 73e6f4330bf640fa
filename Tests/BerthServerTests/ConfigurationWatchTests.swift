import BerthConfiguration
import BerthEventLoop
import CBerthSystem
import Glibc
import TestSupport
import Testing

@testable import BerthServer

@Suite("Watching the folders of the configuration")
struct ConfigurationWatchTests {
    private func withWatch(
        _ body: (TestSupport.TemporaryFolder, inout ConfigurationWatch, ConfigurationLoader) throws -> Void
    ) throws {
        let folder = try TestSupport.TemporaryFolder()
        try folder.make("sites.d/shop.toml.d")
        var watch = try ConfigurationWatch(cberth_system_linux())
        let loader = ConfigurationLoader(configurationDirectory: folder.path)
        #expect(watch.watch(loader) == [])
        #expect(!watch.takeEvents())
        try body(folder, &watch, loader)
        watch.close()
    }

    @Test("files of sites, overrides and berth.toml count, others do not")
    func names() throws {
        try withWatch { folder, watch, _ in
            for name in ["sites.d/a.toml", "sites.d/shop.toml.d/x.toml", "berth.toml", "sites.d/b.toml"] {
                try folder.write(name, "x")
                #expect(watch.takeEvents(), "\(name)")
                #expect(!watch.takeEvents(), "once")
            }
            for name in ["sites.d/a.toml~", "sites.d/.a.toml", "state.json", "sites.d/notes.txt"] {
                let fd = open(folder.path + "/" + name, O_CREAT | O_WRONLY, 0o644)
                #expect(fd >= 0)
                close(fd)
                #expect(!watch.takeEvents(), "\(name)")
            }
            try folder.remove("sites.d/a.toml")
            #expect(watch.takeEvents())
        }
    }

    @Test("a folder that comes later is noticed, and watched after the next load")
    func laterFolder() throws {
        try withWatch { folder, watch, loader in
            try folder.make("sites.d/blog.toml.d")
            #expect(watch.takeEvents())
            #expect(watch.watch(loader) == [])
            try folder.write("sites.d/blog.toml.d/x.toml", "x")
            #expect(watch.takeEvents())
        }
    }

    @Test("files are read after a moment of silence, and no later than a bound after the first change")
    func debouncing() {
        let first = MonotonicInstant(nanoseconds: 1_000_000_000)
        func milliseconds(_ now: UInt64) -> UInt64 {
            first.milliseconds(until: ConfigurationWatch.deadline(first: first, now: first.adding(milliseconds: now)))
        }
        #expect(milliseconds(0) == 200)
        #expect(milliseconds(600) == 800)
        #expect(milliseconds(601) == 800)
        #expect(milliseconds(799) == 800)
    }
}
