/// Reads `berth.toml`.
enum DaemonReader {
    /// What a site file begins with: the values of `[defaults]`.
    struct Defaults {
        var limits = SiteLimits()
        var timeouts = SiteTimeouts()
        var log = LogReader.Keys()
        var autoStart = true
        var application = ApplicationLimits()
        var pool = ApplicationPoolSettings(name: "")
    }

    struct Result {
        var settings = DaemonSettings()
        var defaults = Defaults()
        var pools: [ApplicationPoolSettings] = []
    }

    private static let timerRange = Duration.milliseconds(1)...Duration.seconds(65534)

    static func read(_ table: TOMLTable, diagnostics: DiagnosticCollector) -> Result {
        var result = Result()
        let reader = TableReader(table, name: "berth.toml", diagnostics: diagnostics)
        result.settings.location = reader.location
        guard SchemaVersion.check(reader) else { return result }
        if let daemon = reader.subtable("daemon", name: "[daemon]") { read(daemon, into: &result.settings) }
        if let listener = reader.subtable("listener", name: "[listener]") {
            read(listener, into: &result.settings.listener)
        }
        if let timeouts = reader.subtable("timeouts", name: "[timeouts]") {
            read(timeouts, into: &result.settings.timeouts)
        }
        if let log = reader.subtable("httperr", name: "[httperr]") { read(log, into: &result.settings.errorLog) }
        if let defaults = reader.subtable("defaults", name: "[defaults]") {
            read(defaults, into: &result.defaults)
        }
        result.settings.reservations = readReservations(reader)
        for entry in reader.namedEntries("pool") {
            var pool = result.defaults.pool
            guard PoolReader.read(entry, reader, into: &pool) else { continue }
            result.pools.append(pool)
        }
        reader.finish()
        return result
    }

    /// Reservations of the whole daemon. Ours.
    private static let reservationsMax = 1024

    private static func readReservations(_ reader: TableReader) -> [Reservation] {
        var reservations: [Reservation] = []
        for table in reader.tables("reservation", countMax: reservationsMax) {
            let url = table.string("url")
            let sites = table.strings("sites", countMax: 256) ?? []
            table.finish()
            guard let url else {
                if !table.has("url") { table.missing("url", "write url = \"http://shop.example:80/\"") }
                continue
            }
            do throws(BindingParser.Problem) {
                let binding = try BindingParser.parse(url.value, at: url.location)
                if let other = reservations.first(where: { $0.binding.key == binding.key }) {
                    table.diagnostics.error(
                        .duplicate, at: url.location,
                        "\(quoted(binding.urlPrefix)) is reserved already, at \(other.binding.location)",
                        "name all sites in one reservation")
                    continue
                }
                reservations.append(Reservation(binding: binding, sites: sites.map(\.value)))
            } catch {
                table.diagnostics.error(error.kind, at: url.location, error.message, error.advice)
            }
        }
        return reservations
    }

    private static func read(_ reader: TableReader, into settings: inout DaemonSettings) {
        reader.count("loops", in: 0...1024).assign(to: &settings.loops)
        if let socket = reader.absolutePath("control_socket") {
            if socket.value.utf8.count > FilePath.socketPathMax {
                reader.diagnostics.error(
                    .outOfRange, at: socket.location,
                    "\"control_socket\" is longer than the \(FilePath.socketPathMax) octets of a Unix socket's path")
            } else {
                settings.controlSocket = socket.value
            }
        }
        (reader.absolutePath("state_directory")?.value).assign(to: &settings.stateDirectory)
        (reader.absolutePath("runtime_directory")?.value).assign(to: &settings.runtimeDirectory)
        (reader.absolutePath("log_directory")?.value).assign(to: &settings.logDirectory)
        (reader.string("user", octetsMax: 256)?.value).assign(to: &settings.user)
        (reader.string("group", octetsMax: 256)?.value).assign(to: &settings.group)
        reader.boolean("watch").assign(to: &settings.watch)
        if let most = reader.countOrOff("max_workers", in: 10...Int(Int32.max)) {
            settings.workersMax = most
            if most != nil { reader.notInForce("max_workers", "each application's \"processes\" is") }
        }
        reader.finish()
    }

