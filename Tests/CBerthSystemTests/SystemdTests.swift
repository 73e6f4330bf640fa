import CBerthSystem
import Glibc
import Testing

/// What depends on the environment of the process is tested in children: this very test program is no service.
@Suite("systemd", .serialized)
struct SystemdTests {
    @Test("without a service manager nothing was handed over, nobody is told, nothing is watched")
    func none() {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        #expect(cberth_listen_descriptors(&names) == 0)
        cberth_listen_names_free(names)
        #expect(cberth_listen_descriptors_start() == 3)
        if getenv("NOTIFY_SOCKET") == nil { #expect(cberth_notify("READY=1") == 0) }
        #expect(cberth_watchdog_microseconds() == 0)
    }

    @Test("a notification arrives as it was sent")
    func notify() throws {
        let path = "/tmp/berth-notify-\(getpid())"
        let fd = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        try #require(fd >= 0)
        defer {
            close(fd)
            unlink(path)
            unsetenv("NOTIFY_SOCKET")
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        setenv("NOTIFY_SOCKET", path, 1)
        #expect(cberth_notify("READY=1\nSTATUS=serving") > 0)
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(fd, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        #expect(String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self) == "READY=1\nSTATUS=serving")
    }

    @Test("the watchdog's time is read for this process only")
    func watchdog() {
        setenv("WATCHDOG_USEC", "30000000", 1)
        setenv("WATCHDOG_PID", "\(getpid())", 1)
        #expect(cberth_watchdog_microseconds() == 30_000_000)
        setenv("WATCHDOG_PID", "1", 1)
        #expect(cberth_watchdog_microseconds() == 0)
        setenv("WATCHDOG_USEC", "nonsense", 1)
        setenv("WATCHDOG_PID", "\(getpid())", 1)
        #expect(cberth_watchdog_microseconds() == 0)
        unsetenv("WATCHDOG_USEC")
        unsetenv("WATCHDOG_PID")
    }

    @Test("standard error is the journal where JOURNAL_STREAM names this very file")
    func journalStream() {
        var status = stat()
        #expect(fstat(2, &status) == 0)
        setenv("JOURNAL_STREAM", "\(status.st_dev):\(status.st_ino)", 1)
        #expect(cberth_standard_error_is_journal() == 1)
        for other in [
            "\(status.st_dev):\(status.st_ino + 1)", "\(status.st_dev + 1):\(status.st_ino)", "", ":", "x:y", "8",
        ] {
            setenv("JOURNAL_STREAM", other, 1)
            #expect(cberth_standard_error_is_journal() == 0, "\(other)")
        }
        unsetenv("JOURNAL_STREAM")
        #expect(cberth_standard_error_is_journal() == 0)
    }

    @Test("a journal entry has at most 8 further fields and a level from 0 through 7")
    func journalLimits() {
        let field = strdup("A=b")
        defer { free(field) }
        let fields = [UnsafePointer<CChar>?](repeating: field.map { UnsafePointer($0) }, count: 9)
        #expect(cberth_journal_send(6, "x", fields, 9) == -EINVAL)
        #expect(cberth_journal_send(8, "x", fields, 0) == -EINVAL)
        #expect(cberth_journal_send(-1, "x", fields, 0) == -EINVAL)
        #expect(cberth_journal_send(6, "x", fields, -1) == -EINVAL)
        // Where no journal runs libsystemd throws the entry away and says nothing.
        #expect(cberth_journal_send(7, "test of the journal", fields, 8) == 0)
    }
}
