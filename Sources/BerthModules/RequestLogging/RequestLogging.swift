public import CBerthModule
internal import Glibc

/// Writes the W3C extended log of a site, with IIS's default columns in IIS's order.
///
/// Lines are formatted into a buffer of the loop and written by one thread for all sites. A disk that is full or slow costs
/// lines, never requests. Source: IIS HttpLogging and the logging part of HTTP.sys.
public enum RequestLogging {
    public static let register: berth_module_register_function = { host, module, failure in
        module.describe("request-logging")
        module.pointee.create_instance = { host, settings, instance, failure in
            var reader = SettingsReader(settings)
            let made = LogInstance(host, &reader)
            if let text = reader.failure() { return failure.write(text) }
            guard let made else { return failure.write("request-logging needs 'directory' or 'file'") }
            guard LogWriter.shared.start() else {
                return failure.write("the thread that writes logs cannot be started")
            }
            instance.pointee = Unmanaged.passRetained(made).toOpaque()
            return 0
        }
        module.pointee.destroy_instance = { instance in
            guard let instance else { return }
            Unmanaged<LogInstance>.fromOpaque(instance).release()
        }
        module.pointee.create_context = { instance, _, context, failure in
            guard let instance else { return failure.write("the host gave no instance") }
            let made = UnsafeMutablePointer<LogContext>.allocate(capacity: 1)
            made.initialize(to: LogContext(Unmanaged<LogInstance>.fromOpaque(instance).takeUnretainedValue()))
            context.pointee = UnsafeMutableRawPointer(made)
            return 0
        }
        module.pointee.destroy_context = { context in
            guard let context = context?.assumingMemoryBound(to: LogContext.self) else { return }
            context.pointee.end()
            context.deallocate()
        }
        module.pointee.stages.10 = { context, request in
            guard let context else { return StageAnswer.error }
            context.assumingMemoryBound(to: LogContext.self).pointee.log(request)
            return StageAnswer.proceed
        }
        module.pointee.tick = { context, wallSeconds in
            guard let context else { return }
            context.assumingMemoryBound(to: LogContext.self).pointee.tick(wallSeconds)
        }
        return 0
    }
}

/// One log: what all loops of a site share.
final class LogInstance {
    let host: LogHost
    let file: LogFile
    let columns: [LogColumn]
    let flushInterval: Int64
    let periodLength: Int64
    let siteName: String
    let computerName: String

    /// Nil when neither file nor folder is named.
    init?(_ host: HostTable, _ reader: inout SettingsReader) {
        self.host = LogHost(table: host)
        let site = "W3SVC\(reader.siteID)"
        siteName = site
        computerName = Self.computer()

        let names = reader.list("fields")
        for setting in names where LogColumn(name: setting.value) == nil {
            reader.problem(
                "'\(setting.value)' is no column; write one of \(LogColumn.allCases.map(\.name).joined(separator: ", "))",
                at: setting)
        }
        let chosen = names.compactMap { LogColumn(name: $0.value) }
        columns = chosen.isEmpty ? LogColumn.standard : chosen
        for (index, setting) in names.enumerated() where names[..<index].contains(where: { $0.value == setting.value })
        {
            reader.problem("the column '\(setting.value)' is there twice", at: setting)
        }

        // Milliseconds; the host calls once a second, so anything shorter means at once.
        let interval = reader.number("flush_interval", default: 1000, in: 0...3_600_000)
        flushInterval = Int64(interval < 1000 ? 0 : interval / 1000)

        var rollover = LogFile.Rollover.daily
        if let setting = reader.setting("rollover") {
            if let known = LogFile.Rollover(rawValue: setting.value) {
                rollover = known
            } else {
                reader.problem(
                    "'\(setting.value)' is no period; write daily, hourly, weekly, monthly or size", at: setting)
            }
        }
        periodLength = rollover == .hourly ? 3600 : 86_400
        let truncateSize = reader.number("truncate_size", default: 20_971_520, in: 1_048_576...4_294_967_295)

        let filePath = reader.setting("file")
        let directory = reader.setting("directory")
        let destination: LogFile.Destination
        if let filePath {
            destination = .file(filePath.value)
            if directory != nil { reader.problem("'file' and 'directory' exclude each other", at: filePath) }
            if !filePath.value.hasPrefix("/") { reader.problem("'file' must be an absolute path", at: filePath) }
        } else if let directory {
            if !directory.value.hasPrefix("/") { reader.problem("'directory' must be an absolute path", at: directory) }
            // A folder a site, as in IIS; the site may have named it already.
            let path = directory.value.hasSuffix("/") ? String(directory.value.dropLast()) : directory.value
            let isSites = path.split(separator: "/").last.map { $0 == site } ?? false
            destination = .directory(isSites ? path : path + "/" + site, rollover)
        } else {
            return nil
        }
        file = LogFile(host: host, destination: destination, columns: columns, truncateSize: truncateSize)
    }

    private static func computer() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "-" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
