import Testing

@testable import BerthActivation

/// The environment of a worker, case by case as the ASP.NET Core Module's own tests have it.
@Suite("Worker environment")
struct WorkerEnvironmentTests {
    private func environment(
        daemon: [(String, String)] = [], own: [(String, String)] = [], place: WorkerPlace = WorkerPlace(),
        assigned: AssignedEndpoint = .port(5000), identity: WorkerIdentity? = nil
    ) -> WorkerEnvironment {
        WorkerEnvironment(
            daemon: daemon.map { EnvironmentEntry($0.0, $0.1) },
            program: WorkerProgram(
                executable: "x", environment: own.map { EnvironmentEntry($0.0, $0.1) }, workingDirectory: "/",
                identity: identity),
            place: place, assigned: assigned, token: PairingToken(text: "token"), marker: "marker")
    }

    private func value(_ name: String, in environment: WorkerEnvironment) -> String? {
        let found = environment.entries.filter { $0.name == name }
        #expect(found.count <= 1, "\(name) twice")
        return found.first?.value
    }

    @Test("a port is told in every way that an application may look for it")
    func port() {
        let environment = environment()
        #expect(value("ASPNETCORE_PORT", in: environment) == "5000")
        #expect(value("PORT", in: environment) == "5000")
        #expect(value("HTTP_PLATFORM_PORT", in: environment) == "5000")
        #expect(value("ASPNETCORE_URLS", in: environment) == "http://127.0.0.1:5000")
        #expect(value("ASPNETCORE_TOKEN", in: environment) == "token")
        #expect(value("ASPNETCORE_IIS_WEBSOCKETS_SUPPORTED", in: environment) == "true")
        #expect(value("BERTH_WORKER", in: environment) == "marker")
    }

    @Test("a Unix socket is told by its path, and no port")
    func unixSocket() {
        let environment = environment(assigned: .unixSocket(path: "/run/s"))
        #expect(value("BERTH_SOCKET", in: environment) == "/run/s")
        #expect(value("ASPNETCORE_URLS", in: environment) == "http://unix:/run/s")
        #expect(value("ASPNETCORE_PORT", in: environment) == nil)
        #expect(value("PORT", in: environment) == nil)
    }

    @Test("an inherited socket must not be bound again")
    func inherited() {
        let environment = environment(assigned: .inherited(path: "/run/s"))
        #expect(value("BERTH_SOCKET", in: environment) == "/run/s")
        #expect(value("ASPNETCORE_URLS", in: environment) == nil)
    }

    @Test("the virtual path is / for a site's root, and has no slash at its end otherwise")
    func virtualPath() {
        var place = WorkerPlace()
        (place.siteName, place.siteNumber, place.poolName) = ("shop", 3, "api")
        let root = environment(place: place)
        #expect(value("ASPNETCORE_APPL_PATH", in: root) == "/")
        #expect(value("ASPNETCORE_IIS_APP_CONFIG_PATH", in: root) == "MACHINE/WEBROOT/APPHOST/shop")
        #expect(value("ASPNETCORE_IIS_APPLICATION_ID", in: root) == "/LM/W3SVC/3/ROOT")
        place.virtualPath = "/a/b"
        let below = environment(place: place)
        #expect(value("ASPNETCORE_APPL_PATH", in: below) == "/a/b")
        #expect(value("ASPNETCORE_IIS_APP_CONFIG_PATH", in: below) == "MACHINE/WEBROOT/APPHOST/shop/a/b")
        #expect(value("ASPNETCORE_IIS_APPLICATION_ID", in: below) == "/LM/W3SVC/3/ROOT/a/b")
        #expect(value("ASPNETCORE_IIS_APPLICATION_VIRTUAL_PATH", in: below) == "/a/b")
        #expect(value("ASPNETCORE_IIS_SITE_NAME", in: below) == "shop")
        #expect(value("ASPNETCORE_IIS_SITE_ID", in: below) == "3")
        #expect(value("ASPNETCORE_IIS_APP_POOL_ID", in: below) == "api")
        #expect(value("ASPNETCORE_IIS_VERSION", in: below) == "10.0")
    }

