import BerthModules
import CBerthModule
import Testing

extension ModuleTests {
    @Suite("request-filtering")
    struct RequestFilteringTests {
        /// "404.14", or "pass".
        func verdict(_ settings: [(String, String)] = [], _ request: TestRequest) throws -> String {
            let module = try TestModule(RequestFiltering.register, settings)
            let (answer, response) = module.run(0, request)
            if answer == Int32(BERTH_CONTINUE) { return "pass" }
            #expect(answer == Int32(BERTH_FINISH))
            return "\(response.status).\(response.substatus)"
        }

        @Test("a usual request passes")
        func usual() throws {
            #expect(try verdict([], TestRequest(path: "/shop/items/42.html", query: "page=2")) == "pass")
            #expect(try verdict([], TestRequest(path: "*")) == "pass")
            #expect(try verdict([], TestRequest(method: "BREW", path: "/")) == "pass")
        }

        @Test("content over max_content_length is 413.1", arguments: [(-1, "pass"), (0, "pass"), (1, "413.1")])
        func contentLength(_ more: Int64, _ expected: String) throws {
            #expect(try verdict([], TestRequest(contentLength: 30_000_000 + more)) == expected)
            #expect(try verdict([("max_content_length", "10")], TestRequest(contentLength: 10 + more)) == expected)
        }

        @Test("chunked content is counted while it is read")
        func chunked() throws {
            let module = try TestModule(RequestFiltering.register, [("max_content_length", "1000")])
            let (answer, _) = module.run(0, TestRequest(contentLength: -1))
            #expect(answer == Int32(BERTH_CONTINUE))
            #expect(TestHost.current.entityLimit == 1000)
        }

        @Test("a path over max_url is 404.14", arguments: [(-1, "pass"), (0, "pass"), (1, "404.14")])
        func url(_ more: Int, _ expected: String) throws {
            #expect(try verdict([], TestRequest(path: "/" + String(repeating: "a", count: 4095 + more))) == expected)
            #expect(
                try verdict([("max_url", "5")], TestRequest(path: "/" + String(repeating: "a", count: 4 + more)))
                    == expected)
        }

        @Test("a query over max_query_string is 404.15", arguments: [(-1, "pass"), (0, "pass"), (1, "404.15")])
        func query(_ more: Int, _ expected: String) throws {
            #expect(try verdict([], TestRequest(query: String(repeating: "q", count: 2048 + more))) == expected)
        }

