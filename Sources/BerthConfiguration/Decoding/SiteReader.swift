/// Reads one site: `schema`, `[site]`, `[[application]]`, `[[module]]`, `[pool.NAME]`.
struct SiteReader {
    static let bindingsMax = 1024
    static let applicationsMax = 1024
    static let modulesMax = 256

    /// A site whose own files are right, before it met the others.
    struct Draft {
        /// Its number is 0 until one was given.
        var site: Site
        var explicitID: Located<UInt32>?
        var log: LogReader.Keys
        /// The pools its file describes.
        var pools: [ApplicationPoolSettings]
    }

    let name: String
    let reader: TableReader
    let defaults: DaemonReader.Defaults
    let files: FileAccess
    let variable: (String) -> String?

    private var diagnostics: DiagnosticCollector { reader.diagnostics }

    /// Its bindings, also where something else of the site is wrong.
    private(set) var bindingsRead: [Binding] = []

    /// Every file that was looked at, also where the site is wrong.
    private(set) var filesRead: [String] = []

    init(
        name: String, table: TOMLTable, defaults: DaemonReader.Defaults, files: FileAccess,
        variable: @escaping (String) -> String?, diagnostics: DiagnosticCollector
    ) {
        self.name = name
        self.reader = TableReader(table, name: "a site file", diagnostics: diagnostics)
        self.defaults = defaults
        self.files = files
        self.variable = variable
    }

    /// Octets in the name of a site.
    static let nameMax = 64

    /// What is wrong with the name; nil where nothing is. IIS forbids `/ \ . ?`.
    static func problem(inName name: String) -> String? {
        guard (1...nameMax).contains(name.utf8.count) else { return "it is not 1 through \(nameMax) octets long" }
        for scalar in name.unicodeScalars {
            if scalar.value <= 0x20 || (0x7F...0x9F).contains(scalar.value) {
                return "it holds a blank or a control character"
            }
            if "/\\.?*\"<>|&:".unicodeScalars.contains(scalar) { return "it holds \(scalar)" }
        }
        return nil
    }

    static func read(_ reader: TableReader, into limits: inout SiteLimits) {
        if let most = reader.countOrOff("max_connections", in: 1...Int(Int32.max)) { limits.connectionsMax = most }
        if let limit = reader.timeLimit("connection_timeout", in: .milliseconds(1) ... .seconds(65534)) {
            limits.connectionTimeout = limit
        }
        reader.count("max_url_segments", in: 0...16383).assign(to: &limits.urlSegmentsMax)
        if let rate = reader.sendRate("min_send_rate") { limits.minSendRate = rate }
        reader.finish()
    }

    static func read(_ reader: TableReader, into timeouts: inout SiteTimeouts) {
        func limit(_ key: String, _ value: inout TimeLimit?) {
            if let limit = reader.timeLimit(key, in: .milliseconds(1) ... .seconds(65534)) { value = limit }
        }
        limit("idle_connection", &timeouts.idleConnection)
        limit("header_wait", &timeouts.headerWait)
        limit("entity_body", &timeouts.entityBody)
        limit("drain_entity_body", &timeouts.drainEntityBody)
        limit("request_queue", &timeouts.requestQueue)
        reader.finish()
    }

    /// Nil after errors.
    mutating func read() -> Draft? {
        guard SchemaVersion.check(reader) else { return nil }
        var site = Site(name: name, id: 0, bindings: [], applications: [], location: reader.location)
        site.limits = defaults.limits
        site.timeouts = defaults.timeouts
        site.autoStart = defaults.autoStart
        var log = defaults.log
        var id: Located<UInt32>?

        if let table = reader.subtable("site", name: "[site]") {
            if let number = table.count("id", in: 1...4_294_967_295) {
                id = Located(UInt32(number), at: table.location(of: "id"))
            }
            site.bindings = readBindings(table)
            bindingsRead = site.bindings
            table.boolean("auto_start").assign(to: &site.autoStart)
            if let limits = table.subtable("limits", name: "[site.limits]") { Self.read(limits, into: &site.limits) }
            if let timeouts = table.subtable("timeouts", name: "[site.timeouts]") {
                Self.read(timeouts, into: &site.timeouts)
            }
            if let keys = table.subtable("log", name: "[site.log]") {
                log = LogReader.read(keys).on(log)
                keys.finish()
            }
            table.finish()
        } else if !reader.has("site") {
            reader.missing("site", "write [site] with bindings = [\"http://*:8080/\"]")
        }
        site.applications = readApplications()
        let modules = readModules(&log)
        site.modules = modules
        let pools = readPools(site.applications)
        reader.finish()
        guard !diagnostics.hasErrors else { return nil }
        return Draft(site: site, explicitID: id, log: log, pools: pools)
    }

    // MARK: Bindings

