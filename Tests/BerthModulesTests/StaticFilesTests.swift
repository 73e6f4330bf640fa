@testable import BerthModules
import CBerthModule
import Foundation
import Testing

extension ModuleTests {
    @Suite("static-files")
    struct StaticFilesTests {
        let folder = TemporaryFolder()
        /// 1700000000: Tue, 14 Nov 2023 22:13:20 GMT
        static let modified = "Tue, 14 Nov 2023 22:13:20 GMT"

        func module(_ settings: [(String, String)] = []) throws -> TestModule {
            try TestModule(StaticFiles.register, settings, root: folder.path)
        }

        func get(
            _ module: TestModule, _ path: String, _ fields: [(String, String)] = [], method: String = "GET",
            query: String = ""
        ) -> TestHost.Response {
            module.run(7, TestRequest(method: method, path: path, query: query, fields: fields)).response
        }

        /// "404.3".
        func code(_ response: TestHost.Response) -> String { "\(response.status).\(response.substatus)" }

        // MARK: What is served

        @Test("a small file comes from memory with its type, date and tag")
        func small() throws {
            folder.write("a/b.html", "<p>hello")
            let module = try module()
            for _ in 0..<2 {
                let response = get(module, "/a/b.html")
                #expect(response.status == 200)
                #expect(response.text == "<p>hello")
                #expect(!response.isFile)
                #expect(response["Content-Type"] == "text/html")
                #expect(response["Last-Modified"] == Self.modified)
                #expect(response["ETag"] == "\"17979cfe362a0000:8\"")
                #expect(response["Accept-Ranges"] == "bytes")
                #expect(response["Cache-Control"] == nil)
            }
            #expect(TestHost.current.blockingCount == 1)
        }

        @Test("files up to 16 KiB come from memory, larger ones from a descriptor", arguments: [-1, 0, 1])
        func sizes(_ more: Int) throws {
            let octets = (0..<16_384 + more).map { UInt8(truncatingIfNeeded: $0) }
            folder.write("f.bin", octets)
            let module = try module()
            let response = get(module, "/f.bin")
            #expect(response.content == octets)
            #expect(response.isFile == (more > 0))
            #expect(response.contentLength == Int64(octets.count))
        }

        @Test("an empty file is served empty")
        func empty() throws {
            folder.write("e.txt", "")
            let response = get(try module(), "/e.txt")
            #expect(response.status == 200)
            #expect(response.contentLength == 0)
        }

        @Test("HEAD of a large file has its length and no content")
        func head() throws {
            folder.write("f.bin", [UInt8](repeating: 1, count: 20_000))
            let response = get(try module(), "/f.bin", method: "HEAD")
            #expect(response.status == 200)
            #expect(response.contentLength == 20_000)
            #expect(response.content.isEmpty)
        }

        @Test(
            "another method is 405 with Allow, OPTIONS is answered",
            arguments: [("POST", 405), ("get", 405), ("OPTIONS", 200)])
        func methods(_ method: String, _ status: Int) throws {
            folder.write("a.txt", "a")
            let response = get(try module(), "/a.txt", method: method)
            #expect(response.status == status)
            #expect(response["Allow"] == "GET, HEAD, OPTIONS")
        }

        @Test("an unknown extension is 404.3 until a type is given to it")
        func types() throws {
            folder.write("a.unheard", "a")
            folder.write("noextension", "a")
            #expect(code(get(try module(), "/a.unheard")) == "404.3")
            #expect(code(get(try module(), "/noextension")) == "404.3")
            #expect(get(try module([("media_types..UNHEARD", "x/y")]), "/a.unheard")["Content-Type"] == "x/y")
            #expect(get(try module([("media_types.*", "x/z")]), "/noextension")["Content-Type"] == "x/z")
        }

