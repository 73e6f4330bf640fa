import BerthHTTP
import BerthEventLoop
import CBerthSystem
import Glibc

/// The HTTPERR log of one loop: whatever was answered or given up before a module saw it, one line each, with a reason.
///
/// Lines are gathered and appended with one write when the buffer is full and once a second. All loops append to the same
/// file; lines are never torn, because each write holds whole lines. Loop thread only.
/// Source: HTTP.sys error log, default fields in the order of current systems.
public struct ErrorLog: @unchecked Sendable, BitwiseCopyable {
    /// Octets gathered before they are written.
    static let bufferSize = 16_384
    /// Longest line. Method 255 and URL 4 096 octets are HTTP.sys' cuts; the others are ours.
    static let lineMax = 8_192
    /// Octets of a field of the request. Ours.
    static let valueMax = 512

    /// The file all loops share, exchanged by `replaceFile`; -1: off.
    private var fd: Int32
    private(set) var fields: ErrorLogFields
    private let buffer: UnsafeMutablePointer<UInt8>
    private var count = 0
    /// Lines that could not be written since it last worked.
    public private(set) var lost: UInt64 = 0
    /// A write stopped in a line, which has to end before the next begins.
    private var isAmidLine = false
    /// Where notices for an administrator go. Any thread.
    private let noticeSink: @convention(c) (UnsafePointer<CChar>) -> Void

    private let computerName: OctetRun

