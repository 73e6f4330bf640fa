import BerthHTTP
import CBerthSystem
import Glibc
import Synchronization
import Testing

@testable import BerthListener

/// What a log was told to write, and how much of it a disk takes.
private struct Disk {
    /// Octets it has room for; what is beyond is ENOSPC.
    var room = Int.max
    var text: [UInt8] = []
}

@Suite("Lines of the HTTPERR log", .serialized)
struct ErrorLogLineTests {
    private static let disk = Mutex(Disk())
    private static let notices = Mutex<[String]>([])

    private let system: UnsafeMutablePointer<cberth_system>

    init() {
        system = .allocate(capacity: 1)
        system.initialize(to: cberth_system_linux().pointee)
        system.pointee.write_some = { _, _, start, count in
            ErrorLogLineTests.disk.withLock { disk in
                let taken = min(count, disk.room)
                if taken == 0 { return -Int(ENOSPC) }
                disk.text += UnsafeRawBufferPointer(start: start, count: taken)
                disk.room -= taken
                return taken
            }
        }
        Self.disk.withLock { $0 = Disk() }
        Self.notices.withLock { $0 = [] }
    }

    private func log(_ fields: ErrorLogFields = .standard) -> ErrorLog {
        ErrorLog(fd: 1, fields: fields) { text in
            let notice = String(cString: text)
            ErrorLogLineTests.notices.withLock { $0.append(notice) }
        }
    }

    private var text: String { Self.disk.withLock { String(decoding: $0.text, as: UTF8.self) } }

    private func address(_ text: String, _ port: UInt16) -> cberth_address {
        var address = cberth_address()
        cberth_address_parse(text, &address)
        address.port = port
        return address
    }

    private func entry(_ reason: StaticString = "NotFound") -> ErrorLog.Entry {
        ErrorLog.Entry(
            seconds: 1_795_253_405, client: address("2001:db8::1", 50_000), server: address("192.0.2.1", 80),
            reason: reason)
    }

    @Test("what is not known is a dash")
    func empty() {
        var log = log()
        log.write(entry("Timer_HeaderWait"), system)
        log.flush(system)
        #expect(text == "2026-11-21 09:30:05 2001:db8::1 50000 192.0.2.1 80 - - - - - Timer_HeaderWait -\n")
    }

    @Test("all fields, in their order, with a plus for what would break a line")
    func full() {
        var log = log(ErrorLogFields(rawValue: 0x7df_f4e7).subtracting(.computerName))
        var entry = entry()
        entry.version = 0x0101
        entry.method = OctetRun("GET")
        entry.uri = OctetRun("/a b\n")
        entry.query = OctetRun("x=\u{e4}")
        entry.status = 404
        entry.siteID = 7
        entry.queue = OctetRun("shop")
        entry.host = OctetRun("h")
        entry.userAgent = OctetRun("a b")
        entry.cookie = OctetRun("c=1")
        entry.octetsSent = 300
        entry.octetsReceived = 20
        entry.milliseconds = 5
        log.write(entry, system)
        log.flush(system)
        #expect(
            text
                == "2026-11-21 09:30:05 2001:db8::1 50000 192.0.2.1 80 HTTP/1.1 GET /a+b+?x=++ 404 7 NotFound shop h a+b c=1 - 300 "
                + "20 5\n")
    }

    @Test("a method is cut at 255 octets, a URL with its query at 4096", arguments: [-1, 0, 1])
    func cuts(_ more: Int) {
        let octets = [UInt8](repeating: UInt8(ascii: "x"), count: 8192)
        octets.withUnsafeBufferPointer { octets in
            guard let start = octets.baseAddress else { return }
            var log = log([.method, .uri])
            var entry = entry()
            entry.method = OctetRun(start, 255 + more)
            entry.uri = OctetRun(start, 1000)
            entry.query = OctetRun(start, 3095 + more)
            log.write(entry, system)
            log.flush(system)
        }
        let parts = text.dropLast().split(separator: " ").map(\.count)
        #expect(parts == [min(255 + more, 255), min(4096 + more, 4096)])
    }

    @Test("a full disk costs lines, is told once, and when it has room again the next line begins at its own start")
    func fullDisk() {
        var log = log([.reason])
        Self.disk.withLock { $0.room = 13 }
        log.write(entry("NotFound"), system)
        log.write(entry("Hostname"), system)
        log.flush(system)
        #expect(text == "NotFound\nHost")
        #expect(log.lost == 1)
        log.write(entry("Verb"), system)
        log.flush(system)
        #expect(log.lost == 2)
        Self.disk.withLock { $0.room = 1000 }
        log.write(entry("URL"), system)
        log.flush(system)
        #expect(text == "NotFound\nHost\nURL\n")
        #expect(log.lost == 0)
        #expect(
            Self.notices.withLock { $0 } == [
                "the error log cannot be written: No space left on device; lines are lost",
                "the error log is written again; 2 lines were lost",
            ])
    }
}
