/// Reads `[[application]]`.
struct ApplicationReader {
    /// Octets of the configuration handed to a module.
    static let configurationMax = 65536

    let reader: TableReader
    let siteName: String
    let defaults: DaemonReader.Defaults
    let files: FileAccess
    let variable: (String) -> String?
    /// Files read besides the site's own.
    private(set) var filesRead: [String] = []
    /// Whether there is a `web.config` that could not be read, which was reported.
    private var webConfigIsBroken = false

    init(
        _ reader: TableReader, siteName: String, defaults: DaemonReader.Defaults, files: FileAccess,
        variable: @escaping (String) -> String?
    ) {
        self.reader = reader
        self.siteName = siteName
        self.defaults = defaults
        self.files = files
        self.variable = variable
    }

    private var diagnostics: DiagnosticCollector { reader.diagnostics }

    /// The keys of `ApplicationLimits`, wherever they stand.
    static func read(limits reader: TableReader, into limits: inout ApplicationLimits) {
        reader.duration("startup_time_limit", in: .zero ... .seconds(3600)).assign(to: &limits.startupTimeLimit)
        reader.duration("shutdown_time_limit", in: .zero ... .seconds(600)).assign(to: &limits.shutdownTimeLimit)
        reader.duration("request_timeout", in: .zero ... .seconds(1_296_000)).assign(to: &limits.requestTimeout)
        reader.count("rapid_fails_per_minute", in: 0...100).assign(to: &limits.rapidFailsPerMinute)
        reader.count("processes", in: 1...100).assign(to: &limits.processes)
    }

    mutating func read() -> Application? {
        let path = readPath()
        let root = reader.absolutePath("root")
        let model = reader.choice("hosting", of: HostingModel.self)
        let webConfig = model?.value == .staticFiles ? nil : readWebConfig(in: root?.value)
        let pool = readPool() ?? Self.ownPool(siteName, path ?? "/")

        var limits = defaults.application
        var requestLimits = RequestLimits()
        if let webConfig {
            requestLimits = webConfig.requestLimits
            webConfig.module.map { Self.apply($0, to: &limits) }
        }
        Self.read(limits: reader, into: &limits)
        if let table = reader.subtable("request_limits", name: "[[application]] request_limits") {
            table.length("max_content_length", in: 0...4_294_967_295).assign(to: &requestLimits.contentLengthMax)
            table.length("max_url", in: 0...65534).assign(to: &requestLimits.urlMax)
            table.length("max_query_string", in: 0...65534).assign(to: &requestLimits.queryStringMax)
            table.finish()
        }

        let chosen = model?.value ?? impliedModel(webConfig)
        let hosting: Application.Hosting?
        switch chosen {
        case .inProcess: hosting = readInProcess()
        case .outOfProcess: hosting = readOutOfProcess(root: root?.value, webConfig: webConfig?.module)
        case .staticFiles: hosting = readStaticFiles(root: root?.value)
        case nil: hosting = nil
        }
        readKeysOfOtherModels(than: chosen)
        reader.finish()
        guard let path, let hosting else { return nil }
        return Application(
            path: path, root: root?.value, hosting: hosting, pool: pool, limits: limits, requestLimits: requestLimits,
            location: reader.location)
    }

    // MARK: What every model has

    /// Nil after an error.
    private func readPath() -> String? {
        guard let path = reader.string("path") else { return "/" }
        if let problem = URLPath.problem(in: path.value) {
            diagnostics.error(
                .wrongValue, at: path.location, "\(quoted(path.value)) is no path of an application: \(problem)",
                "write \"/\", or one like \"/api\"")
            return nil
        }
        return FilePath.withoutTrailingSlash(path.value)
    }

    private func readPool() -> String? {
        guard let pool = reader.string("pool") else { return nil }
        if let problem = PoolReader.problem(inName: pool.value) {
            diagnostics.error(
                .invalidName, at: pool.location, "\(quoted(pool.value)) is no name of a pool: \(problem)")
            return nil
        }
        return pool.value
    }

    /// The name of the pool that an application has to itself.
    static func ownPool(_ site: String, _ path: String) -> String { path == "/" ? site : site + path }

    /// Without a word about hosting, a `web.config` says that it is ASP.NET Core's.
    private func impliedModel(_ webConfig: WebConfig?) -> HostingModel? {
        if webConfig?.module != nil { return .outOfProcess }
        if reader.has("hosting") || webConfigIsBroken { return nil }
        let likely: HostingModel =
            reader.has("module")
            ? .inProcess : reader.has("command") || reader.has("address") ? .outOfProcess : .staticFiles
        reader.missing("hosting", "write hosting = \(quoted(likely.rawValue))")
        return nil
    }

