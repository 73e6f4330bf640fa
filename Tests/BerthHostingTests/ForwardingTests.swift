@testable import BerthHosting
import BerthListener
import Testing

/// Requests and answers that pass as they should.
@Suite struct ForwardingTests {
    private let get = "GET /a?b=c HTTP/1.1\r\nHost: x.test\r\nX-One: 1\r\n\r\n"

    /// What a client gets for an answer of the worker.
    private func response(
        _ answer: String, to request: String? = nil, method: String = "GET", closing: Bool = false
    ) throws -> HTTPText {
        let worker = ScriptedWorker { wire, _ in
            while wire.request() != nil {
                wire.send(answer)
                if closing { return }
            }
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(request ?? get)
        let response = try #require(client.response(to: method))
        #expect(front.stop() == (0, 0))
        return response
    }

    @Test(arguments: [false, true]) func `a request reaches the worker and its answer the client`(unix: Bool) throws {
        let seen = Signal<HTTPText>()
        let worker = ScriptedWorker(unix: unix) { wire, _ in
            while let request = wire.request() {
                seen.send(request)
                wire.send(
                    "HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\nServer: W\r\nContent-Length: 5\r\n\r\nhello")
            }
        }
        let front = try Front()
        front.publish(worker, token: "secret")
        let client = Wire(port: front.port)
        client.send(get)
        let response = try #require(client.response())
        #expect(response.startLine == "HTTP/1.1 200 OK")
        #expect(response.text == "hello")
        #expect(response.values("Server") == ["W"])
        #expect(response.values("Date").count == 1)
        let request = try #require(seen.wait())
        #expect(request.startLine == "GET /a?b=c HTTP/1.1")
        #expect(request["Host"] == "x.test")
        #expect(request["X-One"] == "1")
        #expect(request["MS-ASPNETCORE-TOKEN"] == "secret")
        #expect(request["X-Forwarded-Proto"] == "http")
        #expect(request["X-Forwarded-For"]?.hasPrefix("127.0.0.1:") == true)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a thousand requests use one connection to the worker`() throws {
        let worker = ScriptedWorker(answering: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        for _ in 0..<1000 {
            client.send(get)
            try #require(client.response()?.text == "ok")
        }
        #expect(worker.connections == 1)
        #expect(front.counters.connections == 1)
        #expect(front.counters.forwarded == 1000)
        #expect(front.stop() == (0, 0))
    }

    @Test func `pipelined requests are answered in order`() throws {
        let worker = ScriptedWorker { wire, _ in
            while let request = wire.request() {
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: \(request.target.utf8.count)\r\n\r\n\(request.target)")
            }
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send((0..<20).map { "GET /\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
        for number in 0..<20 { #expect(client.response()?.text == "/\(number)") }
        #expect(front.stop() == (0, 0))
    }

    @Test func `a reason other than that of 200 is kept`() throws {
        #expect(
            try response("HTTP/1.1 404 Gone Fishing\r\nContent-Length: 0\r\n\r\n").startLine
                == "HTTP/1.1 404 Gone Fishing")
        #expect(try response("HTTP/1.1 200 Fine\r\nContent-Length: 0\r\n\r\n").startLine == "HTTP/1.1 200 OK")
        #expect(try response("HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n").status == 299)
    }

    @Test func `Date is ours, Server the worker's or nobody's, cookies keep their order`() throws {
        let result = try response(
            "HTTP/1.1 200 OK\r\nDate: Tue, 01 Jan 2030 00:00:00 GMT\r\nSet-Cookie: a=1\r\nVary: x\r\nSet-Cookie: b=2\r\n"
                + "Vary: y\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nTrailer: T\r\n"
                + "Content-Length: 0\r\n\r\n")
        #expect(result["Date"]?.contains("2030") == false)
        #expect(result.values("Server") == [])
        #expect(result.values("Set-Cookie") == ["a=1", "b=2"])
        #expect(result.values("Vary") == ["x", "y"])
        for name in ["X-Hop", "Keep-Alive", "Trailer", "Connection"] { #expect(result.values(name) == [], "\(name)") }
    }

    @Test func `what stands between a name and its value is the front's own, both ways`() throws {
        let seen = Signal<String>()
        let worker = ScriptedWorker { wire, _ in
            while let head = wire.read(through: "\r\n\r\n") {
                seen.send(head)
                wire.send(
                    "HTTP/1.1 404 \tGone\r\nX-A:1\r\nX-B: \t b \t c \t\r\nX-C:\r\nContent-Length:\t002 \r\n\r\nok")
            }
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send("\r\nGET / HTTP/1.1\r\nHost:x.test\r\nX-A:1\r\nX-B: \t b \t c \t\r\nX-C:\r\nX-D:  d\r\n\r\n")
        let response = try #require(client.read(through: "\r\n\r\n"))
        #expect(response.contains("\r\nX-A: 1\r\nX-B: b \t c\r\nX-C: \r\nContent-Length: 2\r\n"))
        let request = try #require(seen.wait())
        #expect(
            request.hasPrefix(
                "GET / HTTP/1.1\r\nHost: x.test\r\nX-A: 1\r\nX-B: b \t c\r\nX-C: \r\nX-D: d\r\nX-Forwarded-For: 127."))
        #expect(client.read(2) == Array("ok".utf8))
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: ["100 Continue", "102 Processing", "103 Early Hints\r\nLink: </a>"])
    func `interim responses are not passed on`(_ line: String) throws {
        let result = try response(
            "HTTP/1.1 \(line)\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
        #expect(result.text == "abc")
        #expect(result["Link"] == nil)
    }

    @Test func `chunked content is framed anew, without its trailer fields`() throws {
        let result = try response(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n")
        #expect(result.isChunked && result.isComplete)
        #expect(result.text == "abcde")
    }

    @Test func `content that ends with the connection becomes chunked, or ends with ours`() throws {
        let result = try response("HTTP/1.1 200 OK\r\n\r\nabc", closing: true)
        #expect(result.isChunked && result.isComplete && result.text == "abc")
        let old = try response("HTTP/1.1 200 OK\r\n\r\nabc", to: "GET / HTTP/1.0\r\nHost: x\r\n\r\n", closing: true)
        #expect(!old.isChunked && old.isComplete && old.text == "abc")
    }

    @Test func `HEAD keeps the length and has no content`() throws {
        let worker = ScriptedWorker { wire, _ in
            while let request = wire.request() {
                wire.send(
                    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                        + (request.startLine.hasPrefix("HEAD") ? "" : "hello"))
            }
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.response(to: "HEAD")?["Content-Length"] == "5")
        #expect(client.response()?.text == "hello")
        #expect(worker.connections == 1)
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: ["204 No Content", "304 Not Modified"]) func `bodiless answers have no framing`(_ line: String)
        throws
    {
        let result = try response("HTTP/1.1 \(line)\r\nETag: \"a\"\r\n\r\n")
        #expect(result["Content-Length"] == nil)
        #expect(result["Transfer-Encoding"] == nil)
        #expect(result["ETag"] == "\"a\"")
    }

    @Test func `the client's wish to close is its own`() throws {
        let worker = ScriptedWorker(answering: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        let front = try Front()
        front.publish(worker)
        for _ in 0..<3 {
            let client = Wire(port: front.port)
            client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let response = try #require(client.response())
            #expect(response["Connection"] == "close")
            #expect(client.waitForEnd() == .finished)
        }
        #expect(worker.connections == 1)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a head in single octets is understood`() throws {
        let worker = ScriptedWorker { wire, _ in
            while wire.request() != nil {
                for octet in Array(
                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\nX-A: 1\r\nContent-Length: 3\r\n\r\nabc".utf8)
                {
                    wire.send([octet])
                }
            }
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        for _ in 0..<3 {
            client.send(get)
            let response = try #require(client.response())
            #expect(response.startLine == "HTTP/1.1 201 Made")
            #expect(response["X-A"] == "1")
            #expect(response.text == "abc")
        }
        #expect(worker.connections == 1)
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: [16_383, 16_384, 65_536, 262_144, 262_145, 1 << 20, 24 << 20])
    func `a long answer arrives whole at a client that reads late`(_ size: Int) throws {
        let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let worker = ScriptedWorker(unix: true) { wire, number in
            while let request = wire.request() {
                if request.target == "/chunked" {
                    wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    var sent = 0
                    while sent < size {
                        let part = min(70_000, size - sent)
                        wire.send(String(part, radix: 16) + "\r\n")
                        wire.send(Array(content[sent..<(sent + part)]))
                        wire.send("\r\n")
                        sent += part
                    }
                    wire.send("0\r\n\r\n")
                } else {
                    wire.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                    wire.send(content)
                }
            }
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port, receiveBuffer: 4096)
        for target in ["/", "/chunked"] {
            client.send("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
            let response = try #require(client.response())
            #expect(response.isComplete)
            #expect(response.content == content)
        }
        #expect(worker.connections == 1)
        #expect(front.stop() == (0, 0))
    }

    @Test func `each piece of an answer is passed on at once`() throws {
        let go = Signal<Bool>()
        let worker = ScriptedWorker { wire, _ in
            _ = wire.request()
            wire.send(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n8\r\npart-one\r\n"
            )
            _ = go.wait()
            wire.send("8\r\npart-two\r\n0\r\n\r\n")
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(client.read(through: "part-one") != nil)
        go.send(true)
        #expect(client.read(through: "part-two\r\n0\r\n\r\n") != nil)
        #expect(front.stop() == (0, 0))
    }
}
