import BerthModules
import CBerthModule
import Foundation
import Testing

extension ModuleTests {
    @Suite("request-logging")
    struct RequestLoggingTests {
        static let standardFields =
            "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken"

        /// The lines that requests leave in a file, the header's left out.
        func lines(_ settings: [(String, String)] = [], _ requests: [TestRequest]) throws -> [String] {
            let folder = TemporaryFolder()
            let module = try TestModule(RequestLogging.register, settings + [("file", folder.path + "/log")])
            for request in requests {
                let (answer, _) = module.run(10, request)
                #expect(answer == Int32(BERTH_CONTINUE))
            }
            module.endContext()
            return folder.read("log").split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
        }

        @Test("a file begins with the header of W3C, then a line a request in IIS's columns")
        func golden() throws {
            let folder = TemporaryFolder()
            let module = try TestModule(RequestLogging.register, [("file", folder.path + "/log")])
            module.run(
                10,
                TestRequest(
                    path: "/a b", target: "/a%20b", query: "",
                    fields: [("Host", "x"), ("user-agent", "curl/7.88 (x; y)"), ("Referer", "http://r.example/")],
                    user: "alice",
                    status: 404, substatus: 8, errorNumber: 2, duration: 1_234_567_890))
            module.endContext()
            #expect(
                folder.read("log") == """
                    #Software: Berth
                    #Version: 1.0
                    #Date: 2026-11-21 12:34:56
                    \(Self.standardFields)
                    2026-11-21 12:34:56 127.0.0.1 GET /a%20b - 8080 alice 10.0.0.1 curl/7.88+(x;+y) http://r.example/ 404 8 2 1234

                    """)
        }

