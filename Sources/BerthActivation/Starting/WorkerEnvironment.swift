/// The variables a worker begins with, in the order of the ASP.NET Core Module: the application's own, what Berth sets, the
/// values expanded, all of it over what the daemon itself has (ancm §4).
struct WorkerEnvironment {
    /// What the daemon has and its workers must not: its service manager's channels, and folders and credentials of its own.
    static let daemonOnly: Set<String> = [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
        "JOURNAL_STREAM",
        "CREDENTIALS_DIRECTORY", "INVOCATION_ID", "MAINPID", "MANAGERPID", "SYSTEMD_EXEC_PID", "FDSTORE",
        "RUNTIME_DIRECTORY", "STATE_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY", "CONFIGURATION_DIRECTORY",
        "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE",
    ]
    private static let startupAssembly = "Microsoft.AspNetCore.Server.IISIntegration"

    /// The block for execve.
    let entries: [EnvironmentEntry]

    /// - Parameters:
    ///   - daemon: the environment of the daemon.
    ///   - marker: what every process that the worker starts inherits, so that it is found when the worker has ended.
    init(
        daemon: [EnvironmentEntry], program: WorkerProgram, place: WorkerPlace, assigned: AssignedEndpoint,
        token: PairingToken, marker: String
    ) {
        var base = daemon.filter { !Self.daemonOnly.contains($0.name) }
        if let identity = program.identity {
            for (name, value) in [("HOME", identity.home), ("USER", identity.name), ("LOGNAME", identity.name)] {
                base.removeAll { $0.name == name }
                if let value { base.append(EnvironmentEntry(name, value)) }
            }
        }
        let inherited = EnvironmentTable(base)
        let prefersEnvironment = ["1", "true"].contains(
            inherited["ANCM_PREFER_ENVIRONMENT_VARIABLES"]?.lowercased())
        var given = EnvironmentTable(program.environment)
        let berth = Self.variables(
            given: given, inherited: inherited, place: place, assigned: assigned, token: token, marker: marker)
        // The application's own values: what Berth sets is neither expanded nor replaced by the daemon's.
        for entry in given.entries {
            if prefersEnvironment, let value = inherited[entry.name] {
                given[entry.name] = value
            } else {
                given[entry.name] = EnvironmentTable.expanding(entry.value) { berth[$0] ?? inherited[$0] }
            }
        }
        entries = Self.merge(base: base, given: given, berth: berth)
    }

    /// Replaces `%NAME%` in an argument by what the worker will find in its environment.
    func expanding(_ text: String) -> String {
        let all = EnvironmentTable(entries)
        return EnvironmentTable.expanding(text) { all[$0] }
    }

    private static func variables(
        given: EnvironmentTable, inherited: EnvironmentTable, place: WorkerPlace, assigned: AssignedEndpoint,
        token: PairingToken, marker: String
    ) -> EnvironmentTable {
        var set = EnvironmentTable()
        func byDefault(_ name: String, _ value: String) { if (given[name] ?? "").isEmpty { set[name] = value } }
        switch assigned {
        case .port(let port):
            set["ASPNETCORE_PORT"] = "\(port)"
            byDefault("PORT", "\(port)")
            set["HTTP_PLATFORM_PORT"] = "\(port)"
            // Applications built with the slim builder know no ASPNETCORE_PORT; for the others the two agree.
            set["ASPNETCORE_URLS"] = "http://127.0.0.1:\(port)"
        case .unixSocket(let path):
            set["BERTH_SOCKET"] = path
            set["ASPNETCORE_URLS"] = "http://unix:\(path)"
        case .inherited(let path):
            set["BERTH_SOCKET"] = path
        }
        set["ASPNETCORE_APPL_PATH"] = place.virtualPath
        set["ASPNETCORE_TOKEN"] = token.text
        set["ASPNETCORE_IIS_HTTPAUTH"] = place.httpAuthentication
        // Without it the application compares the kernel's version with Windows 8's.
        set["ASPNETCORE_IIS_WEBSOCKETS_SUPPORTED"] = "true"
        if given["ASPNETCORE_HOSTINGSTARTUPASSEMBLIES"] == nil {
            set["ASPNETCORE_HOSTINGSTARTUPASSEMBLIES"] =
                (inherited["ASPNETCORE_HOSTINGSTARTUPASSEMBLIES"] ?? "") + ";" + startupAssembly
        }
        set["ASPNETCORE_IIS_PHYSICAL_PATH"] = place.physicalPath
        if let port = place.httpsPort { byDefault("ASPNETCORE_ANCM_HTTPS_PORT", "\(port)") }
        set["ASPNETCORE_IIS_VERSION"] = "10.0"
        set["ASPNETCORE_IIS_APP_POOL_ID"] = place.poolName
        set["ASPNETCORE_IIS_APP_POOL_CONFIG_FILE"] = place.configurationFile
        set["ASPNETCORE_IIS_SITE_NAME"] = place.siteName
        set["ASPNETCORE_IIS_SITE_ID"] = "\(place.siteNumber)"
        let below = place.virtualPath == "/" ? "" : place.virtualPath
        set["ASPNETCORE_IIS_APP_CONFIG_PATH"] = "MACHINE/WEBROOT/APPHOST/\(place.siteName)\(below)"
        set["ASPNETCORE_IIS_APPLICATION_ID"] = "/LM/W3SVC/\(place.siteNumber)/ROOT\(below)"
        set["ASPNETCORE_IIS_APPLICATION_VIRTUAL_PATH"] = place.virtualPath
        set[markerName] = marker
        return set
    }

    /// Names the worker in the environment of all that it starts.
    static let markerName = "BERTH_WORKER"

    /// All over the daemon's. `Path` in a file that was written for Windows means `PATH`: the daemon's spelling stays where it
    /// has the name but for case. What Berth sets has Berth's spelling, alone.
    private static func merge(
        base: [EnvironmentEntry], given: EnvironmentTable, berth: EnvironmentTable
    ) -> [EnvironmentEntry] {
        var result = base.filter { berth[$0.name] == nil }
        for entry in given.entries where berth[entry.name] == nil {
            let key = entry.name.lowercased()
            let same =
                result.firstIndex { $0.name == entry.name } ?? result.firstIndex { $0.name.lowercased() == key }
            if let same { result[same].value = entry.value } else { result.append(entry) }
        }
        return result + berth.entries
    }

    /// What the application's variables say about its port: `ASPNETCORE_PORT`, empty being as good as absent.
    enum PortSetting: Equatable {
        case unset
        case port(UInt16)
        case invalid(String)
    }

    static func portSetting(in entries: [EnvironmentEntry]) -> PortSetting {
        guard let text = EnvironmentTable(entries)["ASPNETCORE_PORT"], !text.isEmpty else { return .unset }
        guard let port = UInt16(text), EndpointChoice.portRange.contains(port) else { return .invalid(text) }
        return .port(port)
    }

    /// The token that the administrator chose, or nil.
    static func chosenToken(in entries: [EnvironmentEntry]) -> PairingToken? {
        guard let text = EnvironmentTable(entries)["ASPNETCORE_TOKEN"], !text.isEmpty else { return nil }
        return PairingToken(text: text)
    }
}
