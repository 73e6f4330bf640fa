@testable import BerthHosting
import BerthListener
import Glibc
import Testing

/// Workers that do not behave (ancm §6).
@Suite struct FailureTests {
    private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

    private static func external(timeout: UInt64 = 120_000) -> ForwardingSettings {
        var settings = ForwardingSettings()
        settings.isManaged = false
        settings.requestTimeoutMilliseconds = timeout
        return settings
    }

    @Test(arguments: [
        "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/3.1 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX A: 1\r\n\r\n", "HTTP/1.1 200 OK\r\n: 1\r\n\r\n", "HTTP/1.1 200 OK\r\nX\u{1}: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\nb\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: \(String(repeating: "v", count: 70_000))\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\(String(repeating: "X-A: 1\r\n", count: 257))\r\n",
        String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 251)
            + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ]) func `an answer that is no proper response becomes 502`(_ answer: String) throws {
        let ended = Signal<Wire.Ending>()
        let worker = ScriptedWorker { wire, _ in
            _ = wire.request()
            wire.send(answer)
            ended.send(wire.waitForEnd())
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        let response = try #require(client.response())
        #expect(response.status == 502)
        #expect(response.text.contains("502.3"))
        #expect(ended.wait() != .stillOpen)
        // The client's connection is none the worse for it.
        client.send(get)
        #expect(client.response()?.status == 502)
        #expect(front.stop() == (0, 0))
    }

    @Test func `256 fields and 250 interim responses pass`() throws {
        let worker = ScriptedWorker(
            answering: String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 250)
                + "HTTP/1.1 200 OK\r\n\(String(repeating: "X-A: 1\r\n", count: 255))Content-Length: 0\r\n\r\n")
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        let response = try #require(client.response())
        #expect(response.status == 200)
        #expect(response.values("X-A").count == 255)
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Le"], [false, true])
    func `a connection that ends before the head is complete is 502`(_ begun: String, _ reset: Bool) throws {
        let worker = ScriptedWorker { wire, _ in
            _ = wire.request()
            wire.send(begun)
            if reset { wire.reset() }
        }
        let front = try Front(settings: Self.external())
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(client.response()?.status == 502)
        #expect(worker.connections == 1)
        #expect(front.counters.repeated == 0)
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npartial",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0x5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX\r\n0\r\n\r\n",
    ]) func `content that breaks off is visibly incomplete`(_ answer: String) throws {
        let worker = ScriptedWorker { wire, _ in
            _ = wire.request()
            wire.send(answer)
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        let response = client.response()
        #expect(response?.isComplete != true)
        #expect(client.waitForEnd() != .stillOpen)
        #expect(worker.connections == 1)
        #expect(front.stop() == (0, 0))
    }

    @Test func `nobody at the address of an external worker is 502 at once`() throws {
        let worker = ScriptedWorker()
        let ready = worker.ready()
        worker.stopListening()
        let front = try Front(settings: Self.external())
        front.publish([ready])
        let client = Wire(port: front.port)
        client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nonce")
        let response = try #require(client.response())
        #expect(response.status == 502)
        #expect(response.text.contains("502.3"))
        #expect(front.unreadControlMessages(Front.workerWanted) == 0)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a worker that says nothing costs 502 after the request timeout, and its connection`() throws {
        let ended = Signal<Wire.Ending>()
        let worker = ScriptedWorker { wire, _ in
            _ = wire.request()
            ended.send(wire.waitForEnd())
        }
        let front = try Front(settings: Self.external(timeout: 60))
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        let response = try #require(client.response())
        #expect(response.status == 502)
        #expect(response.text.contains("request timeout"))
        #expect(ended.wait() == .reset)
        #expect(front.stop() == (0, 0))
    }

    @Test func `the request timeout is one of each operation, not of the whole`() throws {
        let step = Signal<Bool>()
        let worker = ScriptedWorker { wire, _ in
            _ = wire.request()
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
            for _ in 0..<12 {
                wire.send("x")
                // Waits 150 ms for something that nobody sends: a tenth of what one operation may take.
                var limit = timeval(tv_sec: 0, tv_usec: 150_000)
                setsockopt(wire.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                var octet: UInt8 = 0
                _ = recv(wire.fd, &octet, 1, 0)
            }
            _ = step.wait()
        }
        let front = try Front(settings: Self.external(timeout: 1500))
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        let response = try #require(client.response())
        #expect(response.isComplete && response.text == "xxxxxxxxxxxx")
        step.send(true)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a client that leaves is told to the worker at once`() throws {
        let got = Signal<Bool>()
        let ended = Signal<Wire.Ending>()
        let worker = ScriptedWorker { wire, _ in
            _ = wire.request()
            got.send(true)
            ended.send(wire.waitForEnd())
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(got.wait() == true)
        client.reset()
        #expect(ended.wait() == .reset)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a client that leaves in its upload is told to the worker`() throws {
        let got = Signal<Bool>()
        let ended = Signal<Wire.Ending>()
        let worker = ScriptedWorker { wire, _ in
            _ = wire.head()
            got.send(wire.text(4) == "half")
            ended.send(wire.waitForEnd())
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        #expect(got.wait() == true)
        client.close()
        #expect(ended.wait() == .reset)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a client that leaves in a long answer is told to the worker`() throws {
        let ended = Signal<Bool>()
        let worker = ScriptedWorker { wire, _ in
            _ = wire.request()
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
            let block = [UInt8](repeating: 0x78, count: 1 << 20)
            var sent = 0
            while sent < 1024, wire.send(block) { sent += 1 }
            ended.send(sent < 1024)
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port, receiveBuffer: 8192)
        client.send(get)
        _ = client.read(4000)
        client.reset()
        #expect(ended.wait() == true)
        #expect(front.stop() == (0, 0))
    }

    @Test func `content that stops coming closes both sides`() throws {
        var limits = ListenerLimits()
        limits.timers.entityBody = 1_000_000_000
        let ended = Signal<Wire.Ending>()
        let worker = ScriptedWorker { wire, _ in
            _ = wire.request()
            ended.send(wire.waitForEnd())
        }
        let front = try Front(limits: limits)
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        #expect(client.waitForEnd() != .stillOpen)
        #expect(ended.wait() == .reset)
        #expect(front.errorLogText.contains("Timer_EntityBody"))
        #expect(front.stop() == (0, 0))
    }
}
