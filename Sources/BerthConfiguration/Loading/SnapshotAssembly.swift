/// One load: reads the files in order, lets the sites meet, and puts the snapshot together.
struct SnapshotAssembly {
    private let loader: ConfigurationLoader
    private let daemonDiagnostics = DiagnosticCollector()
    private var daemon = DaemonReader.Result()
    private var sites: [Site] = []
    private var rejected: [RejectedSite] = []
    private var pools: [String: ApplicationPoolSettings] = [:]
    private var siteDiagnostics: [ConfigurationDiagnostic] = []
    private var files: [String] = []
    /// By site: bindings that were read of one that is wrong otherwise.
    private var bindingsOfBroken: [String: [Binding]] = [:]

    init(loader: ConfigurationLoader) { self.loader = loader }

    // MARK: berth.toml

    mutating func readDaemon() {
        let folder = FilePath.parent(of: loader.daemonFile)
        let name = FilePath.name(of: loader.daemonFile)
        let stem = name.hasSuffix(".toml") ? String(name.dropLast(5)) : name
        let found = DropInDirectory(layers: [folder], files: loader.files).sources(diagnostics: DiagnosticCollector())
            .first { $0.name == stem }
        let overrides = found?.overrides ?? []
        var table = TOMLTable(entries: [], location: SourceLocation(file: loader.daemonFile))
        files.append(loader.daemonFile)
        do {
            let text = try loader.files.read(loader.daemonFile, TOMLDocument.sizeMax)
            daemonDiagnostics.add(text: text, of: loader.daemonFile)
            guard let read = TOMLDocument.read(text, file: loader.daemonFile, diagnostics: daemonDiagnostics) else {
                return
            }
            table = read
        } catch .notFound {
            // A daemon without settings of its own has the defaults.
        } catch {
            daemonDiagnostics.error(error.kind, at: SourceLocation(file: loader.daemonFile), error.sentence)
            return
        }
        merge(overrides, into: &table, daemonDiagnostics)
        daemon = DaemonReader.read(table, diagnostics: daemonDiagnostics)
        for pool in daemon.pools { pools[pool.name] = pool }
    }

    // MARK: Sites

    mutating func readSites() {
        let sources = DropInDirectory(layers: loader.siteDirectories, files: loader.files)
            .sources(diagnostics: daemonDiagnostics)
        var drafts: [(draft: SiteReader.Draft, diagnostics: DiagnosticCollector)] = []
        for source in sources {
            let diagnostics = DiagnosticCollector()
            if let draft = draft(of: source, diagnostics) {
                drafts.append((draft, diagnostics))
            } else {
                close(source.name, file: source.file ?? source.overrides.first ?? "", diagnostics, site: nil)
            }
        }
        // Who was there before comes first: a new file does not take a running site's prefix away.
        let remembered = loader.rememberedSiteIDs
        drafts.sort { left, right in
            let isOld = (remembered[left.draft.site.name] != nil, remembered[right.draft.site.name] != nil)
            return isOld.0 == isOld.1 ? left.draft.site.name < right.draft.site.name : isOld.0
        }
        settle(drafts)
    }

    private mutating func draft(
        of source: DropInDirectory.Source, _ diagnostics: DiagnosticCollector
    ) -> SiteReader.Draft? {
        guard let file = source.file else {
            files += source.overrides
            let first = SourceLocation(file: source.overrides.first ?? source.name)
            // Not an error: the site it belongs to may come later, and there is nothing to serve.
            diagnostics.warning(
                .unused, at: first, "there is no \(source.name).toml that this could override",
                "remove it, or write the file")
            return nil
        }
        files.append(file)
        let location = SourceLocation(file: file)
        if let problem = SiteReader.problem(inName: source.name) {
            diagnostics.error(
                .invalidName, at: location, "\(quoted(source.name)) is no name of a site: \(problem)", "rename the file"
            )
            return nil
        }
        var table: TOMLTable
        do {
            let text = try loader.files.read(file, TOMLDocument.sizeMax)
            diagnostics.add(text: text, of: file)
            guard let read = TOMLDocument.read(text, file: file, diagnostics: diagnostics) else { return nil }
            table = read
        } catch {
            diagnostics.error(error.kind, at: location, error.sentence)
            return nil
        }
        merge(source.overrides, into: &table, diagnostics)
        guard !diagnostics.hasErrors else { return nil }
        var reader = SiteReader(
            name: source.name, table: table, defaults: daemon.defaults, files: loader.files, variable: loader.variable,
            diagnostics: diagnostics)
        var draft = reader.read()
        files += reader.filesRead
        if draft == nil { bindingsOfBroken[source.name] = reader.bindingsRead }
        draft?.site.files = [file] + source.overrides + reader.filesRead
        draft?.site.location = SourceLocation(file: file, line: 1, column: 1)
        return draft
    }

