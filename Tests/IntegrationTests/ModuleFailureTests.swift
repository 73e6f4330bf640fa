import TestSupport
import Testing

/// What the ASP.NET Core Module answers 500.3x: an application whose module cannot serve, beside one that can.
@Suite("A module that cannot serve")
struct ModuleFailureTests {
    /// A healthy application and one with `module`.
    private func site(module: String, configuration: String = "", more: String = "") -> String {
        """
        [site]
        bindings = ["http://*:$PORT/"]
        [[application]]
        hosting = "in-process"
        isolation = "none"
        module = "$BIN/libHelloModule.so"
        [[application]]
        path = "/bad"
        hosting = "in-process"
        isolation = "none"
        module = "\(module)"
        configuration = "\(configuration)"
        \(more)
        """
    }

    /// Expects `status`.`substatus` with the reason for callers on this machine, a plain page for strangers, the reason on
    /// standard error with the place in the file, and the other application undisturbed.
    private func expectFailure(
        _ site: String, substatus: Int, reason: String, files: [String: String] = [:],
        environment: [String: String?] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let other = """
            [site]
            bindings = ["http://other.example:$PORT/"]
            [[application]]
            hosting = "static"
            root = "$FOLDER/www"
            """
        try withDaemon(
            sites: ["bad": site, "other": other],
            files: files.merging(["www/index.html": "other"]) { first, _ in first },
            environment: environment
        ) { daemon in
            let client = try daemon.connect()
            let local = try client.request("/bad/x")
            #expect(local.status == 500, sourceLocation: sourceLocation)
            #expect(local.text.contains("500.\(substatus)"), "\(local.text)", sourceLocation: sourceLocation)
            #expect(local.text.contains(reason), "\(local.text)", sourceLocation: sourceLocation)
            let stranger = try client.request("/bad/x", fields: ["X-Forwarded-For: 203.0.113.7"])
            #expect(stranger.status == 500, sourceLocation: sourceLocation)
            #expect(!stranger.text.contains("500.\(substatus)"), sourceLocation: sourceLocation)
            #expect(!stranger.text.contains(reason), sourceLocation: sourceLocation)
            #expect(!stranger.text.contains(daemon.folder.path), sourceLocation: sourceLocation)
            #expect(try client.request("/").status == 200, sourceLocation: sourceLocation)
            #expect(try client.request("/", host: "other.example").text == "other", sourceLocation: sourceLocation)
            let line = try daemon.process.output.wait(containing: reason)
            #expect(line.contains("sites.d/bad.toml:7:1: "), "\(line)", sourceLocation: sourceLocation)
        }
    }

    @Test("that is missing is answered 500.32")
    func missing() throws {
        try expectFailure(site(module: "$FOLDER/missing.so"), substatus: 32, reason: "does not exist")
    }

    @Test("that is no shared library is answered 500.32")
    func noLibrary() throws {
        try expectFailure(
            site(module: "$FOLDER/text.so"), substatus: 32, reason: "cannot be loaded",
            files: ["text.so": "no library"])
    }

    @Test("that was built for another architecture is answered 500.32")
    func otherArchitecture() throws {
        // The head of an ELF file for AArch64, and nothing behind it.
        var octets = [UInt8](repeating: 0, count: 4096)
        octets.replaceSubrange(
            0..<20, with: [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 183, 0])
        octets[20] = 1
        let folder = try TemporaryFolder()
        let path = try folder.write("other.so", octets)
        try expectFailure(site(module: path), substatus: 32, reason: "cannot be loaded")
    }

    @Test("that exports no registration function is answered 500.33")
    func noSymbol() throws {
        let libc = try #require(
            ["/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6", "/lib64/libm.so.6"].first {
                Files.exists($0)
            })
        try expectFailure(site(module: libc), substatus: 33, reason: "exports no berth_module_register")
    }

    @Test("that was built for another version of the ABI is answered 500.33")
    func otherABI() throws {
        try expectFailure(
            site(module: "$BIN/libFixtureModule.so"), substatus: 33, reason: "libFixtureModule.so",
            environment: ["FIXTURE_REGISTER": "abi"])
    }

    @Test("whose registration refuses is answered 500.33, with what it said")
    func refuses() throws {
        try expectFailure(
            site(module: "$BIN/libFixtureModule.so"), substatus: 33, reason: "the fixture refuses to register",
            environment: ["FIXTURE_REGISTER": "refuse"])
    }

    @Test("whose initialisation fails is answered 500.30, with what it said")
    func failingInitialisation() throws {
        try expectFailure(
            site(module: "$BIN/libFixtureModule.so", configuration: "fail-init=no-database"), substatus: 30,
            reason: "no-database")
    }

    @Test("that makes no context is answered 500.30")
    func failingContext() throws {
        try expectFailure(
            site(module: "$BIN/libFixtureModule.so", configuration: "fail-context=yes"), substatus: 30,
            reason: "the fixture makes no context")
    }

    @Test("a request that comes while a module initialises waits for it, others do not")
    func slowInitialisation() throws {
        let folder = try TemporaryFolder()
        let go = try Pipe(at: folder.path + "/go")
        let site = site(module: "$BIN/libFixtureModule.so", configuration: "await-init=\(folder.path)/go")
        try withDaemon(sites: ["slow": site]) { daemon in
            let waiting = try (0..<3).map { _ in
                let client = try daemon.connect()
                try client.send("GET /bad/plain HTTP/1.1\r\nHost: h\r\n\r\n")
                return client
            }
            let client = try daemon.connect()
            for _ in 0..<10 { #expect(try client.request("/").text == "Hello, World!") }
            for client in waiting { #expect(!client.hasInput(within: 0)) }
            try go.open("")
            for client in waiting { #expect(try client.receiveResponse().text == "fixture") }
        }
    }

    @Test("a client that leaves while a module initialises disturbs nobody")
    func leavesDuringInitialisation() throws {
        let site = site(module: "$BIN/libFixtureModule.so", configuration: "delay-init=1")
        try withDaemon(sites: ["slow": site]) { daemon in
            let leaving = try daemon.connect()
            try leaving.send("GET /bad/plain HTTP/1.1\r\nHost: h\r\n\r\n")
            let staying = try daemon.connect()
            try staying.send("GET /bad/plain HTTP/1.1\r\nHost: h\r\n\r\n")
            leaving.reset()
            #expect(try staying.receiveResponse().text == "fixture")
        }
    }

    @Test("an initialisation over its time limit is answered 500.37, at once for those who wait")
    func tooSlowInitialisation() throws {
        let site = site(
            module: "$BIN/libFixtureModule.so", configuration: "delay-init=30", more: "startup_time_limit = \"1s\"")
        try withDaemon(sites: ["slow": site]) { daemon in
            let response = try daemon.request("/bad/plain")
            #expect(response.status == 500)
            #expect(response.text.contains("500.37"))
            #expect(response.text.contains("startup_time_limit"))
            #expect(try daemon.request("/").text == "Hello, World!")
            try daemon.process.output.wait(containing: "500.37")
        }
    }

    @Test("a module that was repaired serves after a reload")
    func repaired() throws {
        let bad = site(module: "$BIN/libFixtureModule.so", configuration: "fail-init=broken")
        try withDaemon(sites: ["site": bad]) { daemon in
            #expect(try daemon.request("/bad/plain").status == 500)
            try daemon.write(site: "site", site(module: "$BIN/libFixtureModule.so"))
            try daemon.reload()
            try daemon.eventually("/bad/plain", "the repaired module answers") { $0.text == "fixture" }
        }
    }
}