        @Test("cache_control and etag are as the settings want them")
        func settings() throws {
            folder.write("a.txt", "a")
            let response = get(try module([("cache_control", "max-age=60"), ("etag", "false")]), "/a.txt")
            #expect(response["Cache-Control"] == "max-age=60")
            #expect(response["ETag"] == nil)
        }

        // MARK: Folders

        @Test("a folder without a slash is redirected to one with it, never to another host")
        func redirects() throws {
            folder.write("dir ä/index.html", "i")
            let module = try module()
            let response = get(module, "/dir ä", query: "q=1")
            #expect(response.status == 301)
            #expect(response["Location"] == "/dir%20%C3%A4/?q=1")
            #expect(get(module, "//dir ä")["Location"] == "/dir%20%C3%A4/")
        }

        @Test("the first default document there is is served, also when it comes later")
        func documents() throws {
            folder.write("d/index.html", "second")
            let module = try module([("default_documents", "first.html"), ("default_documents", "index.html")])
            #expect(get(module, "/d/").text == "second")
            folder.write("d/first.html", "first")
            TestHost.current.now += 1_000_000_000
            #expect(get(module, "/d/").text == "first")
        }

        @Test("a folder without a default document is 403.14")
        func noDocument() throws {
            folder.write("d/other.html", "x")
            #expect(code(get(try module(), "/d/")) == "403.14")
            #expect(code(get(try module(), "/")) == "403.14")
        }

        @Test("a slash behind a file's name is 404")
        func slashBehindFile() throws {
            folder.write("a.txt", "a")
            #expect(code(get(try module(), "/a.txt/")) == "404.0")
            #expect(code(get(try module(), "/a.txt/b")) == "404.0")
        }

        @Test("virtual directories are served from their own folders, the longest path first")
        func virtualDirectories() throws {
            let other = TemporaryFolder()
            let third = TemporaryFolder()
            other.write("x.txt", "other")
            third.write("x.txt", "third")
            folder.write("imgs/x.txt", "root")
            let module = try module([("directories./img", other.path), ("directories./img/deep/", third.path)])
            #expect(get(module, "/img/x.txt").text == "other")
            #expect(get(module, "/img/deep/x.txt").text == "third")
            #expect(get(module, "/imgs/x.txt").text == "root")
            #expect(get(module, "/img").status == 301)
            #expect(code(get(module, "/img/../imgs/x.txt")) == "404.9")
        }

        @Test("the application's own path is not part of the file's")
        func application() throws {
            folder.write("x.txt", "x")
            folder.write("index.html", "i")
            let module = try module()
            func get(_ path: String) -> TestHost.Response {
                module.run(7, TestRequest(path: path, applicationPathLength: 5)).response
            }
            #expect(get("/docs/x.txt").text == "x")
            #expect(get("/docs/").text == "i")
            #expect(get("/docs")["Location"] == "/docs/")
        }

        // MARK: What must not be served

        @Test(
            "no path leads out of the folder",
            arguments: [
                "/../secret.txt", "/a/../../secret.txt", "//etc/passwd", "/..", "/a/..//..//secret.txt",
                "/link-out.txt",
                "/link-dir/secret.txt", "/absolute.txt", "/a/./../../secret.txt",
            ])
        func traversal(_ path: String) throws {
            folder.write("root/a/x.txt", "x")
            folder.write("secret.txt", "secret")
            let root = folder.path + "/root"
            try FileManager.default.createSymbolicLink(
                atPath: root + "/link-out.txt", withDestinationPath: "../secret.txt")
            try FileManager.default.createSymbolicLink(atPath: root + "/link-dir", withDestinationPath: "..")
            try FileManager.default.createSymbolicLink(
                atPath: root + "/absolute.txt", withDestinationPath: folder.path + "/secret.txt")
            for hidden in ["false", "true"] {
                let module = try TestModule(StaticFiles.register, [("hidden_files", hidden)], root: root)
                // Twice: the second look is made without the pool.
                for _ in 0..<2 {
                    let response = get(module, path)
                    #expect(response.status == 404 || response.status == 403)
                    #expect(!response.text.contains("secret") && !response.text.contains("root:"))
                }
            }
        }