    /// Keys that only one model has.
    private static let keysOfModels: [(model: HostingModel, keys: [String])] = [
        (.inProcess, ["module", "isolation", "configuration"]),
        (.outOfProcess, WorkerReader.keys + ["disable_startup_error_page"]),
        (.staticFiles, ["default_documents", "media_types", "cache_control", "etag", "hidden_files", "directories"]),
    ]

    /// Reports keys that belong to another hosting model; where none was chosen, all of them are known.
    private func readKeysOfOtherModels(than chosen: HostingModel?) {
        for (model, keys) in Self.keysOfModels where model != chosen {
            for key in keys {
                guard let entry = reader.entry(key), let chosen else { continue }
                diagnostics.error(
                    .conflictingKeys, at: entry.location,
                    "\(quoted(key)) has no meaning with hosting = \(quoted(chosen.rawValue))",
                    "leave it out, or write hosting = \(quoted(model.rawValue))")
            }
        }
    }

    private mutating func readWebConfig(in root: String?) -> WebConfig? {
        guard let root, !reader.has("command"), !reader.has("address"), !reader.has("module") else { return nil }
        let file = FilePath.joined(root, "web.config")
        filesRead.append(file)
        do {
            let text = try files.read(file, WebConfigReader.sizeMax)
            diagnostics.add(text: text, of: file)
            let config = WebConfigReader.read(text, file: file, diagnostics: diagnostics)
            webConfigIsBroken = config == nil
            return config
        } catch .notFound {
            return nil
        } catch {
            diagnostics.error(error.kind, at: SourceLocation(file: file), error.sentence)
            webConfigIsBroken = true
            return nil
        }
    }

    private static func apply(_ module: WebConfig.Module, to limits: inout ApplicationLimits) {
        module.startupTimeLimit.assign(to: &limits.startupTimeLimit)
        module.shutdownTimeLimit.assign(to: &limits.shutdownTimeLimit)
        module.requestTimeout.assign(to: &limits.requestTimeout)
        module.rapidFailsPerMinute.assign(to: &limits.rapidFailsPerMinute)
        module.processes.assign(to: &limits.processes)
    }

    // MARK: In-process

    private func readInProcess() -> Application.Hosting? {
        let module = reader.absolutePath("module")
        let isolation = reader.choice("isolation", of: InProcessSettings.Isolation.self)
        let configuration = readConfiguration()
        if isolation?.value != InProcessSettings.Isolation.none, isolation != nil || !reader.has("isolation") {
            diagnostics.error(
                .notAvailable, at: isolation?.location ?? reader.location(of: "hosting"),
                "an in-process application in a process of its pool (isolation = \"pool\", the default) is not available yet",
                "write isolation = \"none\" to load the module into the daemon itself, which a crash of the module then ends"
            )
        }
        guard let module else {
            if !reader.has("module") {
                reader.missing("module", "write module = \"/usr/lib/berth/modules/libNAME.so\"")
            }
            return nil
        }
        return .inProcess(
            InProcessSettings(module: module.value, isolation: isolation?.value ?? .pool, configuration: configuration))
    }

    /// Text of the module's own, line ends and all.
    private func readConfiguration() -> String {
        guard let entry = reader.entry("configuration") else { return "" }
        guard case .string(let text) = entry.value.content else {
            reader.wrongType(entry.value, key: "configuration", expected: "a string", example: nil)
            return ""
        }
        guard text.utf8.count <= Self.configurationMax, !text.utf8.contains(0) else {
            diagnostics.error(
                .outOfRange, at: entry.value.location,
                "\"configuration\" holds NUL or is longer than \(Self.configurationMax) octets")
            return ""
        }
        return text
    }

    // MARK: Out-of-process

    private func readOutOfProcess(root: String?, webConfig: WebConfig.Module?) -> Application.Hosting? {
        if webConfigIsBroken {
            // What it would have said is not known, so nothing can be missing.
            for key in WorkerReader.keys { _ = reader.entry(key) }
            return nil
        }
        let worker = WorkerReader(
            reader: reader, root: root, webConfig: webConfig, files: files, variable: variable
        ).read()
        guard let worker else { return nil }
        var settings = OutOfProcessSettings(worker: worker)
        settings.disableStartupErrorPage = webConfig?.disableStartupErrorPage ?? false
        reader.boolean("disable_startup_error_page").assign(to: &settings.disableStartupErrorPage)
        if let model = webConfig?.hostingModel, model.value == .inProcess, !reader.has("hosting") {
            diagnostics.warning(
                .webConfig, at: model.location, "hostingModel=\"inprocess\" is hosted out-of-process",
                "write hosting = \"out-of-process\" in the site file to say that this is meant")
        }
        return .outOfProcess(settings)
    }

