@testable import BerthHosting
import BerthListener
import Testing

/// Upgrades to WebSocket (ancm §12).
@Suite struct TunnelTests {
    private let upgrade =
        "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    private static let accepted =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: k\r\n\r\n"

    /// Echoes in capitals until its end, which it reports.
    private func echo(_ ended: Signal<Wire.Ending>, closing: Bool = true) -> ScriptedWorker {
        ScriptedWorker { wire, _ in
            guard let head = wire.head() else { return }
            wire.send(Self.accepted + (head["Sec-WebSocket-Extensions"] ?? ""))
            repeat {
                wire.send(wire.read(wire.buffer.count).map { $0 >= 0x61 && $0 <= 0x7a ? $0 - 0x20 : $0 })
            } while wire.fill()
            ended.send(wire.waitForEnd())
        }
    }

    private func open(_ front: Front) throws -> Wire {
        let client = Wire(port: front.port)
        client.send(upgrade)
        let response = try #require(client.response())
        #expect(response.startLine == "HTTP/1.1 101 Switching Protocols")
        #expect(response["Upgrade"] == "websocket")
        #expect(response["Connection"] == "Upgrade")
        #expect(response["Sec-WebSocket-Accept"] == "k")
        return client
    }

    @Test func `octets pass in both directions, whatever they look like`() throws {
        let ended = Signal<Wire.Ending>()
        let worker = echo(ended)
        let front = try Front()
        front.publish(worker)
        let client = try open(front)
        client.send("hello tunnel")
        #expect(client.text(12) == "HELLO TUNNEL")
        client.send([0, 1, 2, 0xff, 0x0d, 0x0a, 0x0d, 0x0a])
        #expect(client.read(8) == [0, 1, 2, 0xff, 0x0d, 0x0a, 0x0d, 0x0a])
        let much = [UInt8](repeating: 0x2e, count: 3 << 20)
        ScriptedWorker.onThread { client.send(much) }
        #expect(client.read(much.count) == much)
        // The client's end reaches the worker, the worker's answer to it the client.
        client.finish()
        #expect(ended.wait() == .finished)
        #expect(client.waitForEnd() == .finished)
        #expect(front.stop() == (0, 0))
    }

    @Test func `octets right behind the handshake arrive`() throws {
        let ended = Signal<Wire.Ending>()
        let worker = echo(ended)
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(upgrade + "eager")
        #expect(client.head()?.status == 101)
        #expect(client.text(5) == "EAGER")
        client.close()
        #expect(ended.wait() == .finished)
        #expect(front.stop() == (0, 0))
    }

    @Test func `what the worker says before it closes arrives before the end`() throws {
        let worker = ScriptedWorker { wire, _ in
            _ = wire.head()
            wire.send(Self.accepted + "bye")
        }
        let front = try Front()
        front.publish(worker)
        let client = try open(front)
        #expect(client.text(3) == "bye")
        #expect(client.waitForEnd() == .finished)
        _ = front.stop()
    }

    @Test func `a reset of the client is one at the worker`() throws {
        let ended = Signal<Wire.Ending>()
        let worker = echo(ended)
        let front = try Front()
        front.publish(worker)
        let client = try open(front)
        client.send("x")
        #expect(client.text(1) == "X")
        client.reset()
        #expect(ended.wait() == .reset)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a reset of the worker is an end at the client`() throws {
        let worker = ScriptedWorker { wire, _ in
            _ = wire.head()
            wire.send(Self.accepted)
            _ = wire.read(1)
            wire.reset()
        }
        let front = try Front()
        front.publish(worker)
        let client = try open(front)
        client.send("x")
        #expect(client.waitForEnd() != .stillOpen)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a silent tunnel outlives the request timeout`() throws {
        var settings = ForwardingSettings()
        settings.requestTimeoutMilliseconds = 20
        let ended = Signal<Wire.Ending>()
        let worker = echo(ended)
        let front = try Front(settings: settings)
        front.publish(worker)
        let client = try open(front)
        // Another request, on the same loop, runs into the timeout meanwhile.
        let silent = ScriptedWorker { wire, _ in
            _ = wire.request()
            _ = wire.waitForEnd()
        }
        front.publish(silent)
        let other = Wire(port: front.port)
        for _ in 0..<3 {
            other.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            #expect(other.response()?.status == 502)
        }
        client.send("x")
        #expect(client.text(1) == "X")
        client.close()
        #expect(ended.wait() == .finished)
        #expect(front.stop() == (0, 0))
    }

    @Test func `an answer other than 101 is an ordinary one`() throws {
        let worker = ScriptedWorker { wire, _ in
            while wire.request() != nil { wire.send("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno") }
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        for _ in 0..<2 {
            client.send(upgrade)
            let response = try #require(client.response())
            #expect(response.status == 426)
            #expect(response.text == "no")
        }
        #expect(worker.connections == 1)
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: [
        "Upgrade: other/9\r\nConnection: Upgrade\r\n", "Upgrade: websocket\r\n", "Connection: Upgrade\r\n", "",
    ])
    func `101 to something else than was asked for is 502`(_ fields: String) throws {
        let worker = ScriptedWorker { wire, _ in
            _ = wire.head()
            wire.send("HTTP/1.1 101 Switching Protocols\r\n\(fields)\r\nraw")
            _ = wire.waitForEnd()
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(upgrade)
        #expect(client.response()?.status == 502)
        #expect(front.stop() == (0, 0))
    }

    @Test func `where upgrades are switched off the request is an ordinary one`() throws {
        var settings = ForwardingSettings()
        settings.forwardsUpgrades = false
        let seen = Signal<HTTPText>()
        let worker = ScriptedWorker { wire, _ in
            while let request = wire.request() {
                seen.send(request)
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
        let front = try Front(settings: settings)
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(upgrade)
        #expect(client.response()?.status == 200)
        #expect(seen.wait()?["Upgrade"] == nil)
        #expect(front.stop() == (0, 0))
    }
}
