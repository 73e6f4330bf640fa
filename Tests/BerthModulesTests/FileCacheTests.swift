@testable import BerthModules
import CBerthModule
import CBerthSystem
import Foundation
import Testing

extension ModuleTests {
    /// What caches share: no application, and no number of them, takes more than all may have.
    @Suite("file caches together")
    struct FileCacheTests {
        typealias Entry = UnsafeMutablePointer<FileEntry>

        /// A file that was read: its content, or a descriptor of a larger one.
        func entry(_ name: String, _ budget: FileBudget, size: Int, fd: Int32 = -1) -> Entry {
            let content: UnsafeMutablePointer<UInt8>? = fd < 0 ? .allocate(capacity: max(1, size)) : nil
            content?.initialize(repeating: 0x61, count: size)
            let key = berth_octets.copy(of: name)
            return FileEntry.make(
                FoundFile(
                    identity: FileIdentity(), diskPath: .copy(of: name), documentIndex: 0, size: size, content: content,
                    fd: fd, budget: .passUnretained(budget)),
                key: key, hash: FileCache.hash(key, seed: 7), folder: 0, type: berth_octets("text/plain"),
                cacheControl: berth_octets(nil, 0), sendsETag: true, wallSeconds: 1_700_000_000, now: 0)
        }

        func put(
            _ entry: Entry, in cache: inout FileCache, fits: Bool = true,
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            let isTaken = cache.insert(entry)
            #expect(isTaken == fits, sourceLocation: sourceLocation)
        }

        func holds(_ cache: FileCache, _ entry: Entry) -> Bool {
            cache.find(entry.pointee.key, entry.pointee.hash) == entry
        }

        /// A file that no cache took goes with its only request.
        func end(_ entry: Entry) {
            entry.pointee.references += 1
            entry.release()
        }

        @Test("content of all caches fits the budget to the octet", arguments: [(-1, true), (0, true), (1, false)])
        func content(_ more: Int, _ fits: Bool) {
            let budget = FileBudget(contentMax: 10_000, descriptorLimit: 0)
            var (one, other) = (FileCache(budget), FileCache(budget))
            put(entry("/a", budget, size: 6_000), in: &one)
            let last = entry("/b", budget, size: 4_000 + more)
            put(last, in: &other, fits: fits)
            #expect(holds(other, last) == fits)
            if !fits {
                #expect(other.contentOctets == 0)
                one.removeAll()
                put(last, in: &other)
            }
            one.removeAll()
            other.removeAll()
            // Everything was given back.
            put(entry("/whole", budget, size: 10_000), in: &one)
            one.removeAll()
            one.deallocate()
            other.deallocate()
        }

        @Test("when all are full, a cache gives up a file of its own, not another's")
        func ownFirst() {
            let budget = FileBudget(contentMax: 10_000, descriptorLimit: 0)
            var (one, other) = (FileCache(budget), FileCache(budget))
            let (first, second, third) = (
                entry("/a", budget, size: 5_000), entry("/b", budget, size: 5_000), entry("/c", budget, size: 5_000)
            )
            put(first, in: &one)
            put(second, in: &other)
            put(third, in: &other)
            #expect(holds(one, first))
            #expect(other.count == 1)
            #expect(holds(other, third))
            one.removeAll()
            other.removeAll()
            one.deallocate()
            other.deallocate()
        }

        @Test("descriptors kept for files are an eighth of the process's, folders another, open files a quarter")
        func descriptors() throws {
            let budget = FileBudget(contentMax: 0, descriptorLimit: 32)
            var (one, other) = (FileCache(budget), FileCache(budget))
            var entries: [Entry] = []
            for index in 0..<8 {
                #expect(budget.takeOpenFile())
                let fd = open("/dev/null", O_RDONLY | O_CLOEXEC)
                try #require(fd >= 0)
                entries.append(entry("/\(index)", budget, size: 20_000, fd: fd))
            }
            #expect(!budget.takeOpenFile())
            for index in 0..<4 {
                put(entries[index], in: &one)
            }
            put(entries[4], in: &other, fits: false)
            for index in 4..<8 { end(entries[index]) }
            // Four are open, which the cache keeps.
            for _ in 0..<4 { #expect(budget.takeOpenFile()) }
            #expect(!budget.takeOpenFile())
            for _ in 0..<4 { budget.giveOpenFileBack() }
            one.removeAll()
            for _ in 0..<8 { #expect(budget.takeOpenFile()) }

            for _ in 0..<4 { #expect(budget.takeFolder()) }
            #expect(!budget.takeFolder())
            budget.giveFolderBack()
            #expect(budget.takeFolder())
            one.deallocate()
            other.deallocate()
        }

        @Test("what was not asked for between two looks is let go; the rest is found in the smaller table")
        func unused() {
            let budget = FileBudget(contentMax: 1 << 20, descriptorLimit: 0)
            var cache = FileCache(budget)
            let entries = (0..<300).map { entry("/file\($0)", budget, size: 10) }
            for entry in entries {
                put(entry, in: &cache)
            }
            cache.removeUnused()
            #expect(cache.count == 300)
            for entry in entries where holds(cache, entry) { entry.pointee.wasUsed = entry == entries[7] }
            cache.removeUnused()
            #expect(cache.count == 1)
            #expect(cache.contentOctets == 10)
            #expect(holds(cache, entries[7]))
            let another = entry("/another", budget, size: 10)
            put(another, in: &cache)
            #expect(holds(cache, another) && holds(cache, entries[7]))
            cache.removeAll()
            cache.deallocate()
        }

        @Test("a site that nobody visits keeps no folder open after a second and no file after a minute")
        func abandoned() throws {
            let folder = TemporaryFolder()
            folder.write("a.txt", "a")
            folder.write("b.bin", [UInt8](repeating: 1, count: 20_000))
            let module = try TestModule(StaticFiles.register, [], root: folder.path)
            for path in ["/a.txt", "/b.bin"] { #expect(module.run(7, TestRequest(path: path)).response.status == 200) }
            let context = try #require(module.context).assumingMemoryBound(to: StaticFilesContext.self)
            #expect(context.pointee.openFolderCount == 1)
            #expect(context.pointee.cache.count == 2)
            TestHost.current.now += StaticFilesContext.folderValidity - 1
            module.tick(0)
            #expect(context.pointee.openFolderCount == 1)
            TestHost.current.now += 1
            module.tick(0)
            #expect(context.pointee.openFolderCount == 0)
            #expect(context.pointee.cache.count == 2)
            TestHost.current.now += StaticFilesContext.unusedTime
            module.tick(0)
            #expect(context.pointee.cache.count == 0)
            #expect(context.pointee.cache.descriptorCount == 0)
            // And comes back as it was.
            #expect(module.run(7, TestRequest(path: "/a.txt")).response.text == "a")
        }
    }
}
