@testable import BerthHosting
import BerthListener
import Testing

/// Clients that end their side, or leave altogether, while the worker is at it.
@Suite struct LeavingClientTests {
    private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test func `a client that ends its side still gets its answer, and then the end`() throws {
        let got = Signal<Bool>()
        let go = Signal<Bool>()
        let worker = ScriptedWorker { wire, _ in
            while wire.request() != nil {
                got.send(true)
                _ = go.wait()
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(got.wait() == true)
        client.finish()
        // The end was there before this: whoever asks the loop asks after it.
        _ = front.counters
        go.send(true)
        #expect(client.response()?.text == "ok")
        #expect(client.waitForEnd() == .finished)
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: [false, true])
    func `a client that resets is told to the worker at once, also when it had ended its side before`(
        _ halfClosed: Bool
    ) throws {
        let got = Signal<Bool>()
        let ended = Signal<Wire.Ending>()
        let worker = ScriptedWorker { wire, _ in
            _ = wire.request()
            got.send(true)
            ended.send(wire.waitForEnd())
        }
        let front = try Front()
        front.publish(worker)
        // Some of them come with their request, and are read before the loop watches them.
        for _ in 0..<20 {
            let client = Wire(port: front.port)
            client.send(get)
            if halfClosed { client.finish() }
            #expect(got.wait() == true)
            client.reset()
            #expect(ended.wait() == .reset)
        }
        let forwarder = front.forwarder
        #expect(front.ask { forwarder.exchangeCount } == 0)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a client that closes is found out by what is written to it, and the worker is told`() throws {
        let begun = Signal<Bool>()
        let ended = Signal<Bool>()
        let worker = ScriptedWorker { wire, _ in
            _ = wire.request()
            wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            _ = begun.wait()
            // One piece is answered with a reset; that one is noticed without a further piece.
            wire.send("5\r\nhello\r\n")
            ended.send(wire.waitForEnd() != .stillOpen)
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(client.read(through: "hello\r\n") != nil)
        client.close()
        begun.send(true)
        #expect(ended.wait() == true)
        let forwarder = front.forwarder
        #expect(front.ask { forwarder.exchangeCount } == 0)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a client that leaves while it waits for a worker does not hold its place`() throws {
        let front = try Front()
        let client = Wire(port: front.port)
        client.send(get)
        #expect(front.controlMessage(Front.workerWanted) != nil)
        try front.waitForQueue(of: 1)
        client.finish()
        client.reset()
        try front.waitForQueue(of: 0)
        #expect(front.stop() == (0, 0))
    }
}
