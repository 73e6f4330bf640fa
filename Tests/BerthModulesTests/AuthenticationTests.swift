@testable import BerthModules
import CBerthModule
import Foundation
import Testing

extension ModuleTests {
    @Suite("authentication and authorization")
    struct AuthenticationTests {
        func basic(_ credentials: String) -> (String, String) {
            ("Authorization", "Basic " + Data(credentials.utf8).base64EncodedString())
        }

        /// A file with users made by crypt(3) itself, password "secret".
        func passwordFile(_ folder: TemporaryFolder, extra: String = "") -> String {
            let lines = [
                ("sha512", "$6$saltsalt"), ("sha256", "$5$saltsalt"), ("bcrypt", "$2y$04$abcdefghijklmnopqrstuu"),
                ("yescrypt", "$y$j75$saltsaltsaltsalt"),
            ]
            .map { "\($0.0):\(Crypt.hash("secret", setting: $0.1))" }
            return folder.write("users", lines.joined(separator: "\n") + "\n" + extra)
        }

        func module(_ folder: TemporaryFolder, extra: String = "", _ settings: [(String, String)] = []) throws
            -> TestModule
        {
            try TestModule(
                BasicAuthentication.register,
                [("realm", "the \"shop\""), ("users", "file:" + passwordFile(folder, extra: extra))] + settings)
        }

        static let challenge = "Basic realm=\"the \\\"shop\\\"\", charset=\"UTF-8\""

        // MARK: anonymous-authentication

        @Test("anonymous-authentication names nobody, but says that it was asked")
        func anonymous() throws {
            let module = try TestModule(AnonymousAuthentication.register)
            #expect(module.run(1).answer == Int32(BERTH_CONTINUE))
            #expect(TestHost.current.authenticationType == "Anonymous")
            #expect(TestHost.current.user.isEmpty)
        }

        @Test("anonymous-authentication leaves alone whom another module knew")
        func anonymousAfterBasic() throws {
            let module = try TestModule(AnonymousAuthentication.register)
            #expect(
                module.run(1, TestRequest(user: "alice", authenticationType: "Basic")).answer == Int32(BERTH_CONTINUE))
            #expect(TestHost.current.authenticationType.isEmpty)
        }

        // MARK: basic-authentication

        @Test(
            "the right password of every kind of hash is accepted",
            arguments: ["sha512", "sha256", "bcrypt", "yescrypt"])
        func accepted(_ user: String) throws {
            let folder = TemporaryFolder()
            let module = try module(folder)
            #expect(module.run(1, TestRequest(fields: [basic("\(user):secret")])).answer == Int32(BERTH_CONTINUE))
            #expect(TestHost.current.user == user)
            #expect(TestHost.current.authenticationType == "Basic")
        }

        @Test(
            "wrong credentials are 401.1 with a challenge",
            arguments: ["sha512:Secret", "sha512:", "sha512:secretx", "nobody:secret", ":secret", "SHA512:secret"])
        func wrong(_ credentials: String) throws {
            let folder = TemporaryFolder()
            let module = try module(folder)
            let (answer, response) = module.run(1, TestRequest(fields: [basic(credentials)]))
            #expect(answer == Int32(BERTH_FINISH))
            #expect(response.status == 401 && response.substatus == 1)
            #expect(response["WWW-Authenticate"] == Self.challenge)
            #expect(TestHost.current.authenticationType.isEmpty)
        }

        @Test("without credentials, or with those of another scheme, the request goes on unnamed, with a challenge")
        func unnamed() throws {
            let folder = TemporaryFolder()
            let module = try module(folder)
            for fields in [[], [("Authorization", "Bearer abc")], [("Authorization", "Basically abc")]] {
                let (answer, response) = module.run(1, TestRequest(fields: fields))
                #expect(answer == Int32(BERTH_CONTINUE))
                #expect(response["WWW-Authenticate"] == Self.challenge)
                #expect(TestHost.current.authenticationType.isEmpty)
            }
        }

        @Test(
            "a malformed Authorization field is 400",
            arguments: [
                "Basic", "Basic ", "Basic !!!!", "Basic QQ=", "Basic YWJj", "Basic YTpi=", "Basic YTo=Yg==",
                "Basic YToBYg==",
            ])
        func malformed(_ value: String) throws {
            let folder = TemporaryFolder()
            let module = try module(folder)
            let (answer, response) = module.run(1, TestRequest(fields: [("Authorization", value)]))
            #expect(answer == Int32(BERTH_FINISH))
            #expect(response.status == 400)
        }

        @Test("two Authorization fields are 400")
        func twice() throws {
            let folder = TemporaryFolder()
            let module = try module(folder)
            let response = module.run(1, TestRequest(fields: [basic("sha512:secret"), basic("sha512:secret")])).response
            #expect(response.status == 400)
        }

