@testable import BerthHosting
import BerthListener
import Testing

/// Kept connections: never poisoned, never trusted too far.
@Suite struct ConnectionPoolTests {
    private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

    /// A worker whose first connection answers once and then does `ending`.
    private func worker(afterFirstAnswer ending: @escaping @Sendable (Wire) -> Void) -> ScriptedWorker {
        ScriptedWorker { wire, number in
            while let request = wire.request() {
                let body = "\(number)\(request.target)"
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
                if number == 1 {
                    ending(wire)
                    return
                }
            }
        }
    }

    @Test func `a connection that the worker closes while it is unused is replaced`() throws {
        let closed = Signal<Bool>()
        let worker = worker { wire in
            wire.close()
            closed.send(true)
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(client.response()?.text == "1/a")
        #expect(closed.wait() == true)
        // Noticed by the event, or at the first octet: the client sees neither.
        client.send(get)
        #expect(client.response()?.text == "2/a")
        client.send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nb")
        #expect(client.response()?.text == "2/b")
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
    func `an idempotent request that meets a dead connection is sent once more`(_ method: String) throws {
        // Dies with the request in hand, before it has said a word.
        let worker = ScriptedWorker { wire, number in
            var count = 0
            while wire.request() != nil {
                count += 1
                if number == 1 && count == 2 { return }
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(client.response()?.status == 200)
        client.send("\(method) /b HTTP/1.1\r\nHost: x\r\n\(method == "PUT" ? "Content-Length: 0\r\n" : "")\r\n")
        #expect(client.response(to: method)?.status == 200)
        #expect(front.counters.repeated == 1)
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: [
        "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        "PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nonce",
        "PATCH /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nonce",
    ])
    func `a request that may have done something is never sent twice`(_ request: String) throws {
        let seen = Signal<Bool>()
        let worker = ScriptedWorker { wire, number in
            while let got = wire.request() {
                if got.target == "/b" {
                    seen.send(true)
                    return
                }
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(client.response()?.status == 200)
        client.send(request)
        #expect(client.response()?.status == 502)
        #expect(seen.wait() == true)
        #expect(front.counters.repeated == 0)
        #expect(worker.connections == 1)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a second dead connection is not hidden`() throws {
        let worker = ScriptedWorker { wire, number in
            var count = 0
            while wire.request() != nil {
                count += 1
                if number > 1 || count == 2 { return }
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
        let front = try Front(settings: Front.doubting(milliseconds: 30))
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(client.response()?.status == 200)
        client.send(get)
        #expect(client.response()?.status == 502)
        #expect(worker.connections == 2)
        #expect(front.stop() == (0, 0))
    }

    @Test func `an answer that has begun is never asked for again`() throws {
        let worker = ScriptedWorker { wire, number in
            var count = 0
            while wire.request() != nil {
                count += 1
                wire.send(count == 2 ? "HTTP/1.1 200" : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                if count == 2 { return }
            }
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(client.response()?.status == 200)
        client.send(get)
        #expect(client.response()?.status == 502)
        #expect(worker.connections == 1)
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
        "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    ]) func `a connection with octets left over, or that was to be the last, is not used again`(_ answer: String) throws
    {
        let worker = ScriptedWorker { wire, number in
            while wire.request() != nil {
                wire.send(number == 1 ? answer : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue")
            }
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        #expect([200, 204, 304].contains(client.response()?.status))
        client.send(get)
        #expect(client.response()?.text == "true")
        #expect(worker.connections == 2)
        #expect(front.stop() == (0, 0))
    }

    @Test func `what a worker says unasked ends its connection`() throws {
        let said = Signal<Bool>()
        let ended = Signal<Wire.Ending>()
        let worker = worker { wire in
            wire.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 6\r\n\r\nforged")
            said.send(true)
            ended.send(wire.waitForEnd())
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(client.response()?.text == "1/a")
        #expect(said.wait() == true)
        #expect(ended.wait() != .stillOpen)
        client.send(get)
        #expect(client.response()?.text == "2/a")
        #expect(front.stop() == (0, 0))
    }

    @Test func `HTTP 1.0 requests have a connection of their own`() throws {
        let worker = ScriptedWorker(answering: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        for _ in 0..<2 {
            client.send("GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n")
            let response = try #require(client.response())
            #expect(response["Connection"] == "keep-alive")
        }
        #expect(worker.connections == 2)
        #expect(front.stop() == (0, 0))
    }

    @Test func `an unused connection is closed after its time`() throws {
        var settings = ForwardingSettings()
        settings.idleConnectionMilliseconds = 30
        let ended = Signal<Wire.Ending>()
        let worker = ScriptedWorker { wire, _ in
            while wire.request() != nil { wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
            ended.send(wire.waitForEnd())
        }
        let front = try Front(settings: settings)
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(client.response()?.status == 200)
        #expect(ended.wait() == .finished)
        let forwarder = front.forwarder
        #expect(front.ask { forwarder.connectionCount } == 0)
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: [0, 1, 2]) func `no more unused connections are kept than the limit says`(_ limit: UInt32) throws {
        var settings = ForwardingSettings()
        settings.idleConnectionsMax = limit
        let all = Signal<Bool>()
        let go = Signal<Bool>()
        let worker = ScriptedWorker { wire, _ in
            while wire.request() != nil {
                all.send(true)
                _ = go.wait()
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
        let front = try Front(settings: settings)
        front.publish(worker)
        let clients = (0..<3).map { _ in Wire(port: front.port) }
        for client in clients { client.send(get) }
        for _ in 0..<3 { #expect(all.wait() == true) }
        for _ in 0..<3 { go.send(true) }
        for client in clients { #expect(client.response()?.status == 200) }
        let forwarder = front.forwarder
        #expect(front.ask { forwarder.connectionCount } == Int(limit))
        #expect(front.stop() == (0, 0))
    }

    @Test func `requests beyond the limit of connections wait for one`() throws {
        var settings = ForwardingSettings()
        settings.connectionsMax = 2
        let got = Signal<Bool>()
        let go = Signal<Bool>()
        let worker = ScriptedWorker { wire, _ in
            while wire.request() != nil {
                got.send(true)
                _ = go.wait()
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
        let front = try Front(settings: settings)
        front.publish(worker)
        let clients = (0..<5).map { _ in Wire(port: front.port) }
        for client in clients { client.send(get) }
        #expect(got.wait() == true && got.wait() == true)
        for _ in 0..<5 { go.send(true) }
        for client in clients { #expect(client.response()?.status == 200) }
        #expect(worker.connections == 2)
        #expect(front.counters.waited == 3)
        #expect(front.queue.waiting == 0)
        #expect(front.stop() == (0, 0))
    }

    @Test func `requests go to the worker with the fewest of them`() throws {
        let workers = (0..<2).map { _ in
            ScriptedWorker { wire, _ in
                while wire.request() != nil { wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
            }
        }
        let busy = Signal<Bool>()
        let slow = ScriptedWorker { wire, _ in
            _ = wire.request()
            busy.send(true)
            _ = wire.waitForEnd()
        }
        let front = try Front()
        front.publish(slow)
        let waiting = Wire(port: front.port)
        waiting.send(get)
        #expect(busy.wait() == true)
        front.publish(slow, workers[0], workers[1])
        let client = Wire(port: front.port)
        for _ in 0..<10 {
            client.send(get)
            #expect(client.response()?.status == 200)
        }
        #expect(slow.connections == 1)
        waiting.reset()
        _ = front.stop()
    }
}
