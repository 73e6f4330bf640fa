internal import CBerthModule
internal import CBerthSystem
internal import Glibc
internal import Synchronization

/// Where the lines of one instance go: a folder with a file a period, or one file.
///
/// The file is opened for each batch (at most once a second and loop, or for 64 KiB) and closed again. So a rotated or
/// removed file needs no signal, a new period no timer, and ten thousand sites hold no descriptors. Any thread; blocks.
final class LogFile: Sendable {
    /// When a new file is begun. Names as IIS gives them, with the `u_` of UTF-8 logs.
    enum Rollover: String {
        case hourly, daily, weekly, monthly, size
    }

    enum Destination {
        case file(String)
        case directory(String, Rollover)
    }

    private struct State {
        /// Number of the file where `rollover` is `size`.
        var sequence = 1
        /// The path that was written last.
        var path = ""
        /// Until then nothing is tried, in monotonic nanoseconds.
        var retryAt: UInt64 = 0
        /// Lines lost since it last worked. Above 0: the failure was reported.
        var linesLost: UInt64 = 0
        var isFailing = false
        /// A write stopped amid a line.
        var isAmidLine = false
    }

    /// Time until a failing file is tried again, in nanoseconds. Ours.
    static let retryInterval: UInt64 = 5_000_000_000
    /// Sources: IIS sites keep logs from other users of the machine.
    static let fileMode: UInt32 = 0o640
    static let directoryMode: UInt32 = 0o750

    private let host: LogHost
    private let destination: Destination
    private let fieldsLine: String
    /// Source: IIS `logFile.truncateSize`.
    private let truncateSize: UInt64
    private let state = Mutex(State())

    /// The `#Fields` line that was written last into each file, by any instance of this process.
    private static let headers = Mutex<[String: String]>([:])

    init(host: HostTable, destination: Destination, columns: [LogColumn], truncateSize: Int) {
        self.host = LogHost(table: host)
        self.destination = destination
        self.truncateSize = UInt64(truncateSize)
        fieldsLine = "#Fields: " + columns.map(\.name).joined(separator: " ")
    }

    /// Appends whole lines. What fails is reported once, counted, and tried again later; nobody waits for it.
    func append(_ lines: UnsafeRawBufferPointer, lineCount: UInt64, firstLineAt wallSeconds: Int64) {
        state.withLock { state in
            let now = host.table.pointee.monotonic_nanoseconds()
            if state.isFailing, now < state.retryAt {
                state.linesLost += lineCount
                return
            }
            if let failure = write(lines, wallSeconds, &state) {
                if !state.isFailing {
                    host.table.log(
                        Int(BERTH_LOG_ERROR),
                        "request-logging: cannot write '\(state.path)': \(failure); requests are served and their lines lost until it works again"
                    )
                }
                state.isFailing = true
                state.linesLost += lineCount
                state.retryAt = now &+ Self.retryInterval
            } else if state.isFailing {
                host.table.log(
                    Int(BERTH_LOG_NOTICE),
                    "request-logging: writing '\(state.path)' again; \(state.linesLost) lines were lost")
                state.isFailing = false
                state.linesLost = 0
            }
        }
    }

    /// Lines lost since the file last could be written.
    var linesLost: UInt64 { state.withLock { $0.linesLost } }

    // MARK: One batch

    /// The words of what went wrong, or nil.
    private func write(_ lines: UnsafeRawBufferPointer, _ wallSeconds: Int64, _ state: inout State) -> String? {
        let system = cberth_system_linux()
        var fd: Int32 = -1
        var status = cberth_file_status()
        while true {
            let path = path(wallSeconds, state.sequence)
            if path != state.path {
                Self.headers.withLock { [old = state.path] in _ = $0.removeValue(forKey: old) }
                state.path = path
                state.isAmidLine = false
            }
            fd = open(path)
            guard fd >= 0 else { return SmallFile.reason(-fd) }
            let result = system.pointee.file_status(system, fd, &status)
            guard result == 0 else {
                _ = system.pointee.close(system, fd)
                return SmallFile.reason(-result)
            }
            guard case .directory(_, .size) = destination, status.size > 0,
                status.size + UInt64(lines.count) > truncateSize, state.sequence < 1_000_000
            else { break }
            _ = system.pointee.close(system, fd)
            state.sequence += 1
        }
        defer { _ = system.pointee.close(system, fd) }

        var text = state.isAmidLine ? "\n" : ""
        if status.size == 0 || Self.headers.withLock({ $0[state.path] }) != fieldsLine { text += header(wallSeconds) }
        if !text.isEmpty {
            let failure = text.withUTF8 { writeAll(fd, UnsafeRawBufferPointer($0), &state) }
            if let failure { return failure }
            Self.headers.withLock { [path = state.path] in $0[path] = fieldsLine }
        }
        return writeAll(fd, lines, &state)
    }

    private func writeAll(_ fd: Int32, _ octets: UnsafeRawBufferPointer, _ state: inout State) -> String? {
        let system = cberth_system_linux()
        guard let start = octets.baseAddress else { return nil }
        var written = 0
        while written < octets.count {
            let count = system.pointee.write_some(system, fd, start + written, octets.count - written)
            if count == -Int(EINTR) { continue }
            guard count > 0 else {
                if written > 0 { state.isAmidLine = octets[written - 1] != 0x0a }
                return count == 0 ? "nothing was taken" : SmallFile.reason(Int32(-count))
            }
            written += count
        }
        state.isAmidLine = false
        return nil
    }

    private func header(_ wallSeconds: Int64) -> String {
        let date = CivilDate(seconds: wallSeconds)
        let day = "\(Self.padded(date.year, 4))-\(Self.padded(date.month, 2))-\(Self.padded(date.day, 2))"
        let time = "\(Self.padded(date.hour, 2)):\(Self.padded(date.minute, 2)):\(Self.padded(date.second, 2))"
        return "#Software: Berth\n#Version: 1.0\n#Date: \(day) \(time)\n\(fieldsLine)\n"
    }

    private static func padded(_ value: Int, _ digits: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// The file of the period that `wallSeconds` lies in.
    private func path(_ wallSeconds: Int64, _ sequence: Int) -> String {
        guard case .directory(let directory, let rollover) = destination else {
            if case .file(let path) = destination { return path }
            return ""
        }
        let date = CivilDate(seconds: wallSeconds)
        let month = Self.padded(date.year % 100, 2) + Self.padded(date.month, 2)
        let day = Self.padded(date.day, 2)
        let name =
            switch rollover {
            case .hourly: "ex" + month + day + Self.padded(date.hour, 2)
            case .daily: "ex" + month + day
            case .weekly: "ex" + month + Self.padded((date.day - 1) / 7 + 1, 2)
            case .monthly: "ex" + month
            case .size: "extend\(sequence)"
            }
        return "\(directory)/u_\(name).log"
    }

    /// Opens for appending; makes the folders where they are missing.
    private func open(_ path: String) -> Int32 {
        let system = cberth_system_linux()
        let fd = path.withCString { system.pointee.open_append(system, $0, Self.fileMode) }
        guard fd == -ENOENT, case .directory(let directory, _) = destination else { return fd }
        var prefix = ""
        for part in directory.split(separator: "/") {
            prefix += "/" + part
            _ = prefix.withCString { system.pointee.make_directory(system, $0, Self.directoryMode) }
        }
        return path.withCString { system.pointee.open_append(system, $0, Self.fileMode) }
    }
}

/// The host's table, which lives as long as the process and is never changed.
struct LogHost: @unchecked Sendable {
    let table: HostTable
}
