@testable import BerthHosting
import BerthListener
import Glibc
import TestSupport
import Testing

private let get = "GET /a HTTP/1.1\r\nHost: x.test\r\n\r\n"

/// Clients that read nothing: what waits for them in the daemon is bounded for each and for all.
@Suite struct SlowReaderTests {
    private static let big = 8 << 20

    /// Answers with 8 MiB, more than the kernel takes, over a Unix socket: that content is copied, not spliced.
    private func worker() -> ScriptedWorker {
        ScriptedWorker(unix: true) { wire, _ in
            while let request = wire.request() {
                if request.startLine.contains("/small") {
                    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                } else {
                    wire.send("HTTP/1.1 200 OK\r\nContent-Length: \(Self.big)\r\n\r\n")
                    wire.send([UInt8](repeating: 0x61, count: Self.big))
                }
            }
        }
    }

    /// A front that keeps 1 MiB for all of them.
    private func front() throws -> Front {
        var limits = ListenerLimits()
        limits.outputBlocksMax = 64
        limits.largeSendBuffersMax = 0
        limits.unsentOctetsMax = 16_384
        return try Front(limits: limits)
    }

    @Test func `one client that does not read holds no more than its window, and gets everything when it reads`() throws
    {
        let worker = worker()
        let front = try front()
        front.publish(worker)
        let slow = Wire(port: front.port, receiveBuffer: 4096)
        slow.send(get)
        let others = Wire(port: front.port)
        for _ in 0..<50 {
            others.send("GET /small HTTP/1.1\r\nHost: x.test\r\n\r\n")
            #expect(others.response()?.text == "ok")
        }
        #expect(!front.errorLogText.contains("Connection_Dropped"))
        #expect(slow.response()?.content.count == Self.big)
        #expect(front.stop() == (0, 0))
    }

    @Test func `when they use up all blocks some are cut, with their reason, and the others are served`() throws {
        let worker = worker()
        let front = try front()
        front.publish(worker)
        let slow = (0..<16).map { _ in Wire(port: front.port, receiveBuffer: 4096) }
        for client in slow { client.send(get) }
        try Deadline().look("one is cut") { front.errorLogText.contains(" Connection_Dropped pool\n") ? true : nil }
        let others = Wire(port: front.port)
        others.send("GET /small HTTP/1.1\r\nHost: x.test\r\n\r\n")
        #expect(others.response()?.text == "ok")
        for client in slow { client.close() }
        // The front sees them go one after the other: until then this one may be cut as they were.
        var octets = 0
        while octets < Self.big {
            let again = Wire(port: front.port)
            again.send(get)
            octets = again.response()?.content.count ?? 0
        }
        #expect(front.stop() == (0, 0))
    }
}
