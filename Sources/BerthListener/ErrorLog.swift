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
    /// Longest line. Method 255 and URL 4 096 octets are HTTP.sys' cuts.
    static let lineMax = 5_120

    /// The file all loops share, exchanged by `replaceFile`; -1: off.
    private var fd: Int32
    private let buffer: UnsafeMutablePointer<UInt8>
    private var count = 0
    /// Lines that could not be written.
    public private(set) var lost: UInt64 = 0
    /// Where notices for an administrator go. Any thread.
    private let noticeSink: @convention(c) (UnsafePointer<CChar>) -> Void

    /// The first lines of a file.
    public static let header =
        "#Software: Berth\n#Version: 1.0\n#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status "
        + "s-siteid s-reason s-queuename\n"

    /// - Parameters:
    ///   - fd: opened for append, or -1.
    ///   - notices: takes a line for the daemon's own log.
    public init(fd: Int32, notices: @escaping @convention(c) (UnsafePointer<CChar>) -> Void) {
        self.fd = fd
        buffer = .allocate(capacity: Self.bufferSize)
        noticeSink = notices
    }

    /// A line for the daemon's own log. Not on the request path.
    func notice(_ text: String) { text.withCString { noticeSink($0) } }

    /// Appends from now on to another file.
    mutating func replaceFile(_ fd: Int32, _ system: UnsafePointer<cberth_system>) {
        flush(system)
        self.fd = fd
    }

    /// What one line says. Empty runs are written as "-".
    struct Entry {
        var seconds: Int64
        var client: cberth_address
        var server: cberth_address
        /// 0: not known.
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
    }

    mutating func write(_ entry: Entry, _ system: UnsafePointer<cberth_system>) {
        if fd < 0 { return }
        if Self.bufferSize - count < Self.lineMax { flush(system) }
        var out = OctetWriter(buffer + count, capacity: Self.bufferSize - count)
        var seconds = time_t(entry.seconds)
        var t = tm()
        gmtime_r(&seconds, &t)
        putDigits(&out, Int(t.tm_year) + 1900, 4)
        out.put("-")
        putDigits(&out, Int(t.tm_mon) + 1, 2)
        out.put("-")
        putDigits(&out, Int(t.tm_mday), 2)
        out.put(" ")
        putDigits(&out, Int(t.tm_hour), 2)
        out.put(":")
        putDigits(&out, Int(t.tm_min), 2)
        out.put(":")
        putDigits(&out, Int(t.tm_sec), 2)
        out.put(" ")
        putAddress(&out, entry.client)
        putAddress(&out, entry.server)
        switch entry.version {
        case 0x0100: out.put("HTTP/1.0 ")
        case 0x0101: out.put("HTTP/1.1 ")
        default: out.put("- ")
        }
        putCut(&out, entry.method, 255)
        out.put(" ")
        putCut(&out, entry.uri, 4096)
        if entry.query.count > 0 && entry.uri.count < 4095 {
            out.put("?")
            putCut(&out, entry.query, 4095 - entry.uri.length)
        }
        out.put(" ")
        if entry.status == 0 { out.put("-") } else { out.putDecimal(UInt64(entry.status)) }
        out.put(" ")
        if entry.siteID == 0 { out.put("-") } else { out.putDecimal(UInt64(entry.siteID)) }
        out.put(" ")
        out.put(entry.reason)
        out.put(" ")
        putCut(&out, entry.queue, 260)
        out.put("\n")
        if !out.overflowed { count += out.count }
    }

    /// Writes what was gathered. A full disk costs lines, counted in `lost`, and nothing else.
    mutating func flush(_ system: UnsafePointer<cberth_system>) {
        if count == 0 { return }
        let written = fd < 0 ? count : system.pointee.write_some(system, fd, buffer, count)
        if written != count {
            if lost == 0 {
                notice(
                    "the error log cannot be written: \(SystemError("write", Int32(written < 0 ? -written : Int(ENOSPC)))); lines are lost"
                )
            }
            for i in 0..<count where buffer[i] == 0x0a { lost += 1 }
        } else {
            lost = 0
        }
        count = 0
    }

    private func putDigits(_ out: inout OctetWriter, _ value: Int, _ width: Int) {
        var scale = 1
        for _ in 1..<width { scale *= 10 }
        while scale > 0 {
            out.put(UInt8(truncatingIfNeeded: 0x30 + value / scale % 10))
            scale /= 10
        }
    }

    /// Address, space, port, space.
    private func putAddress(_ out: inout OctetWriter, _ address: cberth_address) {
        if address.family != 4 && address.family != 6 {
            out.put("- - ")
            return
        }
        var copy = address
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { buffer in
            guard let base = buffer.baseAddress else { return }
            let length = base.withMemoryRebound(to: CChar.self, capacity: 64) { cberth_address_format(&copy, $0, 64) }
            out.put(base, Int(length))
        }
        out.put(" ")
        out.putDecimal(UInt64(address.port))
        out.put(" ")
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
