import BerthConfiguration
import BerthEventLoop
import BerthListener
import CBerthSystem
import Glibc

/// Which file the HTTPERR log goes to, and that it is opened: by period, or the latest by size that is not full.
///
/// Source: HTTP.sys `ErrorLoggingRolloverType`, `ErrorLogFileTruncateSize`. Control thread only; blocks.
struct ErrorLogFile {
    let settings: ErrorLogSettings
    let folder: String
    /// -1: it cannot be opened, or the log is off.
    private(set) var descriptor: Int32 = -1
    private(set) var path = ""
    private var number = 1
    private let system: UnsafePointer<cberth_system>

    init(_ daemon: DaemonSettings, _ system: UnsafePointer<cberth_system>) {
        (settings, folder, self.system) = (daemon.errorLog, Self.directory(daemon), system)
    }

    static func directory(_ daemon: DaemonSettings) -> String {
        daemon.errorLog.directory ?? daemon.logDirectory + "/HTTPERR"
    }

    var fields: ErrorLogFields {
        let names = Set(settings.fields.map(\.rawValue))
        return ErrorLogFields.all.reduce(into: []) { if names.contains($1.name) { $0.insert($1.field) } }
    }

    /// `httperr1.log`, or of the period: `ht261121.log` for a day.
    static func name(_ rollover: LogRollover, number: Int, at wallSeconds: Int64, isLocal: Bool) -> String {
        if rollover == .size { return "httperr\(number).log" }
        let t = time(wallSeconds, isLocal: isLocal)
        let month = padded(t.tm_year % 100) + padded(t.tm_mon + 1)
        let period =
            switch rollover {
            case .hourly: padded(t.tm_mday) + padded(t.tm_hour)
            case .daily: padded(t.tm_mday)
            case .weekly: padded((t.tm_mday - 1) / 7 + 1)
            case .monthly, .size: ""
            }
        return "ht\(month)\(period).log"
    }

    private static func time(_ wallSeconds: Int64, isLocal: Bool) -> tm {
        var seconds = time_t(wallSeconds)
        var t = tm()
        if isLocal { localtime_r(&seconds, &t) } else { gmtime_r(&seconds, &t) }
        return t
    }

    private static func padded(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// Opens the file for this moment; nil, or why not.
    mutating func open(at wallSeconds: Int64) -> SystemError? {
        while true {
            path =
                folder + "/"
                + Self.name(settings.rollover, number: number, at: wallSeconds, isLocal: settings.localTimeRollover)
            let fd = system.pointee.open_append(system, path, 0o640)
            if fd < 0 { return SystemError("open", -fd) }
            var status = cberth_file_status()
            let result = system.pointee.file_status(system, fd, &status)
            if result < 0 {
                _ = system.pointee.close(system, fd)
                return SystemError("fstat", -result)
            }
            if settings.rollover == .size && status.size >= UInt64(settings.truncateSize) {
                _ = system.pointee.close(system, fd)
                number += 1
                continue
            }
            if status.size == 0 { writeHeader(fd, wallSeconds) }
            descriptor = fd
            return nil
        }
    }

    /// Whether the next file has to be begun, or this one anew because somebody took it away.
    func isOver(at wallSeconds: Int64) -> Bool {
        if descriptor < 0 { return false }
        var status = cberth_file_status()
        guard system.pointee.file_status(system, descriptor, &status) == 0 else { return false }
        var there = stat()
        if stat(path, &there) != 0 || there.st_ino != status.inode { return true }
        if settings.rollover != .size {
            return !path.hasSuffix(
                "/" + Self.name(settings.rollover, number: 1, at: wallSeconds, isLocal: settings.localTimeRollover))
        }
        return status.size >= UInt64(settings.truncateSize)
    }

    /// The lines that say which fields follow.
    func writeHeader(_ fd: Int32, _ wallSeconds: Int64) {
        let t = Self.time(wallSeconds, isLocal: false)
        let day = "\(t.tm_year + 1900)-\(Self.padded(t.tm_mon + 1))-\(Self.padded(t.tm_mday))"
        let clock = "\(Self.padded(t.tm_hour)):\(Self.padded(t.tm_min)):\(Self.padded(t.tm_sec))"
        var header = fields.header(date: "\(day) \(clock)")
        header.withUTF8 { octets in
            guard let start = octets.baseAddress else { return }
            // A disk that is full now is told by the first line that is lost.
            _ = system.pointee.write_some(system, fd, start, octets.count)
        }
    }
}