        @Test("scheme and padding are read generously")
        func generous() throws {
            let folder = TemporaryFolder()
            let module = try module(folder)
            let token = Data("sha256:secret".utf8).base64EncodedString()
            for value in [
                "basic \(token)", "BASIC  \(token) ", "Basic " + token.replacingOccurrences(of: "=", with: ""),
            ] {
                #expect(module.run(1, TestRequest(fields: [("Authorization", value)])).answer == Int32(BERTH_CONTINUE))
            }
        }

        @Test("user names end at 255 octets, passwords at 511", arguments: [-1, 0, 1])
        func limits(_ more: Int) {
            let room = UnsafeMutablePointer<UInt8>.allocate(capacity: BasicCredentials.decodedMax + 3)
            defer { room.deallocate() }
            func read(_ text: String) -> BasicCredentials.Reading {
                let value = TestHost.current.keep("Basic " + Data(text.utf8).base64EncodedString())
                return BasicCredentials.read(value, into: room)
            }
            let long = String(repeating: "u", count: 255 + more)
            let password = String(repeating: "p", count: 511 + more)
            #expect(read(long + ":p") == (more <= 0 ? .credentials(user: 255 + more, password: 1) : .tooLong))
            #expect(read("u:" + password) == (more <= 0 ? .credentials(user: 1, password: 511 + more) : .tooLong))
        }

        @Test("verified credentials are remembered for the cache time, wrong ones are not")
        func remembered() throws {
            let folder = TemporaryFolder()
            let module = try module(folder, [("cache_time", "60000")])
            let right = TestRequest(fields: [basic("sha256:secret")])
            let host = TestHost.current
            module.run(1, right)
            #expect(host.blockingCount == 1)
            module.run(1, right)
            #expect(host.blockingCount == 1)
            module.run(1, TestRequest(fields: [basic("sha256:wrong")]))
            module.run(1, TestRequest(fields: [basic("sha256:wrong")]))
            #expect(host.blockingCount == 3)
            // A look at the file's date a second later, without crypt(3).
            host.now += 1_000_000_001
            #expect(module.run(1, right).answer == Int32(BERTH_CONTINUE))
            #expect(host.blockingCount == 4)
            host.now += 60_000_000_000
            #expect(module.run(1, right).answer == Int32(BERTH_CONTINUE))
            #expect(host.blockingCount == 5)
        }

        @Test("a changed file counts after a second, for remembered credentials too")
        func changed() throws {
            let folder = TemporaryFolder()
            let module = try module(folder)
            let request = TestRequest(fields: [basic("sha256:secret")])
            #expect(module.run(1, request).answer == Int32(BERTH_CONTINUE))
            folder.write("users", "sha256:" + Crypt.hash("another", setting: "$5$saltsalt"), modified: 1_700_000_100)
            #expect(module.run(1, request).answer == Int32(BERTH_CONTINUE))
            TestHost.current.now += 1_000_000_001
            #expect(module.run(1, request).response.substatus == 1)
            #expect(module.run(1, TestRequest(fields: [basic("sha256:another")])).answer == Int32(BERTH_CONTINUE))
        }

        @Test("a file that disappears leaves the users as they were, and is reported once")
        func disappeared() throws {
            let folder = TemporaryFolder()
            let module = try module(folder)
            try FileManager.default.removeItem(atPath: folder.path + "/users")
            for _ in 0..<2 {
                TestHost.current.now += 1_000_000_001
                #expect(module.run(1, TestRequest(fields: [basic("sha256:secret")])).answer == Int32(BERTH_CONTINUE))
            }
            #expect(TestHost.current.log.count == 1)
        }

        @Test("lines that cannot be used are reported with file and line, without the hash")
        func problems() throws {
            let folder = TemporaryFolder()
            _ = try module(
                folder,
                extra: """
                    # a comment

                    apache:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/
                    sha1:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=
                    plain:hunter2
                    no-colon
                    sha256:$5$other$x
                    """)
            let log = TestHost.current.log
            #expect(log.count == 5)
            #expect(log.contains { $0.contains("users:7: user 'apache' has a hash of the kind $apr1$") })
            #expect(log.contains { $0.contains("users:8: user 'sha1' has a hash of the kind {SHA}") })
            #expect(log.contains { $0.contains("users:9: user 'plain' has a hash of the kind DES or plain text") })
            #expect(log.contains { $0.contains("users:10: this is no 'user:hash'") })
            #expect(log.contains { $0.contains("users:11: user 'sha256' is there already") })
            #expect(!log.contains { $0.contains("hunter2") || $0.contains("5en6") })
        }

        @Test("a full pool is 503")
        func full() throws {
            let folder = TemporaryFolder()
            let module = try module(folder)
            TestHost.current.isPoolFull = true
            #expect(module.run(1, TestRequest(fields: [basic("sha256:secret")])).response.status == 503)
        }

        @Test("a caller whom another module knew is not asked")
        func knownAlready() throws {
            let folder = TemporaryFolder()
            let module = try module(folder)
            let (answer, response) = module.run(1, TestRequest(authenticationType: "Negotiate"))
            #expect(answer == Int32(BERTH_CONTINUE))
            #expect(response.fields.isEmpty)
        }

