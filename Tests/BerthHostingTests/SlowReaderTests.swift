@testable import BerthHosting
@testable import BerthListener
import Glibc
import TestSupport
import Testing

private let get = "GET /a HTTP/1.1\r\nHost: x.test\r\n\r\n"

/// Clients that read nothing: what waits for them in the daemon is bounded for each and for all.
@Suite struct SlowReaderTests {
    private static let big = 8 << 20

    /// Answers with 8 MiB, more than the kernel takes; over a Unix socket that is copied, not spliced. `/part` is 20 000.
    private func worker(unix: Bool = true) -> ScriptedWorker {
        ScriptedWorker(unix: unix) { wire, _ in
            while let request = wire.request() {
                if request.startLine.contains("/part") {
                    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n")
                    wire.send([UInt8](repeating: 0x62, count: 20_000))
                } else if request.startLine.contains("/small") {
                    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                } else {
                    wire.send("HTTP/1.1 200 OK\r\nContent-Length: \(Self.big)\r\n\r\n")
                    wire.send([UInt8](repeating: 0x61, count: Self.big))
                }
            }
        }
    }

    /// A front that keeps 1 MiB for all of them, and takes each that lags for one of many.
    private func front(slowWindow: UInt64 = ListenerLimits().slowResponseWindow) throws -> Front {
        var limits = ListenerLimits()
        limits.outputBlocksMax = 64
        limits.largeSendBuffersMax = 0
        limits.unsentOctetsMax = 16_384
        limits.slowResponseWindow = slowWindow
        return try Front(limits: limits)
    }

    /// Blocks of responses that wait in the front.
    private func waitingBlocks(_ front: Front) -> Int {
        let listener = front.listener
        return front.ask { listener.state.pointee.output.count } ?? -1
    }

    @Test func `while few lag, one that does holds its window in the daemon`() throws {
        let worker = worker()
        let front = try Front()
        front.publish(worker)
        let slow = Wire(port: front.port, receiveBuffer: 4096)
        slow.send(get)
        let window = Int(ListenerLimits().responseWindow) / Listener.outputBlockSize
        try Deadline().look("the window is full") { waitingBlocks(front) >= window ? true : nil }
        #expect(waitingBlocks(front) <= window + 1)
        #expect(slow.response()?.content.count == Self.big)
        #expect(front.stop() == (0, 0))
    }

    @Test func `while many lag, each further one holds two blocks, and gets everything when it reads`() throws {
        let worker = worker()
        let front = try front()
        front.publish(worker)
        // With a window for each the blocks would not suffice for four.
        let slow = (0..<12).map { _ in Wire(port: front.port, receiveBuffer: 4096) }
        let listener = front.listener
        var before = 0
        for (index, client) in slow.enumerated() {
            client.send(get)
            try Deadline().look("client \(index) lags") {
                front.ask { listener.state.pointee.blockedCount } == index + 1 ? true : nil
            }
            // The first was alone when it asked.
            if index == 0 { before = waitingBlocks(front) }
            #expect(waitingBlocks(front) <= before + 2 * index)
        }
        #expect(before <= Int(ListenerLimits().responseWindow) / Listener.outputBlockSize + 1)
        for client in slow { #expect(client.response()?.content.count == Self.big) }
        #expect(!front.errorLogText.contains("Connection_Dropped"))
        #expect(front.stop() == (0, 0))
    }

    @Test func `while many lag, one that has taken twice what the kernel keeps for those has its window`() throws {
        let worker = worker()
        let front = try front()
        front.publish(worker)
        let slow = Wire(port: front.port, receiveBuffer: 4096)
        slow.send(get)
        try Deadline().look("one lags") { waitingBlocks(front) > 0 ? true : nil }
        let quick = Wire(port: front.port)
        let listener = front.listener
        let windows = {
            front.ask {
                let state = listener.state
                return (0..<state.pointee.connections.highWater).map { state.pointee.connections.pointer(at: $0) }
                    .filter { $0.pointee.fd >= 0 }.map { listener.window($0) }.sorted()
            }
        }
        let (small, large) = (ListenerLimits().slowResponseWindow, ListenerLimits().responseWindow)
        var seen: [[UInt64]?] = []
        for _ in 0..<4 {
            quick.send("GET /part HTTP/1.1\r\nHost: x.test\r\n\r\n")
            #expect(quick.response()?.content.count == 20_000)
            seen.append(windows())
        }
        // Each of its answers is one block that the kernel takes at once; the bound is one block here.
        #expect(seen.first == [small, small])
        #expect(seen.last == [small, large])
        slow.reset()
        try Deadline().look("nobody lags") { windows()?.allSatisfy { $0 == large } == true ? true : nil }
        #expect(front.stop() == (0, 0))
    }

    @Test func `while many lag, connections to TCP workers are lean, and none of those is kept afterwards`() throws {
        let worker = worker(unix: false)
        let front = try front()
        front.publish(worker)
        let (listener, forwarder) = (front.listener, front.forwarder)
        let lagging = { front.ask { listener.state.pointee.blockedCount } }
        let leanOnes = {
            front.ask {
                let connections = forwarder.state.pointee.connections
                return (0..<connections.highWater).map { connections.pointer(at: $0) }
                    .filter { $0.pointee.fd >= 0 && $0.pointee.flags.contains(.lean) }.count
            }
        }
        let small = "GET /small HTTP/1.1\r\nHost: x.test\r\n\r\n"
        let slow = Wire(port: front.port, receiveBuffer: 4096)
        slow.send(get)
        try Deadline().look("one lags") { lagging() == 1 ? true : nil }
        #expect(leanOnes() == 0)
        let other = Wire(port: front.port)
        for _ in 0..<3 {
            other.send(small)
            #expect(other.response()?.text == "ok")
            #expect(leanOnes() == 1)
        }
        slow.reset()
        try Deadline().look("nobody lags") { lagging() == 0 ? true : nil }
        other.send(small)
        #expect(other.response()?.text == "ok")
        #expect(leanOnes() == 0)
        #expect(front.stop() == (0, 0))
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
        let front = try front(slowWindow: .max)
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