    /// - Parameters:
    ///   - fd: opened for append, or -1.
    ///   - notices: takes a line for the daemon's own log.
    public init(
        fd: Int32, fields: ErrorLogFields = .standard, notices: @escaping @convention(c) (UnsafePointer<CChar>) -> Void
    ) {
        self.fd = fd
        self.fields = fields
        buffer = .allocate(capacity: Self.bufferSize)
        noticeSink = notices
        let name = UnsafeMutablePointer<CChar>.allocate(capacity: 65)
        name.initialize(repeating: 0, count: 65)
        let known = gethostname(name, 64) == 0
        computerName = OctetRun(UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), known ? strlen(name) : 0)
    }

    /// A line for the daemon's own log. Not on the request path.
    func notice(_ text: String) { text.withCString { noticeSink($0) } }

    /// Appends from now on to another file.
    mutating func replaceFile(_ fd: Int32, _ fields: ErrorLogFields, _ system: UnsafePointer<cberth_system>) {
        flush(system)
        (self.fd, self.fields) = (fd, fields)
        isAmidLine = false
    }

    /// What one line says. Empty runs are written as "-".
    struct Entry {
        var seconds: Int64
        var client: cberth_address
        var server: cberth_address
        /// Major and minor, a digit each; 0: not known.
        var version: UInt16 = 0
        var method = OctetRun.none
        var uri = OctetRun.none
        var query = OctetRun.none
        /// 0: none was sent.
        var status: UInt16 = 0
        /// 0: none.
        var siteID: UInt32 = 0
        var reason: StaticString
        var queue = OctetRun.none
        var host = OctetRun.none
        var userAgent = OctetRun.none
        var cookie = OctetRun.none
        var referer = OctetRun.none
        var octetsSent: UInt64 = 0
        var octetsReceived: UInt64 = 0
        var milliseconds: UInt64 = 0
    }

    mutating func write(_ entry: Entry, _ system: UnsafePointer<cberth_system>) {
        if fd < 0 { return }
        if Self.bufferSize - count < Self.lineMax { flush(system) }
        var out = OctetWriter(buffer + count, capacity: Self.bufferSize - count)
        let began = out.count
        for (field, _) in ErrorLogFields.all where fields.contains(field) {
            if out.count > began { out.put(" ") }
            put(field, of: entry, &out)
        }
        out.put("\n")
        if !out.overflowed { count += out.count }
    }

    private func put(_ field: ErrorLogFields, of entry: Entry, _ out: inout OctetWriter) {
        switch field {
        case .date, .time: putTime(&out, entry.seconds, isDate: field == .date)
        case .clientAddress: putAddress(&out, entry.client)
        case .clientPort: putPort(&out, entry.client)
        case .serverAddress: putAddress(&out, entry.server)
        case .serverPort: putPort(&out, entry.server)
        case .version:
            if entry.version == 0 {
                out.put("-")
            } else {
                out.put("HTTP/")
                out.putDecimal(UInt64(entry.version >> 8))
                out.put(".")
                out.putDecimal(UInt64(entry.version & 255))
            }
        case .method: putCut(&out, entry.method, 255)
        case .uri:
            putCut(&out, entry.uri, 4096)
            if entry.query.count > 0 && entry.uri.count < 4095 {
                out.put("?")
                putCut(&out, entry.query, 4095 - entry.uri.length)
            }
        case .status: putNumber(&out, entry.status == 0 ? nil : UInt64(entry.status))
        case .siteID: putNumber(&out, entry.siteID == 0 ? nil : UInt64(entry.siteID))
        case .reason: out.put(entry.reason)
        case .queueName: putCut(&out, entry.queue, 260)
        case .computerName: putCut(&out, computerName, 64)
        case .host: putCut(&out, entry.host, Self.valueMax)
        case .userAgent: putCut(&out, entry.userAgent, Self.valueMax)
        case .cookie: putCut(&out, entry.cookie, Self.valueMax)
        case .referer: putCut(&out, entry.referer, Self.valueMax)
        case .octetsSent: out.putDecimal(entry.octetsSent)
        case .octetsReceived: out.putDecimal(entry.octetsReceived)
        case .timeTaken: out.putDecimal(entry.milliseconds)
        default: out.put("-")
        }
    }

    private func putNumber(_ out: inout OctetWriter, _ number: UInt64?) {
        if let number { out.putDecimal(number) } else { out.put("-") }
    }

    private func putTime(_ out: inout OctetWriter, _ wallSeconds: Int64, isDate: Bool) {
        var seconds = time_t(wallSeconds)
        var t = tm()
        gmtime_r(&seconds, &t)
        let parts =
            isDate
            ? (Int(t.tm_year) + 1900, Int(t.tm_mon) + 1, Int(t.tm_mday))
            : (Int(t.tm_hour), Int(t.tm_min), Int(t.tm_sec))
        putDigits(&out, parts.0, isDate ? 4 : 2)
        out.put(isDate ? "-" : ":")
        putDigits(&out, parts.1, 2)
        out.put(isDate ? "-" : ":")
        putDigits(&out, parts.2, 2)
    }

    /// Writes what was gathered. A full disk costs lines, counted in `lost`, and nothing else; it is told when that begins and
    /// when it is over.
    mutating func flush(_ system: UnsafePointer<cberth_system>) {
        if count == 0 { return }
        let octets = count
        count = 0
        if fd < 0 { return }
        var done = 0
        var problem: SystemError?
        if isAmidLine { isAmidLine = write(UnsafePointer(Self.lineEnd), 1, system, &problem) != 1 }
        if !isAmidLine { done = write(UnsafePointer(buffer), octets, system, &problem) }
        if done == octets {
            if lost > 0 { notice("the error log is written again; \(lost) lines were lost") }
            lost = 0
            return
        }
        if done > 0 { isAmidLine = buffer[done - 1] != 0x0a }
        if lost == 0 { notice("the error log cannot be written: \(problem?.reason ?? "?"); lines are lost") }
        for i in done..<octets where buffer[i] == 0x0a { lost += 1 }
    }

    /// Octets written, all of them unless there is a problem.
    private func write(
        _ start: UnsafePointer<UInt8>, _ octets: Int, _ system: UnsafePointer<cberth_system>,
        _ problem: inout SystemError?
    ) -> Int {
        var done = 0
        while done < octets {
            let written = system.pointee.write_some(system, fd, start + done, octets - done)
            if written <= 0 {
                problem = SystemError("write", written < 0 ? Int32(-written) : ENOSPC)
                return done
            }
            done += written
        }
        return done
    }

    private nonisolated(unsafe) static let lineEnd: UnsafeMutablePointer<UInt8> = {
        let octet = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
        octet.initialize(to: 0x0a)
        return octet
    }()

    private func putDigits(_ out: inout OctetWriter, _ value: Int, _ width: Int) {
        var scale = 1
        for _ in 1..<width { scale *= 10 }
        while scale > 0 {
            out.put(UInt8(truncatingIfNeeded: 0x30 + value / scale % 10))
            scale /= 10
        }
    }

    private func isNumbered(_ address: cberth_address) -> Bool { address.family == 4 || address.family == 6 }

    private func putPort(_ out: inout OctetWriter, _ address: cberth_address) {
        putNumber(&out, isNumbered(address) ? UInt64(address.port) : nil)
    }

    private func putAddress(_ out: inout OctetWriter, _ address: cberth_address) {
        guard isNumbered(address) else {
            out.put("-")
            return
        }
        var copy = address
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { buffer in
            guard let base = buffer.baseAddress else { return }
            let length = base.withMemoryRebound(to: CChar.self, capacity: 64) { cberth_address_format(&copy, $0, 64) }
            out.put(base, Int(length))
        }
    }

    /// "-" when empty; spaces, tabs and what cannot be printed become "+".
    private func putCut(_ out: inout OctetWriter, _ run: OctetRun, _ limit: Int) {
        guard let start = run.start, run.count > 0 else {
            out.put("-")
            return
        }
        for i in 0..<min(run.length, limit) {
            let octet = start[i]
            out.put(octet <= 0x20 || octet >= 0x7f ? 0x2b : octet)
        }
    }
}