    private mutating func merge(_ overrides: [String], into table: inout TOMLTable, _ diagnostics: DiagnosticCollector)
    {
        guard overrides.count <= DropInDirectory.overridesMax else {
            diagnostics.error(
                .tooManyFiles, at: SourceLocation(file: FilePath.parent(of: overrides[0])),
                "more than \(DropInDirectory.overridesMax) files override this one")
            return
        }
        for file in overrides {
            files.append(file)
            do {
                let text = try loader.files.read(file, TOMLDocument.sizeMax)
                diagnostics.add(text: text, of: file)
                if let other = TOMLDocument.read(text, file: file, diagnostics: diagnostics) { table.merge(other) }
            } catch {
                diagnostics.error(error.kind, at: SourceLocation(file: file), error.sentence)
            }
        }
    }

    // MARK: Sites among each other

    private mutating func settle(_ drafts: [(draft: SiteReader.Draft, diagnostics: DiagnosticCollector)]) {
        var registry = BindingRegistry(reservations: daemon.settings.reservations)
        var numbers = SiteNumbers(remembered: loader.rememberedSiteIDs)
        var accepted: [(draft: SiteReader.Draft, diagnostics: DiagnosticCollector)] = []
        for (draft, diagnostics) in drafts {
            for conflict in registry.conflicts(of: draft.site.bindings, site: draft.site.name) {
                diagnostics.error(conflict.kind, at: conflict.binding.location, conflict.message, conflict.advice)
            }
            if let id = draft.explicitID, let owner = numbers.claim(id, for: draft.site.name),
                owner.value != draft.site.name
            {
                diagnostics.error(
                    .duplicate, at: id.location,
                    "the number \(id.value) belongs to the site \(quoted(owner.value)), which says so at \(owner.location)",
                    "choose another, or leave \"id\" out")
            }
            if let id = draft.explicitID, let owner = numbers.formerOwner(of: id.value), owner != draft.site.name,
                rejected.contains(where: { $0.name == owner })
            {
                // An earlier configuration of that one may serve, and carries the number.
                diagnostics.error(
                    .duplicate, at: id.location,
                    "the number \(id.value) is that of the site \(quoted(owner)), whose files have errors",
                    "choose another, or leave \"id\" out")
            }
            for pool in draft.pools {
                if let other = pools[pool.name] {
                    diagnostics.error(
                        .duplicate, at: pool.location,
                        "the pool \(quoted(pool.name)) is described at \(other.location) already",
                        "describe it in one place, or give this one another name")
                }
            }
            guard !diagnostics.hasErrors else {
                bindingsOfBroken[draft.site.name] = draft.site.bindings.filter { binding in
                    registry.conflicts(of: [binding], site: draft.site.name).isEmpty
                }
                close(draft.site.name, file: draft.site.location.file, diagnostics, site: nil)
                continue
            }
            registry.register(draft.site.bindings, of: draft.site.name)
            for pool in draft.pools { pools[pool.name] = pool }
            accepted.append((draft, diagnostics))
        }
        // Numbers that files say are all taken by now.
        for (draft, diagnostics) in accepted {
            var site = draft.site
            let remembered = loader.rememberedSiteIDs[site.name]
            site.id = draft.explicitID?.value ?? numbers.number(for: site.name, remembered: remembered)
            complete(&site, log: draft.log)
            close(site.name, file: site.location.file, diagnostics, site: site)
        }
    }

    /// Fills in what follows from the number, and the pools nobody described.
    private mutating func complete(_ site: inout Site, log: LogReader.Keys) {
        let settings = daemon.settings
        site.log = LogReader.settings(log, siteID: site.id, logDirectory: settings.logDirectory)
        for index in site.modules.indices {
            let module = site.modules[index]
            switch module.source {
            case .builtIn(.requestLogging):
                site.modules[index].settings = site.log.moduleSettings(at: module.location)
            case .builtIn(.requestFiltering) where module.values(of: "max_url_segments").isEmpty:
                site.modules[index].settings.append(
                    ModuleSetting(
                        name: "max_url_segments", value: String(site.limits.urlSegmentsMax), location: module.location))
            default: break
            }
        }
        for application in site.applications where pools[application.pool] == nil {
            var pool = daemon.defaults.pool
            pool.name = application.pool
            pool.location = application.location
            pools[pool.name] = pool
        }
    }

    // MARK: The end

    /// Keeps what became of one site.
    private mutating func close(_ name: String, file: String, _ diagnostics: DiagnosticCollector, site: Site?) {
        let sorted = diagnostics.diagnostics.sorted { $0.location < $1.location }
        siteDiagnostics += sorted
        if let site {
            sites.append(site)
        } else if diagnostics.hasErrors {
            rejected.append(
                RejectedSite(name: name, file: file, diagnostics: sorted, bindings: bindingsOfBroken[name] ?? []))
        }
    }

    consuming func finish() -> ConfigurationSnapshot {
        sites.sort { $0.name < $1.name }
        rejected.sort { $0.name < $1.name }
        siteDiagnostics.sort { $0.location < $1.location }
        return ConfigurationSnapshot(
            daemon: daemon.settings, sites: sites, rejected: rejected,
            pools: pools.values.sorted { $0.name < $1.name },
            diagnostics: daemonDiagnostics.diagnostics.sorted { $0.location < $1.location } + siteDiagnostics,
            files: files)
    }
}