    // MARK: Static files

    private func readStaticFiles(root: String?) -> Application.Hosting? {
        var settings = StaticFilesSettings()
        if let names = reader.strings("default_documents", countMax: 64) {
            settings.defaultDocuments = names.compactMap { name in
                if !name.value.contains("/"), name.value != ".", name.value != ".." { return name.value }
                diagnostics.error(
                    .wrongValue, at: name.location, "\(quoted(name.value)) is no name of a file",
                    "write it like \"index.html\"")
                return nil
            }
        }
        readMediaTypes(into: &settings)
        if let value = reader.string("cache_control", octetsMax: 256) { settings.cacheControl = cacheControl(value) }
        reader.boolean("etag").assign(to: &settings.sendsETag)
        reader.boolean("hidden_files").assign(to: &settings.servesHiddenFiles)
        readDirectories(into: &settings)
        guard root != nil else {
            if !reader.has("root") { reader.missing("root", "write root = \"/srv/NAME\", the folder of the files") }
            return nil
        }
        return .staticFiles(settings)
    }

    private func readMediaTypes(into settings: inout StaticFilesSettings) {
        for entry in reader.namedEntries("media_types") {
            guard entry.key.hasPrefix("."), entry.key.utf8.count > 1, !entry.key.contains("/") else {
                diagnostics.error(
                    .invalidName, at: entry.location, "\(quoted(entry.key)) is no file extension",
                    "write it with its dot, like \".webmanifest\"")
                continue
            }
            guard let type = reader.text(of: entry.value, key: entry.key, octetsMax: 256) else { continue }
            let parts = type.value.prefix { $0 != ";" }.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, parts.allSatisfy({ ModuleKeys.isToken(String($0)) }),
                type.value.utf8.allSatisfy({ $0 < 0x7F })
            else {
                diagnostics.error(
                    .wrongValue, at: type.location, "\(quoted(type.value)) is no media type",
                    "write it like \"application/manifest+json\"")
                continue
            }
            settings.mediaTypes[entry.key.lowercased()] = type.value
        }
    }

    /// `none`, `no-cache`, a duration, or a value of the administrator's own.
    private func cacheControl(_ text: Located<String>) -> StaticFilesSettings.CacheControl {
        switch text.value {
        case "none": return .none
        case "no-cache": return .disabled
        default:
            if let duration = DurationText.parse(text.value) { return .maxAge(duration) }
            guard text.value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }),
                text.value.contains(where: { $0 == "=" || $0 == "-" || $0 == "," }) || text.value == "public"
                    || text.value == "private" || text.value == "immutable"
            else {
                diagnostics.error(
                    .wrongValue, at: text.location, "\(quoted(text.value)) is no cache control",
                    "write \"none\", \"no-cache\", a duration like \"1d\", or directives like \"public, max-age=60\"")
                return .none
            }
            return .custom(text.value)
        }
    }

    private func readDirectories(into settings: inout StaticFilesSettings) {
        for entry in reader.namedEntries("directories") {
            let path = FilePath.withoutTrailingSlash(entry.key)
            let problem = path == "/" ? "it is the application's own" : URLPath.problem(in: path)
            if let problem {
                diagnostics.error(
                    .wrongValue, at: entry.location, "\(quoted(entry.key)) is no virtual directory: \(problem)",
                    "write it like \"/img\"")
                continue
            }
            guard let folder = reader.text(of: entry.value, key: entry.key) else { continue }
            guard folder.value.hasPrefix("/") else {
                diagnostics.error(
                    .wrongValue, at: folder.location, "\(quoted(folder.value)) is not an absolute path",
                    "write the whole path, from / on")
                continue
            }
            if settings.directories.contains(where: { $0.path.lowercased() == path.lowercased() }) {
                diagnostics.error(
                    .duplicate, at: entry.location, "the virtual directory \(quoted(path)) is there twice")
                continue
            }
            settings.directories.append(
                VirtualDirectory(
                    path: path, physicalPath: FilePath.withoutTrailingSlash(folder.value), location: entry.location))
        }
        settings.directories.sort { ($0.path.utf8.count, $1.path) > ($1.path.utf8.count, $0.path) }
    }
}