        @Test("a missing file or setting is refused with its place")
        func badSettings() {
            for (settings, expected) in [
                (
                    [("users", "file:/nowhere/users")],
                    "site.toml:1:1: cannot read '/nowhere/users': No such file or directory"
                ),
                ([("users", "/etc/users")], "site.toml:1:1: 'users' is '/etc/users'"), ([], "needs 'users"),
            ] {
                #expect {
                    try TestModule(BasicAuthentication.register, settings)
                } throws: { ($0 as? TestModule.Refusal)?.text.contains(expected) == true }
            }
        }

        @Test("SipHash-2-4 gives the numbers of its authors")
        func sipHash() {
            // The vectors of the reference implementation: key 00...0f, message 00 01 02 ... of this length.
            let expected: [Int: UInt64] = [
                0: 0x726f_db47_dd0e_0e31, 1: 0x74f8_39c5_93dc_67fd, 7: 0xab02_00f5_8b01_d137, 8: 0x93f5_f579_9a93_2462,
                15: 0xa129_ca61_49be_45e5,
            ]
            for (count, value) in expected {
                var hash = SipHash(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
                for octet in 0..<UInt8(count) { hash.add(octet) }
                #expect(hash.finish() == value)
            }
        }

        // MARK: url-authorization

        @Test(
            "deny wins, nobody allowed is refused, strangers get 401.2 and known callers 403",
            arguments: [
                ([("allow", "*")], "", "GET", "/", "pass"), ([("allow", "*")], "alice", "GET", "/", "pass"),
                ([], "alice", "GET", "/", "403.0"), ([], "", "GET", "/", "401.2"),
                ([("allow", "users=alice,bob")], "bob", "GET", "/", "pass"),
                ([("allow", "users=alice,bob")], "carol", "GET", "/", "403.0"),
                ([("allow", "users=alice,bob")], "", "GET", "/", "401.2"),
                ([("allow", "alice")], "Alice", "GET", "/", "403.0"),
                ([("allow", "alice")], "alic", "GET", "/", "403.0"),
                ([("allow", "*"), ("deny", "?")], "", "GET", "/", "401.2"),
                ([("allow", "*"), ("deny", "?")], "alice", "GET", "/", "pass"),
                ([("deny", "alice"), ("allow", "alice")], "alice", "GET", "/", "403.0"),
                ([("allow", "* verbs=GET,HEAD")], "alice", "POST", "/", "403.0"),
                ([("allow", "* verbs=GET,HEAD")], "alice", "HEAD", "/", "pass"),
                ([("allow", "*"), ("deny", "* path=/admin/")], "alice", "GET", "/admin/x", "403.0"),
                ([("allow", "*"), ("deny", "* path=/admin/")], "alice", "GET", "/ADMIN", "403.0"),
                ([("allow", "*"), ("deny", "* path=/admin/")], "alice", "GET", "/administrator", "pass"),
                ([("allow", "*"), ("deny", "? verbs=POST")], "", "GET", "/", "pass"),
            ])
        func rules(_ settings: [(String, String)], _ user: String, _ verb: String, _ path: String, _ expected: String)
            throws
        {
            let module = try TestModule(URLAuthorization.register, settings)
            let (answer, response) = module.run(2, TestRequest(method: verb, path: path, user: user))
            #expect((answer == Int32(BERTH_CONTINUE) ? "pass" : "\(response.status).\(response.substatus)") == expected)
        }

        @Test("roles are groups of a file")
        func roles() throws {
            let folder = TemporaryFolder()
            let groups = folder.write("groups", "# who\nstaff: alice bob\n\nadmins: carol # one\nstaff: dave\n")
            let module = try TestModule(
                URLAuthorization.register,
                [("groups", "file:" + groups), ("allow", "roles=staff"), ("deny", "roles=admins")])
            func passes(_ user: String) -> Bool {
                module.run(2, TestRequest(user: user)).answer == Int32(BERTH_CONTINUE)
            }
            #expect(["alice", "bob", "dave"].allSatisfy(passes))
            #expect(!["carol", "erin", "#", "staff", ""].contains(where: passes))
        }

        @Test(
            "bad rules are refused with their place",
            arguments: [
                ([("allow", "role=x")], "site.toml:1:1: 'role' is unknown"), ([("allow", "verbs=GET")], "names nobody"),
                ([("allow", "* path=admin")], "is no path"), ([("allow", "roles=staff")], "no role 'staff'"),
                ([("groups", "file:/nowhere"), ("allow", "*")], "cannot read '/nowhere'"),
            ])
        func badRules(_ settings: [(String, String)], _ expected: String) {
            #expect {
                try TestModule(URLAuthorization.register, settings)
            } throws: { ($0 as? TestModule.Refusal)?.text.contains(expected) == true }
        }
    }
}