    @Test("an application's variable reaches its worker, and is exactly one more than before")
    func oneMore() {
        let before = environment().entries.count
        let after = environment(own: [("ANCMTestBar", "bar")])
        #expect(value("ANCMTestBar", in: after) == "bar")
        #expect(after.entries.count == before + 1)
    }

    @Test("a long value arrives unchanged")
    func long() {
        let text = String(repeating: "0123456789", count: 400)
        #expect(value("LONG", in: environment(own: [("LONG", text)])) == text)
    }

    @Test("the application's variable beats the daemon's")
    func overrides() {
        let environment = environment(
            daemon: [("ASPNETCORE_ENVIRONMENT", "Development")], own: [("ASPNETCORE_ENVIRONMENT", "Production")])
        #expect(value("ASPNETCORE_ENVIRONMENT", in: environment) == "Production")
    }

    @Test("unless the daemon's environment is preferred", arguments: ["1", "true", "TRUE", "0", "false", ""])
    func prefers(setting: String) {
        let environment = environment(
            daemon: [("ANCM_PREFER_ENVIRONMENT_VARIABLES", setting), ("X", "daemon")],
            own: [("X", "own"), ("Y", "own")])
        let isPreferred = ["1", "true", "TRUE"].contains(setting)
        #expect(value("X", in: environment) == (isPreferred ? "daemon" : "own"))
        #expect(value("Y", in: environment) == "own")
    }

    @Test("what Berth sets is not taken from the daemon even then")
    func forced() {
        let environment = environment(
            daemon: [
                ("ANCM_PREFER_ENVIRONMENT_VARIABLES", "1"), ("ASPNETCORE_PORT", "1"), ("ASPNETCORE_TOKEN", "theirs"),
                ("aspnetcore_port", "2"),
            ], own: [("ASPNETCORE_PORT", ""), ("ASPNETCORE_IIS_HTTPAUTH", "windows;")])
        #expect(value("ASPNETCORE_PORT", in: environment) == "5000")
        #expect(value("aspnetcore_port", in: environment) == nil)
        #expect(value("ASPNETCORE_TOKEN", in: environment) == "token")
        #expect(value("ASPNETCORE_IIS_HTTPAUTH", in: environment) == "anonymous;")
    }

    @Test(
        "names between per cent signs are replaced where they are known",
        arguments: [
            ("%TestVariable%;Hello", "World;Hello"), ("%testvariable%", "World"), ("%x%", "%x%"), ("100%", "100%"),
            ("%%", "%%"), ("%x%TestVariable%", "%xWorld"), ("%ASPNETCORE_PORT%", "5000"), ("", ""),
        ])
    func expansion(text: String, expected: String) {
        let environment = environment(daemon: [("TestVariable", "World")], own: [("OtherVariable", text)])
        #expect(value("OtherVariable", in: environment) == expected)
    }

    @Test("arguments know what the worker will know")
    func arguments() {
        let environment = environment(daemon: [("A", "a")], own: [("B", "%A%b")])
        #expect(environment.expanding("--port=%HTTP_PLATFORM_PORT% %B% %C%") == "--port=5000 ab %C%")
    }

    @Test("kinds of authentication are listed in their order")
    func authentication() {
        func text(_ windows: Bool, _ basic: Bool, _ anonymous: Bool) -> String? {
            var place = WorkerPlace()
            place.windowsAuthentication = windows
            place.basicAuthentication = basic
            place.anonymousAuthentication = anonymous
            return value("ASPNETCORE_IIS_HTTPAUTH", in: environment(place: place))
        }
        #expect(text(false, false, true) == "anonymous;")
        #expect(text(false, true, true) == "basic;anonymous;")
        #expect(text(true, false, true) == "windows;anonymous;")
        #expect(text(true, true, true) == "windows;basic;anonymous;")
        #expect(text(false, false, false) == "none")
    }

