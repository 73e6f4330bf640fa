import Testing

@testable import BerthConfiguration

@Suite("The loader turns files into one snapshot")
struct ConfigurationLoaderTests {
    /// One site with the given text; no errors allowed.
    private func site(_ text: String, files: FileAccess? = nil) throws -> Site {
        let snapshot = ConfigurationLoader.check(text: text, name: "shop", files: files)
        try #require(snapshot.diagnostics.filter { $0.severity == .error }.map(\.description) == [])
        return try #require(snapshot.sites.first)
    }

    @Test("the example of the design is taken whole")
    func example() throws {
        let snapshot = ConfigurationLoader.check(text: Samples.shop, name: "shop")
        #expect(snapshot.diagnostics.map(\.description) == [])
        let site = try #require(snapshot.sites.first)
        #expect(site.name == "shop")
        #expect(site.id == 1)
        #expect(site.bindings.map(\.urlPrefix) == ["http://shop.example:80/", "http://*:8080/"])
        #expect(site.bindings[1].location == SourceLocation(file: "/etc/berth/sites.d/shop.toml", line: 4, column: 40))
        #expect(site.applications.map(\.path) == ["/docs", "/api", "/"])
        #expect(site.applications.map(\.pool) == ["shop/docs", "api", "shop"])
        #expect(snapshot.pools.map(\.name) == ["api", "shop", "shop/docs"])
        #expect(snapshot.pool(named: "api")?.idleTimeout == .after(.seconds(1200)))

        guard case .outOfProcess(let worker) = site.applications[2].hosting, case .command(let command) = worker.worker
        else {
            Issue.record("/ is not a command")
            return
        }
        #expect(command.executable == "/srv/shop/Shop")
        #expect(command.arguments == ["--production"])
        #expect(command.workingDirectory == "/srv/shop")
        #expect(command.endpoint == .port)
        #expect(command.environment == [EnvironmentVariable(name: "ASPNETCORE_ENVIRONMENT", value: "Production")])
        guard case .inProcess(let module) = site.applications[1].hosting else {
            Issue.record("/api is not in-process")
            return
        }
        #expect(module == InProcessSettings(module: "/usr/lib/berth/modules/libShopAPI.so", isolation: .none))
        guard case .staticFiles(let files) = site.applications[0].hosting else {
            Issue.record("/docs is not static")
            return
        }
        #expect(files.directories.map(\.path) == ["/img"])
        #expect(files.directories.map(\.physicalPath) == ["/srv/images"])
        #expect(site.modules.map(\.name) == ["request-filtering", "anonymous-authentication", "basic-authentication"])
        #expect(site.modules.map(\.isDefault) == [true, true, false])
        #expect(site.modules[2].paths == ["/admin/"])
        #expect(site.modules[2].values(of: "users") == ["file:/etc/berth/shop.htpasswd"])
        #expect(site.modules[0].values(of: "max_url_segments") == ["32"])
        #expect(site.log.destination == .off)
    }

