import BerthEventLoop
import CBerthSystem
import Glibc
import Testing

@testable import BerthActivation

/// Unmodified ASP.NET Core applications, where `DOTNET_ROOT` names a runtime and `BERTH_TEST_APPLICATIONS` a folder of
/// published ones; skipped elsewhere.
@Suite(
    "ASP.NET Core workers", .serialized,
    .enabled(if: getenv("DOTNET_ROOT") != nil && getenv("BERTH_TEST_APPLICATIONS") != nil))
struct DotnetWorkerTests {
    private func variable(_ name: String) throws -> String { String(cString: try #require(getenv(name))) }

    private func configure(
        _ control: ControlLoop, _ application: String, _ environment: [EnvironmentEntry] = []
    ) throws {
        let root = try variable("DOTNET_ROOT")
        let folder = try variable("BERTH_TEST_APPLICATIONS") + "/" + application
        control.configure("") { _, rules in
            rules.program = WorkerProgram(
                executable: "\(root)/dotnet", arguments: ["\(application).dll"],
                environment: [EnvironmentEntry("DOTNET_ROOT", root)] + environment, workingDirectory: folder)
        }
    }

    /// Sends what the message of ANCM §7 is, and answers the status.
    private func sendShutdownMessage(_ target: ReadyEndpoint) throws -> String {
        let door = cberth_system_linux()
        var endpoint = try #require(target.endpoint.systemEndpoint)
        let fd = door.pointee.connect_to(door, &endpoint)
        try #require(fd >= 0)
        defer { close(fd) }
        var poll = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        try #require(Glibc.poll(&poll, 1, 10_000) == 1)
        let message =
            "POST /iisintegration HTTP/1.1\r\nHost: \(target.endpoint)\r\nMS-ASPNETCORE-EVENT: shutdown\r\n"
            + "MS-ASPNETCORE-TOKEN: \(target.token?.text ?? "")\r\nContent-Length: 0\r\n\r\n"
        try #require(door.pointee.send(door, fd, message, message.utf8.count, 0) == message.utf8.count)
        poll.events = Int16(POLLIN)
        try #require(Glibc.poll(&poll, 1, 10_000) == 1)
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = door.pointee.receive(door, fd, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(count, 0)).prefix(12), as: UTF8.self)
    }

    @Test("an application with IIS integration takes its port and token, and ends by the shutdown message")
    func probe() throws {
        let control = try ControlLoop()
        try configure(control, "probe")
        control.demand()
        let ready = try control.waitReady()
        control.service.stop(pool: ControlLoop.pool)
        let target = try control.wait(for: "shutdown message") {
            if case .sendShutdownMessage(_, _, let target) = $0 { target } else { nil }
        }
        #expect(target == ready)
        let status = try sendShutdownMessage(target)
        #expect(status == "HTTP/1.1 202")
        control.service.shutdownMessageAnswered(try #require(ready.worker), accepted: status.hasSuffix("202"))
        let stopped = try control.waitStopped()
        #expect(stopped.exit == .exited(status: 0) && !stopped.killed)
    }

    @Test("an application of the slim builder takes its address from ASPNETCORE_URLS")
    func slim() throws {
        let control = try ControlLoop()
        try configure(control, "slim", [EnvironmentEntry("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")])
        control.demand()
        _ = try control.waitReady()
        try control.stopAll()
    }

    @Test("a start that fails for lack of ICU is explained")
    func withoutICU() throws {
        let control = try ControlLoop()
        try configure(control, "empty")
        control.demand()
        let outcome = try control.wait(for: "outcome") { event -> StartFailure?? in
            if case .failed(_, let failure) = event { return .some(failure) }
            if case .publish(_, _, let endpoints) = event, !endpoints.isEmpty { return .some(nil) }
            return nil
        }
        if let failure = outcome {
            #expect(
                failure.cause == .exited(.signalled(SIGABRT, coreDumped: false)) || failure.reason.contains("SIGABRT"))
            #expect(failure.advice.contains("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"))
        } else {
            try control.stopAll()  // this machine has ICU
        }
    }

    @Test("an exit at the start is told with its status, and the next request starts again")
    func exitAtStart() throws {
        let control = try ControlLoop()
        try configure(control, "probe", [EnvironmentEntry("PROBE_START_EXIT", "7")])
        control.demand()
        #expect(try control.waitFailure().cause == .exited(.exited(status: 7)))
        try configure(control, "probe")
        control.demand()
        _ = try control.waitReady()
        try control.stopAll()
    }
}