        @Test("a symbolic link within the folder is followed")
        func innerLink() throws {
            folder.write("real/x.txt", "x")
            try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: "real")
            #expect(get(try module(), "/link/x.txt").text == "x")
        }

        @Test(
            "names with a dot in front are 404.9, but for .well-known",
            arguments: [
                ("/.git/config.txt", "404.9"), ("/a/.hidden.txt", "404.9"), ("/.well-known/x.txt", "200.0"),
                ("/a/.well-known/x.txt", "404.9"), ("/.well-known-not/x.txt", "404.9"), ("/a/b.c.txt", "200.0"),
            ])
        func hidden(_ path: String, _ expected: String) throws {
            folder.write(String(path.dropFirst()), "x")
            #expect(code(get(try module(), path)) == expected)
            #expect(get(try module([("hidden_files", "true")]), path).status == 200)
        }

        @Test("a FIFO is 404, and nobody waits for it")
        func fifo() throws {
            #expect(mkfifo(folder.path + "/f.txt", 0o644) == 0)
            #expect(code(get(try module(), "/f.txt")) == "404.0")
        }

        @Test("missing files are 404, told without the pool where the kernel remembers that they are missing")
        func missing() throws {
            folder.write("a.txt", "a")
            let module = try module()
            #expect(code(get(module, "/nothere.txt")) == "404.0")
            #expect(TestHost.current.blockingCount == 1)
            // tmpfs remembers no such names; other file systems do, unless a mount or a rename elsewhere comes between.
            let isRemembered = !folder.isOnTmpfs
            let isToldAtOnce = (0..<100).contains { _ in
                let before = TestHost.current.blockingCount
                #expect(code(get(module, "/nothere.txt")) == "404.0")
                return TestHost.current.blockingCount == before
            }
            #expect(isToldAtOnce == isRemembered)
            #expect(code(get(module, "/" + String(repeating: "a", count: 5000) + ".txt")) == "404.0")
            #expect(code(get(module, "/a\0.txt")) == "404.0")
        }

        @Test("a full pool is 503")
        func full() throws {
            let module = try module()
            TestHost.current.isPoolFull = true
            #expect(get(module, "/a.txt").status == 503)
        }

        // MARK: The cache and the disk

        @Test("a change is seen after a second at most")
        func changes() throws {
            folder.write("a.txt", "one")
            let module = try module()
            #expect(get(module, "/a.txt").text == "one")
            folder.write("a.txt", "two!", modified: 1_700_000_001)
            TestHost.current.now += 499_999_999
            #expect(get(module, "/a.txt").text == "one")
            TestHost.current.now += 500_000_001
            #expect(get(module, "/a.txt").text == "two!")
            try FileManager.default.removeItem(atPath: folder.path + "/a.txt")
            TestHost.current.now += 1_000_000_000
            #expect(code(get(module, "/a.txt")) == "404.0")
        }

        @Test("a large file that is written anew in its place is sent in the length it has, 10 ms later")
        func writtenAnew() throws {
            let file = folder.write("f.bin", [UInt8](repeating: 1, count: 30_000))
            let module = try module()
            #expect(get(module, "/f.bin").contentLength == 30_000)
            // The same file, open in the cache, and hardly any time has passed.
            let handle = try #require(FileHandle(forWritingAtPath: file))
            let tag = get(module, "/f.bin")["ETag"]
            TestHost.current.now += 10_000_000
            try handle.truncate(atOffset: 20_000)
            let shorter = get(module, "/f.bin")
            #expect(shorter.contentLength == 20_000 && shorter.content.count == 20_000)
            #expect(shorter["ETag"] != tag)
            TestHost.current.now += 10_000_000
            try handle.truncate(atOffset: 100)
            let part = get(module, "/f.bin", [("Range", "bytes=0-19999")])
            #expect(part.status == 206)
            #expect(part["Content-Range"] == "bytes 0-99/100")
            try handle.close()
        }

