import BerthConfiguration
import BerthListener
import CBerthSystem
import Glibc
import TestSupport
import Testing

@testable import BerthServer

@Suite("The files of the HTTPERR log")
struct ErrorLogFileTests {
    /// 2026-11-21 09:30:05 UTC.
    private static let moment: Int64 = 1_795_253_405

    private func log(
        _ folder: TestSupport.TemporaryFolder, _ rollover: LogRollover, fields: [ErrorLogField]? = nil
    ) -> ErrorLogFile {
        var daemon = DaemonSettings()
        daemon.errorLog.directory = folder.path
        daemon.errorLog.rollover = rollover
        if let fields { daemon.errorLog.fields = fields }
        return ErrorLogFile(daemon, cberth_system_linux())
    }

    @Test(
        "a file is named after its period, or its number",
        arguments: zip(
            [LogRollover.size, .hourly, .daily, .weekly, .monthly],
            ["httperr7.log", "ht26112109.log", "ht261121.log", "ht261103.log", "ht2611.log"]))
    func names(_ rollover: LogRollover, _ name: String) {
        #expect(ErrorLogFile.name(rollover, number: 7, at: Self.moment, isLocal: false) == name)
    }

    @Test("the default fields are those of HTTP.sys, in its order")
    func standard() throws {
        let folder = try TestSupport.TemporaryFolder()
        #expect(log(folder, .size).fields == .standard)
        #expect(log(folder, .size).fields.rawValue == 0x7c8_84c7)
        #expect(
            ErrorLogFields.standard.header(date: "D").hasSuffix(
                "#Date: D\n#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status s-siteid s-reason "
                    + "s-queuename\n"))
        #expect(ErrorLogFields.all.map(\.name) == ErrorLogField.allCases.map(\.rawValue))
        #expect(log(folder, .size, fields: ErrorLogField.allCases).fields.rawValue == 0x7df_f4e7)
    }

    @Test("by size: the first file that is not full, from there on the next, with a header each")
    func size() throws {
        let folder = try TestSupport.TemporaryFolder()
        try folder.writeSparse("httperr1.log", size: 1_048_576)
        try folder.writeSparse("httperr2.log", size: 1_048_575)
        var log = log(folder, .size)
        #expect(log.open(at: Self.moment) == nil)
        #expect(log.path == folder.path + "/httperr2.log")
        #expect(!log.isOver(at: Self.moment))
        #expect(write(log.descriptor, "x", 1) == 1)
        #expect(log.isOver(at: Self.moment))
        close(log.descriptor)
        #expect(log.open(at: Self.moment) == nil)
        #expect(
            folder.read("httperr3.log")?.hasPrefix(
                "#Software: Berth\n#Version: 1.0\n#Date: 2026-11-21 09:30:05\n#Fields: ")
                == true)
        close(log.descriptor)
    }

    @Test(
        "by time: a file lasts as long as its period",
        arguments: [(LogRollover.hourly, Int64(3600)), (LogRollover.daily, Int64(86_400))])
    func time(_ rollover: LogRollover, _ period: Int64) throws {
        let folder = try TestSupport.TemporaryFolder()
        var log = log(folder, rollover)
        #expect(log.open(at: Self.moment) == nil)
        let end = (Self.moment / period + 1) * period
        #expect(!log.isOver(at: end - 1))
        #expect(log.isOver(at: end))
        close(log.descriptor)
        #expect(log.open(at: end) == nil)
        #expect(Files.names(in: folder.path).count == 2)
        #expect(!log.isOver(at: end))
        close(log.descriptor)
    }

    @Test("a file that somebody takes away or replaces is begun anew")
    func takenAway() throws {
        let folder = try TestSupport.TemporaryFolder()
        var log = log(folder, .size)
        #expect(log.open(at: Self.moment) == nil)
        #expect(!log.isOver(at: Self.moment))
        try folder.remove("httperr1.log")
        #expect(log.isOver(at: Self.moment))
        close(log.descriptor)
        #expect(log.open(at: Self.moment) == nil)
        #expect(folder.read("httperr1.log")?.hasPrefix("#Software: Berth\n") == true)
        #expect(!log.isOver(at: Self.moment))
        try folder.write("httperr1.log", "other")
        #expect(log.isOver(at: Self.moment))
        close(log.descriptor)
    }

    @Test("a folder that is not there is an error with its reason")
    func missing() throws {
        var daemon = DaemonSettings()
        daemon.errorLog.directory = "/nonexistent/folder"
        var log = ErrorLogFile(daemon, cberth_system_linux())
        #expect(log.open(at: Self.moment)?.code == ENOENT)
        #expect(log.descriptor == -1)
        #expect(!log.isOver(at: Self.moment))
    }
}