    @Test("without any file the daemon has its defaults and no site")
    func nothing() {
        let loader = ConfigurationLoader(
            siteDirectories: ["/none"], daemonFile: "/none/berth.toml", files: .over(texts: [:]))
        let snapshot = loader.load()
        #expect(
            snapshot.daemon
                == {
                    var settings = DaemonSettings()
                    settings.location = SourceLocation(file: "/none/berth.toml")
                    return settings
                }())
        #expect(snapshot.sites.isEmpty && snapshot.rejected.isEmpty && snapshot.diagnostics.isEmpty)
        #expect(snapshot.daemon.listener.requestBytesMax == 16384)
        #expect(snapshot.daemon.timeouts.idleConnection.milliseconds == 120_000)
    }

    @Test("berth.toml sets the daemon, and what every site and pool begins with")
    func daemon() throws {
        let snapshot = ConfigurationLoader.check(text: Samples.shop, name: "shop", daemonText: Samples.daemon)
        #expect(snapshot.diagnostics.map(\.description) == [])
        #expect(snapshot.daemon.loops == 2)
        #expect(snapshot.daemon.workersMax == nil)
        #expect(snapshot.daemon.listener.requestBytesMax == 32768)
        #expect(snapshot.daemon.listener.fieldLengthMax == 16384)
        #expect(snapshot.daemon.listener.connectionsMax == nil)
        #expect(snapshot.daemon.listener.listenAddresses.map(\.description) == ["127.0.0.1", "::1"])
        #expect(snapshot.daemon.listener.serverHeaderPolicy == .notOnOwnResponses)
        #expect(snapshot.daemon.timeouts.requestQueue == .off)
        #expect(snapshot.daemon.timeouts.minSendRate == .octetsPerSecond(240))
        #expect(snapshot.daemon.errorLog.rollover == .daily)
        #expect(snapshot.daemon.errorLog.truncateSize == 2 << 20)
        let site = try #require(snapshot.sites.first)
        #expect(site.limits.connectionsMax == 1000)
        #expect(site.log.rollover == .hourly)
        #expect(site.log.destination == .directory("/var/log/berth/W3SVC1"))
        #expect(site.modules.last?.name == "request-logging")
        #expect(site.modules.last?.values(of: "directory") == ["/var/log/berth/W3SVC1"])
        #expect(site.modules.last?.values(of: "fields").count == LogField.standard.count)
        #expect(site.applications.allSatisfy { $0.limits.processes == 2 })
        #expect(snapshot.pool(named: "api")?.queueLength == 500)
        #expect(snapshot.pool(named: "shop")?.recycling.schedule == [210])
        #expect(snapshot.pool(named: "shared")?.processesMax == 4)
        #expect(snapshot.pool(named: "shared")?.recycling.time == .off)
    }

    @Test("a key that this release does nothing about is taken, with a word about it")
    func notInForce() {
        let daemon =
            "[daemon]\nmax_workers = 100\n[defaults.pool]\nping = { interval = \"10s\" }\nrecycling = { virtual_memory = \"1GiB\" }\n"
        let snapshot = ConfigurationLoader.check(text: Samples.shop, name: "shop", daemonText: daemon)
        #expect(snapshot.daemon.workersMax == 100)
        #expect(snapshot.diagnostics.map(\.kind) == [.notAvailable, .notAvailable, .notAvailable])
        #expect(
            snapshot.diagnostics.allSatisfy {
                $0.severity == .warning && $0.message.hasSuffix("is not in force in this release")
            })
    }

    @Test("fields of the HTTPERR log are taken in the order of the log, the reason always with them")
    func errorLogFields() {
        func read(_ text: String) -> ConfigurationSnapshot {
            ConfigurationLoader.check(text: Samples.shop, name: "shop", daemonText: "[httperr]\n\(text)")
        }
        #expect(read("").daemon.errorLog.fields == ErrorLogField.standard)
        let some = read("fields = [\"cs-host\", \"TIME\", \"date\"]\nlocal_time_rollover = true")
        #expect(some.daemon.errorLog.fields == [.date, .time, .reason, .host])
        #expect(some.daemon.errorLog.localTimeRollover && some.diagnostics.isEmpty)
        #expect(read("fields = [\"cs-hots\"]").diagnostics.map(\.kind) == [.wrongValue])
    }

    @Test("a reservation decides who may have a prefix and what is below it, the longest one first")
    func reservations() {
        let daemon = """
            [[reservation]]
            url = "http://shop.example:80/"
            sites = ["shop", "blog"]
            [[reservation]]
            url = "http://shop.example:80/admin/"
            sites = ["admin"]
            """
        func load(_ name: String, _ binding: String) -> ConfigurationSnapshot {
            ConfigurationLoader.check(
                text: "[site]\nbindings = [\"\(binding)\"]\n[[application]]\nhosting = \"static\"\nroot = \"/r\"\n",
                name: name,
                daemonText: daemon)
        }
        for (name, binding) in [
            ("shop", "http://shop.example:80/"), ("blog", "http://SHOP.example:80/blog/"),
            ("admin", "http://shop.example:80/Admin/x/"), ("other", "http://shop.example:8080/"),
            ("other", "http://*:80/"), ("other", "http://www.shop.example:80/"),
        ] {
            let snapshot = load(name, binding)
            #expect(snapshot.sites.count == 1 && snapshot.diagnostics.isEmpty, "\(name) \(binding)")
            #expect(snapshot.daemon.reservations.count == 2)
        }
        for (name, binding) in [
            ("other", "http://shop.example:80/"), ("shop", "http://shop.example:80/admin/"),
            ("admin", "http://shop.example:80/administrators/"),
        ] {
            let snapshot = load(name, binding)
            #expect(snapshot.sites.isEmpty, "\(name) \(binding)")
            #expect(snapshot.diagnostics.map(\.kind) == [.reserved])
            #expect(snapshot.diagnostics.first?.message.contains("/etc/berth/berth.toml:") == true)
            #expect(snapshot.rejected.first?.bindings == [])
        }
        let twice = ConfigurationLoader.check(
            text: Samples.shop, name: "shop",
            daemonText: daemon + "\n[[reservation]]\nurl = \"http://Shop.example:80/\"\n[[reservation]]\nsites = []")
        #expect(twice.diagnostics.map(\.kind).prefix(2) == [.duplicate, .missing])
        #expect(twice.daemon.reservations.count == 2)
    }

    @Test("a site that is broken keeps the bindings that could be read")
    func bindingsOfBroken() {
        let text = "[site]\nbindings = [\"http://a:80/\", \"http://b:80/\"]\nnonsense = 1\n"
        let snapshot = ConfigurationLoader.check(text: text, name: "a")
        #expect(snapshot.rejected.map(\.bindings).first?.map(\.urlPrefix) == ["http://a:80/", "http://b:80/"])
    }

    @Test("a limit of a field is never above that of the whole head")
    func fieldLimit() {
        let text = "[listener]\nmax_request_bytes = 1024\n"
        let snapshot = ConfigurationLoader.check(text: Samples.shop, name: "shop", daemonText: text)
        #expect(snapshot.daemon.listener.fieldLengthMax == 1024)
    }

    // MARK: Layers

    private func load(_ texts: [String: String], remembered: [String: UInt32] = [:]) -> ConfigurationSnapshot {
        var loader = ConfigurationLoader(
            siteDirectories: ["/usr/lib/berth/sites.d", "/etc/berth/sites.d", "/run/berth/sites.d"],
            daemonFile: "/etc/berth/berth.toml", files: .over(texts: texts))
        loader.rememberedSiteIDs = remembered
        return loader.load()
    }

    private func small(port: Int, extra: String = "") -> String {
        """
        [site]
        bindings = ["http://*:\(port)/"]
        \(extra)
        [[application]]
        hosting = "static"
        root = "/srv/\(port)"
        """
    }

    @Test(
        "the number of a site that is gone or broken is kept for it, unless a file says it and nobody is left to serve with it"
    )
    func numbersOfOthers() {
        let folder = "/etc/berth/sites.d"
        let new = load(["\(folder)/new.toml": small(port: 1)], remembered: ["gone": 1, "old": 3])
        #expect(new.sites.map(\.id) == [2])
        let both = load(
            ["\(folder)/new.toml": small(port: 1), "\(folder)/newer.toml": small(port: 2)],
            remembered: ["gone": 1, "old": 3])
        #expect(both.sites.map(\.id) == [2, 4])
        let explicit = load(["\(folder)/new.toml": small(port: 1, extra: "id = 1")], remembered: ["gone": 1])
        #expect(explicit.sites.map(\.id) == [1])
        let broken = load(
            ["\(folder)/new.toml": small(port: 1, extra: "id = 1"), "\(folder)/gone.toml": "["],
            remembered: ["gone": 1])
        #expect(broken.sites.map(\.name) == [])
        #expect(
            broken.rejected.first { $0.name == "new" }?.diagnostics.map(\.message) == [
                "the number 1 is that of the site \"gone\", whose files have errors"
            ])
    }

    @Test("a later layer's file replaces the earlier one of the same name")
    func layers() {
        let snapshot = load([
            "/usr/lib/berth/sites.d/a.toml": small(port: 1), "/etc/berth/sites.d/a.toml": small(port: 2),
            "/run/berth/sites.d/a.toml": small(port: 3), "/usr/lib/berth/sites.d/b.toml": small(port: 4),
        ])
        #expect(snapshot.sites.map(\.name) == ["a", "b"])
        #expect(snapshot.sites.map { $0.bindings[0].port } == [3, 4])
    }

    @Test("files in NAME.toml.d override single values, in the order of their names, whatever their layer")
    func overrides() throws {
        let snapshot = load([
            "/etc/berth/sites.d/shop.toml": Samples.shop,
            "/run/berth/sites.d/shop.toml.d/10-first.toml": "[site]\nbindings = [\"http://*:81/\"]\n",
            "/etc/berth/sites.d/shop.toml.d/20-second.toml":
                "[[application]]\npath = \"/docs\"\nroot = \"/srv/other\"\n[pool.api]\nqueue_length = 20\n",
            "/etc/berth/sites.d/shop.toml.d/notes.txt": "not read",
        ])
        #expect(snapshot.diagnostics.map(\.description) == [])
        let site = try #require(snapshot.sites.first)
        #expect(site.bindings.map(\.urlPrefix) == ["http://*:81/"])
        #expect(site.bindings[0].location.file == "/run/berth/sites.d/shop.toml.d/10-first.toml")
        #expect(site.applications.map(\.root) == ["/srv/other", nil, "/srv/shop"])
        #expect(
            site.files.prefix(3) == [
                "/etc/berth/sites.d/shop.toml", "/run/berth/sites.d/shop.toml.d/10-first.toml",
                "/etc/berth/sites.d/shop.toml.d/20-second.toml",
            ])
        #expect(snapshot.pool(named: "api")?.queueLength == 20)
        #expect(snapshot.pool(named: "api")?.idleTimeout == .after(.seconds(1200)))
    }

    @Test("an override adds an application that the file does not have")
    func overrideAdds() throws {
        let snapshot = load([
            "/etc/berth/sites.d/a.toml": small(port: 1),
            "/etc/berth/sites.d/a.toml.d/x.toml":
                "[[application]]\npath = \"/x\"\nhosting = \"static\"\nroot = \"/x\"\n",
        ])
        #expect(snapshot.sites.first?.applications.map(\.path) == ["/x", "/"])
    }

    @Test("overrides without a file are a warning, not a site")
    func orphans() {
        let snapshot = load(["/etc/berth/sites.d/a.toml.d/x.toml": "schema = 1"])
        #expect(snapshot.sites.isEmpty && snapshot.rejected.isEmpty)
        #expect(snapshot.diagnostics.map(\.kind) == [.unused])
    }

    @Test("a broken file disables only its own site")
    func broken() {
        let snapshot = load(["/etc/berth/sites.d/a.toml": "[site", "/etc/berth/sites.d/b.toml": small(port: 2)])
        #expect(snapshot.sites.map(\.name) == ["b"])
        #expect(snapshot.rejected.map(\.name) == ["a"])
        #expect(snapshot.rejected.first?.diagnostics.map(\.kind) == [.syntax])
        #expect(snapshot.hasErrors)
    }

    // MARK: Sites among each other

    @Test("of two sites that claim one prefix the later is refused, and both are named")
    func conflict() {
        let snapshot = load([
            "/etc/berth/sites.d/a.toml": small(port: 80),
            "/etc/berth/sites.d/b.toml": "\n" + small(port: 80),
            "/etc/berth/sites.d/c.toml": small(port: 81),
        ])
        #expect(snapshot.sites.map(\.name) == ["a", "c"])
        #expect(snapshot.rejected.map(\.name) == ["b"])
        #expect(
            snapshot.diagnostics.map(\.description) == [
                "/etc/berth/sites.d/b.toml:3:13: error: \"http://*:80/\" belongs to the site \"a\", which claims it at /etc/berth/sites.d/a.toml:2:13; give one of the two another host, port or path"
            ])
    }

    @Test("prefixes are equal without regard to case; tiers never conflict")
    func conflictRules() {
        func text(_ binding: String) -> String { small(port: 1).replacing("http://*:1/", with: binding) }
        let snapshot = load([
            "/etc/berth/sites.d/a.toml": text("http://Shop.example:80/App/"),
            "/etc/berth/sites.d/b.toml": text("http://shop.EXAMPLE:80/app/"),
            "/etc/berth/sites.d/c.toml": text("http://+:80/App/"),
            "/etc/berth/sites.d/d.toml": text("http://*:80/App/"),
            "/etc/berth/sites.d/e.toml": text("http://shop.example:80:10.0.0.1/app/"),
            "/etc/berth/sites.d/f.toml": text("10.0.0.2:80:"),
            "/etc/berth/sites.d/g.toml": text("http://10.0.0.2:80/"),
        ])
        #expect(snapshot.sites.map(\.name) == ["a", "c", "d", "e", "f"])
        #expect(snapshot.rejected.map(\.name) == ["b", "g"])
    }

    @Test("a site that was there before keeps its prefix against a new one with an earlier name")
    func incumbent() {
        let texts = ["/etc/berth/sites.d/a.toml": small(port: 80), "/etc/berth/sites.d/z.toml": small(port: 80)]
        #expect(load(texts, remembered: ["z": 7]).sites.map(\.name) == ["z"])
        #expect(load(texts).sites.map(\.name) == ["a"])
    }

    @Test("one port carries one scheme")
    func schemes() {
        var registry = BindingRegistry()
        registry.register([Binding(scheme: .https, host: .weakWildcard, endpoint: .port(443))], of: "a")
        let conflicts = registry.conflicts(of: [Binding(host: .name("b"), endpoint: .port(443))], site: "b")
        #expect(conflicts.map(\.kind) == [.portConflict])
        #expect(conflicts.first?.message == "port 443 carries https already, for the site \"a\" at (built in)")
        #expect(registry.conflicts(of: [Binding(host: .name("b"), endpoint: .port(444))], site: "b").isEmpty)
    }

    @Test("numbers: the file's own, then the remembered one, then the smallest free one")
    func numbers() {
        let snapshot = load(
            [
                "/etc/berth/sites.d/a.toml": small(port: 1),
                "/etc/berth/sites.d/b.toml": small(port: 2, extra: "id = 1"),
                "/etc/berth/sites.d/c.toml": small(port: 3), "/etc/berth/sites.d/d.toml": small(port: 4),
            ], remembered: ["c": 9, "d": 1])
        #expect(snapshot.sites.map(\.id) == [3, 1, 9, 2])
    }

    @Test("two sites cannot have one number")
    func duplicateNumber() {
        let snapshot = load([
            "/etc/berth/sites.d/a.toml": small(port: 1, extra: "id = 5"),
            "/etc/berth/sites.d/b.toml": small(port: 2, extra: "id = 5"),
        ])
        #expect(snapshot.sites.map(\.name) == ["a"])
        #expect(
            snapshot.diagnostics.map(\.description) == [
                "/etc/berth/sites.d/b.toml:3:1: error: the number 5 belongs to the site \"a\", which says so at /etc/berth/sites.d/a.toml:3:1; choose another, or leave \"id\" out"
            ])
    }

    @Test("a pool is described once; sites may share it")
    func sharedPool() {
        let pooled = { (port: Int) in small(port: port) + "\npool = \"shared\"\n" }
        let described = "[pool.shared]\nqueue_length = 10\n"
        let good = load(["/etc/berth/sites.d/a.toml": pooled(1) + described, "/etc/berth/sites.d/b.toml": pooled(2)])
        #expect(good.sites.map(\.name) == ["a", "b"])
        #expect(good.pools.map(\.queueLength) == [10])
        let bad = load([
            "/etc/berth/sites.d/a.toml": pooled(1) + described, "/etc/berth/sites.d/b.toml": pooled(2) + described,
        ])
        #expect(bad.rejected.map(\.name) == ["b"])
    }

    @Test("a thousand sites are taken")
    func many() {
        var texts: [String: String] = [:]
        for number in 1...1000 { texts["/etc/berth/sites.d/s\(number).toml"] = small(port: number) }
        #expect(load(texts).sites.count == 1000)
    }

    // MARK: web.config

    private var published: FileAccess { .over(texts: ["/srv/shop/web.config": Samples.webConfig]) }
    private let folder = "[site]\nbindings = [\"http://*:80/\"]\n[[application]]\nroot = \"/srv/shop\"\n"

    @Test("a published ASP.NET Core folder is hosted out-of-process, and a warning says so")
    func webConfig() throws {
        var loader = ConfigurationLoader(
            siteDirectories: ["/s"], daemonFile: "/b.toml",
            files: .over(published, texts: ["/s/shop.toml": folder]))
        loader.variable = { $0 == "HOME" ? "/root" : nil }
        let snapshot = loader.load()
        #expect(
            snapshot.diagnostics.map(\.description) == [
                "/srv/shop/web.config:8:7: warning: hostingModel=\"inprocess\" is hosted out-of-process; write hosting = \"out-of-process\" in the site file to say that this is meant"
            ])
        let application = try #require(snapshot.sites.first?.applications.first)
        guard case .outOfProcess(let settings) = application.hosting, case .command(let command) = settings.worker
        else {
            Issue.record("not a command")
            return
        }
        #expect(command.executable == "dotnet")
        #expect(command.arguments == ["./Shop.dll", "--name", "a b"])
        #expect(command.stdoutLogFile == "/srv/shop/logs/stdout")
        #expect(
            command.environment == [
                EnvironmentVariable(name: "ASPNETCORE_ENVIRONMENT", value: "Development"),
                EnvironmentVariable(name: "DATA", value: "/root/data"),
            ])
        #expect(application.limits.startupTimeLimit == .seconds(60))
        #expect(application.limits.requestTimeout == .seconds(180))
        #expect(application.requestLimits.contentLengthMax == 1000)
    }

    @Test("hosting in the site file silences the warning; its values win over web.config")
    func webConfigOverridden() throws {
        let text = folder + "hosting = \"OutOfProcess\"\nstartup_time_limit = \"10s\"\nenvironment = { DATA = \"x\" }\n"
        let snapshot = ConfigurationLoader.check(text: text, name: "shop", files: published)
        #expect(snapshot.diagnostics.isEmpty)
        let application = try #require(snapshot.sites.first?.applications.first)
        #expect(application.limits.startupTimeLimit == .seconds(10))
        guard case .outOfProcess(let settings) = application.hosting, case .command(let command) = settings.worker
        else {
            Issue.record("not a command")
            return
        }
        #expect(command.environment.last == EnvironmentVariable(name: "DATA", value: "x"))
    }

    @Test("a broken web.config is the one error of its site", arguments: ["", "hosting = \"out-of-process\"\n"])
    func webConfigBroken(_ line: String) {
        let files = FileAccess.over(texts: ["/srv/shop/web.config": "<configuration>\n<"])
        let snapshot = ConfigurationLoader.check(text: folder + line, name: "shop", files: files)
        #expect(snapshot.diagnostics.map { "\($0.location)" } == ["/srv/shop/web.config:2:1"])
        #expect(snapshot.rejected.map(\.name) == ["shop"])
    }

    @Test("a command of the site file leaves web.config unread")
    func webConfigUnread() throws {
        let text = folder + "hosting = \"out-of-process\"\ncommand = \"./Other --x \\\"a b\\\"\"\n"
        let application = try #require(try site(text, files: published).applications.first)
        #expect(application.limits.startupTimeLimit == .seconds(120))
        guard case .outOfProcess(let settings) = application.hosting, case .command(let command) = settings.worker
        else {
            Issue.record("not a command")
            return
        }
        #expect(command.executable == "/srv/shop/Other")
        #expect(command.arguments == ["--x", "a b"])
    }

    // MARK: One word each

    @Test(
        "hosting is taken in any case, with or without hyphens",
        arguments: ["static", "Static", "STATIC"])
    func hostingSpelling(_ word: String) throws {
        let text = "[site]\nbindings = [\"http://*:80/\"]\n[[application]]\nroot = \"/r\"\nhosting = \"\(word)\"\n"
        #expect(try site(text).applications.first?.hostingModel == .staticFiles)
    }

    @Test(
        "an address names a worker that somebody else runs",
        arguments: [
            ("unix:/run/x.sock", "unix:/run/x.sock"), ("127.0.0.1:9000", "127.0.0.1:9000"),
            ("[::1]:9000", "[::1]:9000"),
        ])
    func addresses(_ text: String, _ expected: String) throws {
        let text =
            "[site]\nbindings = [\"http://*:80/\"]\n[[application]]\nhosting = \"outofprocess\"\naddress = \"\(text)\"\n"
        guard case .outOfProcess(let settings) = try site(text).applications[0].hosting,
            case .external(let address) = settings.worker
        else {
            Issue.record("not external")
            return
        }
        #expect(address.description == expected)
    }

    @Test("a loaded module is told its settings as text, in the order of the file")
    func loadedModule() throws {
        let text =
            small(port: 80)
            + "\n[[module]]\nname = \"mine\"\nlibrary = \"/l.so\"\nz = 1\na = [\"x\", true]\n[module.cache]\nsize = \"64MiB\"\n"
        let module = try #require(try site(text).modules.last)
        #expect(module.source == .library("/l.so"))
        #expect(module.settings.map { "\($0.name)=\($0.value)" } == ["z=1", "a=x", "a=true", "cache.size=64MiB"])
    }

    @Test("settings of a built-in module come out in one spelling")
    func builtInModule() throws {
        let text =
            small(port: 80)
                + """

                [[module]]
                name = "request-filtering"
                max_content_length = "1MiB"
                max_url = 100
                verbs = ["GET", "HEAD"]
                header_limits = { "Content-Type" = 100 }
                allow_double_escaping = true
                """
        let modules = try site(text).modules
        #expect(modules.map(\.name) == ["anonymous-authentication", "request-filtering"])
        #expect(
            modules[1].settings.map { "\($0.name)=\($0.value)" } == [
                "max_content_length=1048576", "max_url=100", "allow_double_escaping=true", "verbs=GET", "verbs=HEAD",
                "header_limits.Content-Type=100", "max_url_segments=32",
            ])
    }

    @Test("request-logging into one file; its keys win over [site.log]")
    func logging() throws {
        let text =
            small(port: 80)
                + """

                [site.log]
                directory = "/logs"
                fields = ["date", "time", "C-IP"]
                [[module]]
                name = "request-logging"
                file = "/logs/one.log"
                """
        let site = try site(text)
        #expect(site.log.destination == .file("/logs/one.log"))
        #expect(site.log.fields == [.date, .time, .clientAddress])
        #expect(
            site.modules.last?.settings.map { "\($0.name)=\($0.value)" } == [
                "file=/logs/one.log", "fields=date", "fields=time", "fields=c-ip", "rollover=daily",
                "truncate_size=20971520", "flush_interval=1000",
            ])
    }
}