    private func readBindings(_ table: TableReader) -> [Binding] {
        guard let texts = table.strings("bindings", countMax: Self.bindingsMax) else {
            if !table.has("bindings") { table.missing("bindings", "write bindings = [\"http://*:8080/\"]") }
            return []
        }
        if texts.isEmpty, case .array(let elements) = table.table["bindings"]?.value.content, elements.isEmpty {
            diagnostics.error(
                .missing, at: table.location(of: "bindings"), "\"bindings\" is empty",
                "write bindings = [\"http://*:8080/\"]")
        }
        var bindings: [Binding] = []
        for text in texts {
            do throws(BindingParser.Problem) {
                let binding = try BindingParser.parse(text.value, at: text.location)
                if let other = bindings.first(where: { $0.key == binding.key }) {
                    diagnostics.error(
                        .duplicate, at: text.location,
                        "\(quoted(binding.urlPrefix)) is there twice, first at \(other.location)",
                        "leave one of them out")
                    continue
                }
                bindings.append(binding)
            } catch {
                diagnostics.error(error.kind, at: text.location, error.message, error.advice)
            }
        }
        return bindings
    }

    // MARK: Applications

    private mutating func readApplications() -> [Application] {
        let tables = reader.tables("application", countMax: Self.applicationsMax)
        var applications: [Application] = []
        var hasRoot = false
        for table in tables {
            var application = ApplicationReader(
                table, siteName: name, defaults: defaults, files: files, variable: variable)
            let read = application.read()
            filesRead += application.filesRead
            guard let read else {
                // A broken one may well have been the one at "/".
                hasRoot = true
                continue
            }
            if let other = applications.first(where: { $0.path.lowercased() == read.path.lowercased() }) {
                diagnostics.error(
                    .duplicate, at: table.location(of: "path"),
                    "the application \(quoted(read.path)) is there twice, first at \(other.location)",
                    "give one of them another path")
                continue
            }
            hasRoot = hasRoot || read.path == "/"
            applications.append(read)
        }
        if tables.isEmpty, !reader.has("application") {
            reader.missing("application", "write [[application]] with path, hosting and what that needs")
        } else if !hasRoot {
            diagnostics.error(
                .missing, at: tables.first?.location ?? reader.location, "no application is at \"/\"",
                "give one application path = \"/\"")
        }
        return applications.sorted { ($0.path.utf8.count, $1.path) > ($1.path.utf8.count, $0.path) }
    }

    // MARK: Modules

    private func readModules(_ log: inout LogReader.Keys) -> [ModuleEntry] {
        var modules: [ModuleEntry] = []
        var logsByModule = false
        for table in reader.tables("module", countMax: Self.modulesMax) {
            guard let result = ModuleReader.read(table) else { continue }
            for path in result.entry.paths {
                let other = modules.first { module in
                    module.name == result.entry.name && module.paths.contains { $0.lowercased() == path.lowercased() }
                }
                if let other {
                    diagnostics.error(
                        .duplicate, at: table.location,
                        "\(quoted(result.entry.name)) is there twice on \(quoted(path)), first at \(other.location)",
                        "write one [[module]] for each path")
                    break
                }
            }
            if let keys = result.log, !logsByModule {
                log = keys.on(log)
                logsByModule = true
            }
            modules.append(result.entry)
        }
        for entry in ModuleEntry.defaults.reversed()
        where !modules.contains(where: { $0.source == entry.source && $0.paths.contains("/") }) {
            modules.insert(entry, at: 0)
        }
        if log.enabled == true, !logsByModule {
            var entry = ModuleEntry(.requestLogging)
            entry.location = reader.location(of: "site")
            modules.append(entry)
        }
        return modules
    }

    // MARK: Pools

    private func readPools(_ applications: [Application]) -> [ApplicationPoolSettings] {
        var pools: [ApplicationPoolSettings] = []
        for entry in reader.namedEntries("pool") {
            var pool = defaults.pool
            guard PoolReader.read(entry, reader, into: &pool) else { continue }
            if !applications.isEmpty, !applications.contains(where: { $0.pool == pool.name }) {
                let names = applications.map(\.pool)
                diagnostics.warning(
                    .unused, at: entry.location, "no application of this site runs in the pool \(quoted(pool.name))",
                    NearestName.among(names, to: pool.name).map { "write [pool.\(Self.tomlKey($0))]" }
                        ?? "its applications run in \(names.map(quoted).joined(separator: ", "))")
            }
            pools.append(pool)
        }
        return pools
    }

    /// A key as TOML wants it: in quotes where it is not bare.
    private static func tomlKey(_ key: String) -> String {
        let isBare = key.utf8.allSatisfy { octet in
            switch octet {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
            default: false
            }
        }
        return isBare ? key : quoted(key)
    }
}