        @Test("every column there is")
        func everyColumn() throws {
            let names = [
                "date", "time", "s-sitename", "s-ip", "cs-method", "cs-uri-stem", "cs-uri-query", "s-port",
                "cs-username", "c-ip",
                "cs-version", "cs(User-Agent)", "cs(Cookie)", "cs(Referer)", "cs-host", "sc-status", "sc-substatus",
                "sc-win32-status", "sc-bytes", "cs-bytes", "time-taken",
            ]
            let request = TestRequest(
                method: "POST", path: "/x", query: "a=1", fields: [("Cookie", "c=1; d=2")], octetsSent: 123_456_789,
                octetsReceived: 99)
            #expect(
                try lines(names.map { ("fields", $0) }, [request]) == [
                    "2026-11-21 12:34:56 W3SVC7 127.0.0.1 POST /x a=1 8080 - 10.0.0.1 HTTP/1.1 - c=1;+d=2 - shop.example 200 0 0 123456789 99 0"
                ])
        }

        @Test(
            "spaces and what is not printable become a plus, whatever their place in a word of eight",
            arguments: [
                ("", "-"), ("a", "a"), ("a b", "a+b"), ("1234567 9", "1234567+9"), ("        ", "++++++++"),
                ("12345678 0123456", "12345678+0123456"), ("tab\tx1234567", "tab+x1234567"),
                ("del\u{7f}12345678", "del+12345678"),
                ("\u{1}\u{2}\u{1f}3456789", "+++3456789"), ("é12345678", "++12345678"), ("!~!~!~!~!~", "!~!~!~!~!~"),
                ("a\nb12345678 c", "a+b12345678+c"), ("0123456789abcde\u{ff}", "0123456789abcde++"),
            ])
        func escaping(_ agent: String, _ expected: String) throws {
            let request = TestRequest(fields: [("User-Agent", agent)])
            #expect(try lines([("fields", "cs(User-Agent)")], [request]) == [expected])
        }

        @Test("every octet at every place of a word comes out as it should")
        func everyOctet() throws {
            var requests: [TestRequest] = []
            var expected: [String] = []
            for octet in UInt8(1)...0x7f {
                // A line that begins with a hash looks like one of the header.
                for place in (octet == 0x23 ? 1 : 0)..<9 {
                    var text = Array("abcdefghi".utf8)
                    text[place] = octet
                    requests.append(TestRequest(fields: [("User-Agent", String(decoding: text, as: UTF8.self))]))
                    if octet < 0x21 || octet == 0x7f { text[place] = 0x2b }
                    expected.append(String(decoding: text, as: UTF8.self))
                }
            }
            #expect(try lines([("fields", "cs(User-Agent)")], requests) == expected)
        }

        @Test(
            "numbers of every length",
            arguments: [0, 9, 10, 99, 100, 999, 1000, 65_535, 18_446_744_073_709_551_615] as [UInt64])
        func numbers(_ number: UInt64) throws {
            #expect(try lines([("fields", "sc-bytes")], [TestRequest(octetsSent: number)]) == [String(number)])
        }

        @Test("the names of users keep what tells them apart")
        func userNames() throws {
            #expect(
                try lines([("fields", "cs-username")], [TestRequest(user: "müller"), TestRequest(user: "a b")]) == [
                    "m%C3%BCller", "a+b",
                ])
        }

        @Test(
            "the stem is the raw path of the target",
            arguments: [
                ("/a?b=1", "b=1", "/a", "b=1"), ("/a?", "", "/a", "-"), ("http://h:80/x%20y?q", "q", "/x%20y", "q"),
                ("http://h", "", "/", "-"), ("*", "", "*", "-"),
            ])
        func stem(_ target: String, _ query: String, _ stem: String, _ logged: String) throws {
            let flags = target.hasPrefix("http") ? UInt32(BERTH_REQUEST_ABSOLUTE_FORM) : 0
            let request = TestRequest(path: "/cooked", target: target, query: query, flags: flags)
            #expect(
                try lines([("fields", "cs-uri-stem"), ("fields", "cs-uri-query")], [request]) == ["\(stem) \(logged)"])
        }

        @Test("addresses of both families, and of a Unix socket")
        func addresses() throws {
            let columns = [("fields", "s-ip"), ("fields", "c-ip"), ("fields", "s-port")]
            let loopback: [UInt8] = [UInt8](repeating: 0, count: 15) + [1]
            #expect(
                try lines(
                    columns,
                    [
                        TestRequest(remote: [192, 168, 100, 255]),
                        TestRequest(family: 6, remote: loopback, local: loopback),
                        TestRequest(family: 0), TestRequest(remote: [1, 2, 3, 4]),
                    ]) == [
                        "127.0.0.1 192.168.100.255 8080", "::1 ::1 8080", "- - -", "127.0.0.1 1.2.3.4 8080",
                    ])
        }

        @Test("a value is cut after 4096 octets", arguments: [4095, 4096, 4097])
        func cut(_ count: Int) throws {
            let request = TestRequest(fields: [("User-Agent", String(repeating: "u", count: count))])
            #expect(try lines([("fields", "cs(User-Agent)")], [request]).first?.count == min(count, 4096))
        }

        @Test("the longest line there can be fits the buffer")
        func longest() throws {
            let long = String(repeating: "é", count: 30_000)
            let request = TestRequest(
                method: long, path: long, query: long,
                fields: [("User-Agent", long), ("Cookie", long), ("Referer", long)],
                user: long, host: long)
            let names = [
                "cs-method", "cs-uri-stem", "cs-uri-query", "cs-username", "cs(User-Agent)", "cs(Cookie)",
                "cs(Referer)", "cs-host",
            ]
            let lines = try lines(names.map { ("fields", $0) }, [request, request, request])
            #expect(lines.map { $0.split(separator: " ").count } == [8, 8, 8])
            #expect(TestHost.current.log.isEmpty)
        }

        @Test("one file a day in UTC, in the folder of the site")
        func days() throws {
            let folder = TemporaryFolder()
            let module = try TestModule(
                RequestLogging.register, [("directory", folder.path + "/logs"), ("fields", "date")])
            module.run(10)
            TestHost.current.wall += 86_400 / 2
            module.run(10)
            module.endContext()
            #expect(folder.read("logs/W3SVC7/u_ex261121.log").hasSuffix("\n2026-11-21\n"))
            #expect(folder.read("logs/W3SVC7/u_ex261122.log").hasSuffix("\n2026-11-22\n"))
        }

        @Test(
            "names of the other periods",
            arguments: [
                ("hourly", "u_ex26112112"), ("weekly", "u_ex261103"), ("monthly", "u_ex2611"), ("size", "u_extend1"),
            ])
        func periods(_ rollover: String, _ name: String) throws {
            let folder = TemporaryFolder()
            // The folder of the site is not added to a path that ends in it.
            let module = try TestModule(
                RequestLogging.register, [("directory", folder.path + "/W3SVC7"), ("rollover", rollover)])
            module.run(10)
            module.endContext()
            #expect(folder.read("W3SVC7/\(name).log").contains("GET / -"))
        }

        @Test("a full file is left where the size decides")
        func size() throws {
            let folder = TemporaryFolder()
            folder.write("W3SVC7/u_extend1.log", String(repeating: "x", count: 1_048_576))
            let module = try TestModule(
                RequestLogging.register,
                [("directory", folder.path), ("rollover", "size"), ("truncate_size", "1048576")])
            module.run(10)
            module.endContext()
            #expect(folder.read("W3SVC7/u_extend2.log").contains("GET / -"))
        }

        @Test("the header is repeated when the columns change, and not otherwise")
        func headers() throws {
            let folder = TemporaryFolder()
            func run(_ column: String) throws {
                let module = try TestModule(
                    RequestLogging.register, [("file", folder.path + "/log"), ("fields", column)])
                module.run(10)
                module.endContext()
            }
            try run("sc-status")
            try run("sc-status")
            try run("cs-method")
            let lines = folder.read("log").split(separator: "\n").filter {
                !$0.hasPrefix("#") || $0.hasPrefix("#Fields")
            }
            #expect(lines == ["#Fields: sc-status", "200", "200", "#Fields: cs-method", "GET"])
        }

        @Test("lines wait no longer than the flush interval")
        func flush() throws {
            let folder = TemporaryFolder()
            let module = try TestModule(
                RequestLogging.register,
                [("file", folder.path + "/log"), ("flush_interval", "2000"), ("fields", "sc-status")])
            let wall = TestHost.current.wall
            module.run(10)
            module.tick(wall + 1)
            #expect(folder.read("log").isEmpty)
            module.tick(wall + 2)
            // Another thread writes: ending the context waits for it, and has nothing of its own left.
            module.endContext()
            #expect(folder.read("log").hasSuffix("\n200\n"))
        }

        @Test("a buffer is given away before it overflows, and no line is torn or lost")
        func manyLines() throws {
            let requests = (0..<5000).map { TestRequest(path: "/\($0)", octetsSent: UInt64($0)) }
            let folder = TemporaryFolder()
            let module = try TestModule(
                RequestLogging.register,
                [("file", folder.path + "/log"), ("fields", "cs-uri-stem"), ("fields", "sc-bytes")])
            for request in requests { module.run(10, request) }
            module.endContext()
            let lines = folder.read("log").split(separator: "\n").filter { !$0.hasPrefix("#") }
            let lost = 5000 - lines.count
            // The writer may have been slow, but then whole lines are missing.
            #expect(lines.allSatisfy { line in line.dropFirst().split(separator: " ").count == 2 })
            #expect(lost >= 0)
            #expect(Set(lines).count == lines.count)
        }

        @Test("a file that cannot be written costs lines, one complaint, and nothing else")
        func unwritable() throws {
            let folder = TemporaryFolder()
            folder.write("blocked", "a file, not a folder")
            let module = try TestModule(
                RequestLogging.register, [("file", folder.path + "/blocked/log"), ("flush_interval", "0")])
            for _ in 0..<3 {
                let (answer, _) = module.run(10)
                #expect(answer == Int32(BERTH_CONTINUE))
            }
            module.endContext()
            #expect(TestHost.current.log.count == 1)
            #expect(
                TestHost.current.log.first?.contains("cannot write '\(folder.path)/blocked/log': Not a directory")
                    == true)
        }

        @Test(
            "bad settings are refused with their place",
            arguments: [
                ([("file", "log")], "site.toml:1:1: 'file' must be an absolute path"),
                ([("file", "/l"), ("directory", "/d")], "exclude each other"),
                ([("file", "/l"), ("fields", "cs-uri")], "site.toml:2:1: 'cs-uri' is no column"),
                (
                    [("file", "/l"), ("fields", "date"), ("fields", "date")],
                    "site.toml:3:1: the column 'date' is there twice"
                ),
                ([("directory", "/d"), ("rollover", "yearly")], "'yearly' is no period"),
                ([("file", "/l"), ("color", "red")], "'color' is no setting"), ([], "'directory' or 'file'"),
            ])
        func badSettings(_ settings: [(String, String)], _ expected: String) {
            #expect {
                try TestModule(RequestLogging.register, settings)
            } throws: { error in
                (error as? TestModule.Refusal)?.text.contains(expected) == true
            }
        }
    }
}