    @Test("the hosting startup assembly is appended to the daemon's, and left out where the application says something")
    func startupAssemblies() {
        let name = "ASPNETCORE_HOSTINGSTARTUPASSEMBLIES"
        #expect(
            value(name, in: environment(daemon: [(name, "Asm1")])) == "Asm1;Microsoft.AspNetCore.Server.IISIntegration")
        #expect(value(name, in: environment()) == ";Microsoft.AspNetCore.Server.IISIntegration")
        #expect(value(name, in: environment(daemon: [(name, "Asm1")], own: [(name, "Mine")])) == "Mine")
    }

    @Test("the https port is told where there is one, and the application's own is left alone")
    func httpsPort() {
        var place = WorkerPlace()
        #expect(value("ASPNETCORE_ANCM_HTTPS_PORT", in: environment(place: place)) == nil)
        place.httpsPort = 44301
        #expect(value("ASPNETCORE_ANCM_HTTPS_PORT", in: environment(place: place)) == "44301")
        #expect(
            value(
                "ASPNETCORE_ANCM_HTTPS_PORT", in: environment(own: [("ASPNETCORE_ANCM_HTTPS_PORT", "1")], place: place))
                == "1")
    }

    @Test("names are the same in any case: the last value counts, once")
    func caseless() {
        let environment = environment(own: [("foo", "1"), ("FOO", "2")])
        #expect(value("FOO", in: environment) == "2")
        #expect(value("foo", in: environment) == nil)
    }

    @Test("Path in a file written for Windows is PATH")
    func path() {
        let environment = environment(daemon: [("PATH", "/bin")], own: [("Path", "/opt/bin:%PATH%")])
        #expect(value("PATH", in: environment) == "/opt/bin:/bin")
        #expect(value("Path", in: environment) == nil)
    }

    @Test("what is the daemon's alone stays with it", arguments: WorkerEnvironment.daemonOnly.sorted())
    func daemonOnly(name: String) {
        #expect(value(name, in: environment(daemon: [(name, "x"), ("LANG", "C")])) == nil)
        #expect(value("LANG", in: environment(daemon: [(name, "x"), ("LANG", "C")])) == "C")
    }

    @Test("a worker with a user of its own has that user's home")
    func identity() {
        let environment = environment(
            daemon: [("HOME", "/root"), ("USER", "root"), ("LOGNAME", "root")],
            identity: WorkerIdentity(user: 33, name: "www", home: "/var/www"))
        #expect(value("HOME", in: environment) == "/var/www")
        #expect(value("USER", in: environment) == "www")
        #expect(value("LOGNAME", in: environment) == "www")
    }

    @Test(
        "a port of the application's own must be one from 1025 through 48000",
        arguments: [
            ("", .unset), ("1024", .invalid("1024")), ("1025", .port(1025)), ("48000", .port(48000)),
            ("48001", .invalid("48001")), ("65536", .invalid("65536")), ("noninteger", .invalid("noninteger")),
            ("-1", .invalid("-1")),
        ] as [(String, WorkerEnvironment.PortSetting)])
    func portSetting(text: String, expected: WorkerEnvironment.PortSetting) {
        #expect(WorkerEnvironment.portSetting(in: [EnvironmentEntry("aspnetcore_port", text)]) == expected)
    }

    @Test("a token of the application's own is used as it is")
    func chosenToken() {
        #expect(WorkerEnvironment.chosenToken(in: []) == nil)
        #expect(WorkerEnvironment.chosenToken(in: [EnvironmentEntry("ASPNETCORE_TOKEN", "")]) == nil)
        #expect(
            WorkerEnvironment.chosenToken(in: [EnvironmentEntry("ASPNETCORE_TOKEN", "abc")])
                == PairingToken(text: "abc"))
    }
}