    private static func read(_ reader: TableReader, into listener: inout ListenerSettings) {
        reader.length("max_request_bytes", in: 256...16_777_216).assign(to: &listener.requestBytesMax)
        reader.length("max_field_length", in: 64...65534).assign(to: &listener.fieldLengthMax)
        reader.count("max_fields", in: 1...10000).assign(to: &listener.fieldsMax)
        reader.count("max_url_segment_length", in: 0...32766).assign(to: &listener.urlSegmentLengthMax)
        reader.count("max_url_segments", in: 0...16383).assign(to: &listener.urlSegmentsMax)
        if let most = reader.countOrOff("max_connections", in: 1...2_031_616) { listener.connectionsMax = most }
        if let most = reader.countOrOff("max_connections_per_source", in: 1...2_031_616) {
            listener.connectionsPerSourceMax = most
        }
        if let most = reader.countOrOff("max_keep_alive_requests", in: 1...Int(Int32.max)) {
            listener.keepAliveRequestsMax = most
        }
        if let field = reader.string("server_header", octetsMax: 64) {
            if field.value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
                listener.serverHeader = field.value
            } else {
                reader.diagnostics.error(
                    .wrongValue, at: field.location, "\"server_header\" holds a blank or a character outside ASCII",
                    "write a product like \"Berth\"; to send none, write disable_server_header = 2")
            }
        }
        if let number = reader.count("disable_server_header", in: 0...2) {
            listener.serverHeaderPolicy = ServerHeaderPolicy(rawValue: number) ?? .always
        }
        reader.boolean("allow_restricted_characters").assign(to: &listener.allowRestrictedCharacters)
        for text in reader.strings("listen_addresses", countMax: 256) ?? [] {
            if let address = IPAddress(text.value) {
                listener.listenAddresses.append(address)
            } else {
                reader.diagnostics.error(
                    .wrongValue, at: text.location, "\(quoted(text.value)) is no address",
                    "write an IPv4 or IPv6 address without port and brackets")
            }
        }
        // HTTP.sys lowers the limit of a field where it is above that of the whole head (KB820129).
        listener.fieldLengthMax = min(listener.fieldLengthMax, listener.requestBytesMax)
        reader.finish()
    }

    private static func read(_ reader: TableReader, into timeouts: inout TimeoutSettings) {
        reader.timeLimit("idle_connection", in: timerRange).assign(to: &timeouts.idleConnection)
        reader.timeLimit("header_wait", in: timerRange).assign(to: &timeouts.headerWait)
        reader.timeLimit("entity_body", in: timerRange).assign(to: &timeouts.entityBody)
        reader.timeLimit("drain_entity_body", in: timerRange).assign(to: &timeouts.drainEntityBody)
        reader.timeLimit("request_queue", in: timerRange).assign(to: &timeouts.requestQueue)
        reader.sendRate("min_send_rate").assign(to: &timeouts.minSendRate)
        reader.duration("shutdown_drain", in: .zero ... .seconds(3600)).assign(to: &timeouts.shutdownDrain)
        reader.finish()
    }

    private static func read(_ reader: TableReader, into log: inout ErrorLogSettings) {
        reader.boolean("enabled").assign(to: &log.enabled)
        (reader.absolutePath("directory")?.value).assign(to: &log.directory)
        (reader.choice("rollover", of: LogRollover.self)?.value).assign(to: &log.rollover)
        reader.size("truncate_size", in: 1_048_576...4_294_967_295).assign(to: &log.truncateSize)
        reader.boolean("local_time_rollover").assign(to: &log.localTimeRollover)
        if let names = reader.strings("fields", countMax: 64) { read(names, reader, into: &log) }
        reader.finish()
    }

    private static func read(_ names: [Located<String>], _ reader: TableReader, into log: inout ErrorLogSettings) {
        let known = ErrorLogField.allCases
        var fields: Set<ErrorLogField> = []
        for name in names {
            if let field = known.first(where: { $0.rawValue.lowercased() == name.value.lowercased() }) {
                fields.insert(field)
            } else {
                let advice =
                    NearestName.among(known.map(\.rawValue), to: name.value).map { "write \(quoted($0))" }
                    ?? "known are \(known.map(\.rawValue).joined(separator: ", "))"
                reader.diagnostics.error(
                    .wrongValue, at: name.location, "\(quoted(name.value)) is no field of the HTTPERR log", advice)
            }
        }
        // A line says why it is there, whatever else it says.
        if !fields.isEmpty { log.fields = known.filter { fields.contains($0) || $0 == .reason } }
    }

    private static func read(_ reader: TableReader, into defaults: inout Defaults) {
        if let site = reader.subtable("site", name: "[defaults.site]") {
            site.boolean("auto_start").assign(to: &defaults.autoStart)
            if let limits = site.subtable("limits", name: "[defaults.site.limits]") {
                SiteReader.read(limits, into: &defaults.limits)
            }
            if let timeouts = site.subtable("timeouts", name: "[defaults.site.timeouts]") {
                SiteReader.read(timeouts, into: &defaults.timeouts)
            }
            if let log = site.subtable("log", name: "[defaults.site.log]") {
                defaults.log = LogReader.read(log)
                log.finish()
            }
            site.finish()
        }
        if let application = reader.subtable("application", name: "[defaults.application]") {
            ApplicationReader.read(limits: application, into: &defaults.application)
            application.finish()
        }
        if let pool = reader.subtable("pool", name: "[defaults.pool]", rangePolicy: .warning) {
            PoolReader.read(pool, into: &defaults.pool)
        }
        reader.finish()
    }
}