        @Test("a path of more than max_url_segments is 404.20", arguments: [(-1, "pass"), (0, "pass"), (1, "404.20")])
        func segments(_ more: Int, _ expected: String) throws {
            #expect(try verdict([], TestRequest(path: String(repeating: "/a", count: 32 + more))) == expected)
            #expect(
                try verdict([("max_url_segments", "0")], TestRequest(path: String(repeating: "/a", count: 500)))
                    == "pass")
        }

        @Test("a slash at the end begins no segment")
        func trailingSlash() throws {
            #expect(try verdict([], TestRequest(path: String(repeating: "/a", count: 32) + "/")) == "pass")
        }

        @Test(
            "hidden segments are whole segments, in any case",
            arguments: [
                ("/bin", "404.8"), ("/bin/", "404.8"), ("/a/BIN/b", "404.8"), ("/binary", "pass"), ("/cabin", "pass"),
                ("/a/web.config", "404.8"), ("/WEB.CONFIG/", "404.8"), ("/App_Data/x.txt", "404.8"),
                ("/app_datax", "pass"),
                ("//bin", "404.8"),
            ])
        func hidden(_ path: String, _ expected: String) throws {
            #expect(try verdict([], TestRequest(path: path)) == expected)
        }

        @Test("a hidden segment and a denied extension are found wherever in the path they lie", arguments: 0..<24)
        func places(_ length: Int) throws {
            let name = String(repeating: "a", count: length)
            for (path, expected) in [
                ("/\(name)/bin", "404.8"), ("/\(name)/bin/\(name)", "404.8"), ("/\(name)/bins", "pass"),
                ("/\(name)x.cs", "404.7"), ("/\(name).css", "pass"), ("/\(name)\u{e9}.cs", "404.7"),
                ("/\(name)!-/bin", "404.8"), ("/.\(name).cs", "404.7"), ("/\(name).cs/\(name)x", "pass"),
            ] {
                #expect(try verdict([], TestRequest(path: path)) == expected, "\(path)")
            }
        }

        @Test("a list of hidden segments takes the place of the stock one")
        func ownHidden() throws {
            let settings = [("hidden_segments", "secret"), ("hidden_segments", ".git")]
            #expect(try verdict(settings, TestRequest(path: "/x/Secret/y")) == "404.8")
            #expect(try verdict(settings, TestRequest(path: "/.git/config")) == "404.8")
            #expect(try verdict(settings, TestRequest(path: "/bin/x")) == "pass")
        }

        @Test(
            "denied extensions are those of the last segment",
            arguments: [
                ("/a.config", "404.7"), ("/a.CONFIG", "404.7"), ("/a.cs", "404.7"), ("/a.css", "pass"),
                ("/a.b.cs", "404.7"),
                ("/a.cs/b", "pass"), ("/key.pem", "404.7"), ("/.env", "404.7"), ("/a.", "pass"), ("/a", "pass"),
            ])
        func extensions(_ path: String, _ expected: String) throws {
            #expect(try verdict([], TestRequest(path: path)) == expected)
        }

        @Test("with allowed extensions only those pass")
        func allowedExtensions() throws {
            let settings = [("file_extensions", ".html"), ("file_extensions", ".css")]
            #expect(try verdict(settings, TestRequest(path: "/a.html")) == "pass")
            #expect(try verdict(settings, TestRequest(path: "/a.js")) == "404.7")
            #expect(try verdict(settings, TestRequest(path: "/a")) == "pass")
        }

        @Test("verbs are compared with case")
        func verbs() throws {
            #expect(try verdict([("verbs", "GET")], TestRequest(method: "GET")) == "pass")
            #expect(try verdict([("verbs", "GET")], TestRequest(method: "POST")) == "404.6")
            #expect(try verdict([("deny_verbs", "TRACE")], TestRequest(method: "TRACE")) == "404.6")
            #expect(try verdict([("deny_verbs", "TRACE")], TestRequest(method: "trace")) == "pass")
        }

        @Test("double escapes are 404.11 unless allowed, high octets pass unless forbidden")
        func flags() throws {
            let double = TestRequest(flags: UInt32(BERTH_REQUEST_DOUBLE_ESCAPED))
            #expect(try verdict([], double) == "404.11")
            #expect(try verdict([("allow_double_escaping", "true")], double) == "pass")
            let high = TestRequest(flags: UInt32(BERTH_REQUEST_HIGH_BIT))
            #expect(try verdict([], high) == "pass")
            #expect(try verdict([("allow_high_bit", "false")], high) == "404.12")
        }

        @Test("denied sequences of the path are 404.5, but for paths that are always allowed")
        func urlSequences() throws {
            let settings = [
                ("deny_url_sequences", "../"), ("deny_url_sequences", "CMD"), ("always_allowed_urls", "/ok/cmd"),
            ]
            #expect(try verdict(settings, TestRequest(path: "/a/cmd/b")) == "404.5")
            #expect(try verdict(settings, TestRequest(path: "/OK/cmd")) == "pass")
            #expect(try verdict(settings, TestRequest(path: "/cm")) == "pass")
        }

        @Test(
            "denied sequences of the query are found raw and unescaped",
            arguments: [
                ("a=<script", "404.18"), ("a=%3Cscript", "404.18"), ("a=%3cSCRIPT", "404.18"), ("a=script", "pass"),
                ("x+y", "404.18"), ("a=%3", "pass"), ("", "pass"),
            ])
        func querySequences(_ query: String, _ expected: String) throws {
            let settings = [("deny_query_string_sequences", "<script"), ("deny_query_string_sequences", "x y")]
            #expect(try verdict(settings, TestRequest(query: query)) == expected)
        }

        @Test("a field over its own limit is 431", arguments: [(-1, "pass"), (0, "pass"), (1, "431.0")])
        func fieldLimits(_ more: Int, _ expected: String) throws {
            let request = TestRequest(fields: [
                ("X-Other", "0123456789"), ("x-token", String(repeating: "t", count: 8 + more)),
            ])
            #expect(try verdict([("header_limits.X-Token", "8")], request) == expected)
        }

        @Test("everything that is wrong with the settings is said at once, with its place")
        func badSettings() throws {
            let settings = [
                ("max_url", "many"), ("allow_high_bit", "yes"), ("file_extensions", "html"), ("max_ulr", "1"),
            ]
            #expect {
                try TestModule(RequestFiltering.register, settings)
            } throws: { error in
                let text = (error as? TestModule.Refusal)?.text ?? ""
                return ["site.toml:1:1: ", "site.toml:2:1: ", "site.toml:3:1: ", "site.toml:4:1: 'max_ulr'"].allSatisfy
                {
                    text.contains($0)
                }
            }
        }
    }
}