        @Test("a file changed just before it was read is read again, though its date stays")
        func recent() throws {
            let wall = TimeInterval(TestHost().wall)
            folder.write("a.txt", "one", modified: wall)
            let module = try module()
            #expect(get(module, "/a.txt").text == "one")
            folder.write("a.txt", "two", modified: wall)
            TestHost.current.now += 1_000_000_000
            #expect(get(module, "/a.txt").text == "two")
        }

        @Test("another folder put in the root's place is seen after a second")
        func deployment() throws {
            folder.write("v1/a.txt", "one")
            folder.write("v2/a.txt", "two")
            let link = folder.path + "/current"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "v1")
            let module = try TestModule(StaticFiles.register, [], root: link)
            #expect(get(module, "/a.txt").text == "one")
            try FileManager.default.removeItem(atPath: link)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "v2")
            TestHost.current.now += 1_000_000_000
            #expect(get(module, "/a.txt").text == "two")
        }

        @Test("an unchanged file is looked at again without the pool while its folder is fresh")
        func revalidation() throws {
            folder.write("a.txt", "a")
            folder.write("b.txt", "b")
            let module = try module()
            _ = get(module, "/a.txt")
            TestHost.current.now += 400_000_000
            _ = get(module, "/b.txt")
            #expect(TestHost.current.blockingCount == 2)
            TestHost.current.now += 200_000_000
            #expect(get(module, "/a.txt").text == "a")
            #expect(TestHost.current.blockingCount == 2)
        }

        @Test("content stays while a response still sends it, whatever becomes of the file")
        func pinned() throws {
            folder.write("a.txt", "one")
            let module = try module()
            let request = TestRequest(path: "/a.txt")
            #expect(module.runWithoutEnd(7, request) == Int32(BERTH_FINISH))
            let slot = TestHost.slotPointer.pointee
            let entry = try #require(slot).assumingMemoryBound(to: FileEntry.self)
            #expect(entry.pointee.references == 1)
            folder.write("a.txt", "two!", modified: 1_700_000_001)
            TestHost.current.now += 1_000_000_000
            #expect(get(module, "/a.txt").text == "two!")
            #expect(!entry.pointee.isCached)
            #expect(
                entry.pointee.content.map { String(decoding: UnsafeBufferPointer(start: $0, count: 3), as: UTF8.self) }
                    == "one")
            TestHost.slotPointer.pointee = slot
            request.with { raw in _ = module.table.pointee.stages.11?(module.context, raw) }
        }

        @Test("the cache holds 1024 files, and serves the others all the same")
        func capacity() throws {
            for index in 0..<1100 { folder.write("f\(index).txt", "\(index)") }
            let module = try module()
            for _ in 0..<2 {
                for index in 0..<1100 { #expect(get(module, "/f\(index).txt").text == "\(index)") }
            }
            let context = try #require(module.context).assumingMemoryBound(to: StaticFilesContext.self)
            #expect(context.pointee.cache.count == FileCache.entriesMax)
        }

        @Test("the cache keeps 128 descriptors")
        func descriptors() throws {
            for index in 0..<140 { folder.write("f\(index).bin", [UInt8](repeating: UInt8(index), count: 20_000)) }
            let module = try module()
            for index in 0..<140 { #expect(get(module, "/f\(index).bin").content.first == UInt8(index)) }
            let context = try #require(module.context).assumingMemoryBound(to: StaticFilesContext.self)
            #expect(context.pointee.cache.descriptorCount == FileCache.descriptorsMax)
        }

        // MARK: Conditions and ranges

        static let tag = "\"17979cfe362a0000:a\""

        @Test(
            "preconditions, in the order of RFC 9110",
            arguments: [
                ([("If-None-Match", tag)], 304), ([("If-None-Match", "W/" + tag)], 304),
                ([("If-None-Match", "\"x\", " + tag)], 304),
                ([("If-None-Match", "*")], 304), ([("If-None-Match", "\"x\"")], 200),
                ([("If-None-Match", "garbage")], 200),
                ([("if-none-match", "\"x\""), ("if-none-match", tag)], 304),
                ([("If-Modified-Since", modified)], 304),
                ([("If-Modified-Since", "Tue, 14 Nov 2023 22:13:19 GMT")], 200),
                ([("If-Modified-Since", "Tue, 14 Nov 2023 22:13:21 GMT")], 304),
                ([("If-Modified-Since", "Tuesday, 14-Nov-23 22:13:20 GMT")], 304),
                ([("If-Modified-Since", "Tue Nov 14 22:13:20 2023")], 304), ([("If-Modified-Since", "yesterday")], 200),
                ([("If-None-Match", "\"x\""), ("If-Modified-Since", modified)], 200),
                ([("If-Match", tag)], 200), ([("If-Match", "*")], 200), ([("If-Match", "\"x\"")], 412),
                ([("If-Match", "W/" + tag)], 412), ([("If-Unmodified-Since", modified)], 200),
                ([("If-Unmodified-Since", "Tue, 14 Nov 2023 22:13:19 GMT")], 412),
                ([("If-Unmodified-Since", "never")], 200),
                ([("If-Match", tag), ("If-Unmodified-Since", "Tue, 14 Nov 2023 22:13:19 GMT")], 200),
                ([("If-Match", "\"x\""), ("If-None-Match", tag)], 412),
                ([("Range", "bytes=0-0"), ("If-None-Match", tag)], 304),
            ])
        func conditions(_ fields: [(String, String)], _ status: Int) throws {
            folder.write("a.txt", "0123456789")
            let response = get(try module(), "/a.txt", fields)
            #expect(response.status == status)
            if status == 304 {
                #expect(response.content.isEmpty)
                #expect(response["ETag"] == Self.tag)
                #expect(response["Content-Type"] == nil)
            }
        }

        @Test(
            "single ranges",
            arguments: [
                ("bytes=0-0", "0", "bytes 0-0/10"), ("bytes=0-9", "0123456789", "bytes 0-9/10"),
                ("bytes=5-", "56789", "bytes 5-9/10"),
                ("bytes=9-100", "9", "bytes 9-9/10"), ("bytes=-3", "789", "bytes 7-9/10"),
                ("bytes=-100", "0123456789", "bytes 0-9/10"),
                ("BYTES=1-2", "12", "bytes 1-2/10"), ("bytes= 1-2 ,", "12", "bytes 1-2/10"),
                ("bytes=20-30,1-2", "12", "bytes 1-2/10"),
                ("bytes=0-99999999999999999999999", "0123456789", "bytes 0-9/10"),
            ])
        func range(_ value: String, _ content: String, _ place: String) throws {
            folder.write("a.txt", "0123456789")
            let response = get(try module(), "/a.txt", [("Range", value)])
            #expect(response.status == 206)
            #expect(response.text == content)
            #expect(response["Content-Range"] == place)
            #expect(response["Content-Type"] == "text/plain")
        }

        @Test("ranges of a large file are sent from its descriptor")
        func largeRange() throws {
            folder.write("f.bin", (0..<20_000).map { UInt8(truncatingIfNeeded: $0) })
            let response = get(try module(), "/f.bin", [("Range", "bytes=19998-")])
            #expect(response.status == 206)
            #expect(response.isFile)
            #expect(response.contentLength == 2)
            #expect(response["Content-Range"] == "bytes 19998-19999/20000")
        }

        @Test(
            "ranges that lie outside are 416, ranges that are not understood are ignored",
            arguments: [
                ("bytes=10-", 416), ("bytes=10-20,11-", 416), ("bytes=-0", 416), ("bytes=5-4", 200), ("bytes=a-b", 200),
                ("bytes=", 200), ("bytes=1", 200), ("lines=1-2", 200), ("bytes=--1", 200), ("bytes=1-2,x", 200),
                ("bytes=-", 200),
                ("bytes=0-9,0-9", 200), ("bytes=0-8,0-0", 206), ("bytes=0-8,0-1", 200),
            ])
        func unusualRanges(_ value: String, _ status: Int) throws {
            folder.write("a.txt", "0123456789")
            let response = get(try module(), "/a.txt", [("Range", value)])
            #expect(response.status == status)
            if status == 416 { #expect(response["Content-Range"] == "bytes */10") }
        }

        @Test(
            "sixteen ranges are answered, seventeen get the whole file", arguments: [(15, 206), (16, 206), (17, 200)])
        func rangeCount(_ count: Int, _ status: Int) throws {
            folder.write("a.txt", String(repeating: "x", count: 100))
            let value = "bytes=" + (0..<count).map { "\($0)-\($0)" }.joined(separator: ",")
            #expect(get(try module(), "/a.txt", [("Range", value)]).status == status)
        }

        @Test("several ranges come as multipart/byteranges", arguments: [100, 20_000])
        func multipart(_ size: Int) throws {
            let octets = (0..<size).map { UInt8(0x30 + $0 % 10) }
            folder.write("a.txt", octets)
            let response = get(try module(), "/a.txt", [("Range", "bytes=0-1,-2")])
            #expect(response.status == 206)
            let type = try #require(response["Content-Type"])
            #expect(type.hasPrefix("multipart/byteranges; boundary="))
            let boundary = type.dropFirst("multipart/byteranges; boundary=".count)
            #expect(boundary.count == 32)
            #expect(
                response.text == """
                    \r\n--\(boundary)\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/\(size)\r\n\r\n01\
                    \r\n--\(boundary)\r\nContent-Type: text/plain\r\nContent-Range: bytes \(size - 2)-\(size - 1)/\(size)\r\n\r\n89\
                    \r\n--\(boundary)--\r\n
                    """)
            #expect(response.contentLength == Int64(response.content.count))
        }

        @Test(
            "If-Range takes a strong tag or the very date",
            arguments: [
                (tag, 206), ("W/" + tag, 200), ("\"x\"", 200), (modified, 206), ("Tue, 14 Nov 2023 22:13:21 GMT", 200),
                ("x", 200),
            ])
        func ifRange(_ value: String, _ status: Int) throws {
            folder.write("a.txt", "0123456789")
            #expect(get(try module(), "/a.txt", [("Range", "bytes=0-1"), ("If-Range", value)]).status == status)
        }

        @Test("HEAD and repeated Range fields get no part")
        func noRange() throws {
            folder.write("a.txt", "0123456789")
            #expect(get(try module(), "/a.txt", [("Range", "bytes=0-1")], method: "HEAD").status == 200)
            #expect(get(try module(), "/a.txt", [("Range", "bytes=0-1"), ("Range", "bytes=2-3")]).status == 200)
        }

        @Test(
            "bad settings are refused with their place",
            arguments: [
                ([("root", "/nowhere")], "site.toml:1:1: cannot open '/nowhere': No such file or directory"),
                ([("root", "relative")], "'relative' is no absolute path"),
                ([("directories.img", "/")], "'img' is no path"),
                ([("default_documents", "a/b")], "'a/b' is no name"),
                ([("media_types..x", "text")], "'text' is no media type"),
                ([("etag", "maybe")], "'etag' is 'maybe'"), ([("index", "x")], "'index' is no setting"),
            ])
        func badSettings(_ settings: [(String, String)], _ expected: String) {
            #expect {
                try TestModule(StaticFiles.register, settings, root: "/")
            } throws: { ($0 as? TestModule.Refusal)?.text.contains(expected) == true }
        }
    }
}
