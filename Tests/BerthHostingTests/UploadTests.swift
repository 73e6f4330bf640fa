@testable import BerthHosting
import BerthListener
import Testing

/// Content on its way to the worker.
@Suite struct UploadTests {
    /// A worker that answers with what it got.
    private func echo(unix: Bool = false) -> ScriptedWorker {
        ScriptedWorker(unix: unix) { wire, _ in
            while let request = wire.request() {
                wire.send("HTTP/1.1 200 OK\r\nX-Framing: \(request.isChunked ? "chunked" : "length")\r\n")
                wire.send("Content-Length: \(request.content.count)\r\n\r\n")
                wire.send(request.content)
            }
        }
    }

    @Test(arguments: [0, 1, 100_000, 1 << 20, 5 << 20], [false, true])
    func `content of known length arrives as it is`(_ size: Int, _ unix: Bool) throws {
        let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
        let worker = echo(unix: unix)
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        for _ in 0..<2 {
            client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n")
            client.send(content)
            let response = try #require(client.response())
            #expect(response["X-Framing"] == "length")
            #expect(response.content == content)
        }
        #expect(worker.connections == 1)
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: [1, 1000, 65_536, 300_000]) func `chunked content is framed anew`(_ chunk: Int) throws {
        let worker = echo()
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        let piece = [UInt8](repeating: 0x62, count: chunk)
        let count = chunk < 10 ? 50 : 12
        client.send("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<count {
            client.send(String(chunk, radix: 16) + ";ext=1\r\n")
            client.send(piece)
            client.send("\r\n")
        }
        client.send("0\r\nX-Trailer: 1\r\n\r\n")
        let response = try #require(client.response())
        #expect(response["X-Framing"] == "chunked")
        #expect(response.content.count == chunk * count)
        client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.response()?.content.count == 0)
        #expect(worker.connections == 1)
        #expect(front.stop() == (0, 0))
    }

    @Test func `content passes before its end exists`() throws {
        let seen = Signal<String>()
        let worker = ScriptedWorker { wire, _ in
            guard wire.head() != nil else { return }
            seen.send(wire.text(13))
            _ = wire.read(through: "0\r\n\r\n")
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n8\r\npart-one\r\n")
        #expect(seen.wait() == "8\r\npart-one\r\n")
        client.send("0\r\n\r\n")
        #expect(client.response()?.status == 200)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a client that waits for 100 gets one`() throws {
        let worker = echo()
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        #expect(client.read(through: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("hello")
        #expect(client.head()?.status == 200)
        #expect(client.text(5) == "hello")
        #expect(front.stop() == (0, 0))
    }

    @Test func `an answer that does not wait for the upload is passed on, and its connection is not used again`() throws
    {
        let seen = Signal<Int>()
        let worker = ScriptedWorker { wire, number in
            while let request = wire.head() {
                seen.send(number)
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + (request.target == "/other" ? "two" : "one"))
            }
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nbbbbb")
        #expect(client.response()?.text == "one")
        let other = Wire(port: front.port)
        other.send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(other.response()?.text == "two")
        #expect(seen.wait() == 1)
        #expect(seen.wait() == 2)
        // The first client may still go on.
        client.send([UInt8](repeating: 0x62, count: 4995))
        client.send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.response()?.text == "two")
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: [false, true]) func `a refusal comes through although the worker closes under the upload`(
        unix: Bool
    ) throws {
        let worker = ScriptedWorker(unix: unix) { wire, _ in
            _ = wire.head()
            wire.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n")
        let piece = [UInt8](repeating: 0x62, count: 65_536)
        for _ in 0..<40 where !client.send(piece) { break }
        let response = try #require(client.response())
        #expect(response.status == 413)
        #expect(response.text == "big")
        _ = front.stop()
    }

    @Test func `content that turns out malformed never looks whole to the worker`() throws {
        let ended = Signal<Wire.Ending>()
        let started = Signal<Bool>()
        let worker = ScriptedWorker { wire, _ in
            _ = wire.read(through: "hello\r\n")
            started.send(true)
            ended.send(wire.waitForEnd())
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        #expect(started.wait() == true)
        client.send("zz\r\nhello\r\n0\r\n\r\n")
        #expect(client.response()?.status == 400)
        #expect(ended.wait() == .reset)
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: [(4, 200), (5, 413)]) func `content up to the limit passes, one octet more is 413`(
        _ size: Int, _ status: Int
    ) throws {
        let worker = echo()
        let front = try Front(contentMax: 4)
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(
            "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n" + String(repeating: "b", count: size))
        #expect(client.response()?.status == status)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a slow worker is not given more than it takes`() throws {
        let go = Signal<Bool>()
        let done = Signal<Int>()
        let worker = ScriptedWorker { wire, _ in
            guard let head = wire.head(), let size = head["Content-Length"].flatMap({ Int($0) }) else { return }
            if size > 0 { _ = go.wait() }
            done.send(wire.read(size).count)
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        let size = 40 << 20
        let sent = Signal<Bool>()
        ScriptedWorker.onThread {
            client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n")
            sent.send(client.send([UInt8](repeating: 0x62, count: size)))
        }
        // Other requests are served meanwhile; they get a connection of their own.
        let other = Wire(port: front.port)
        other.send("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        #expect(other.response()?.status == 200)
        #expect(done.wait() == 0)
        go.send(true)
        #expect(done.wait() == size)
        #expect(sent.wait() == true)
        #expect(client.response()?.status == 200)
        #expect(front.stop() == (0, 0))
    }
}
