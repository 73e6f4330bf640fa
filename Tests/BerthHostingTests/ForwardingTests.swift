@testable import BerthHosting
import Testing

@Suite struct ForwardingTests {
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
        front.publish([worker.ready(token: "secret")])
        let client = Wire(port: front.port)
        client.send("GET /a?b=c HTTP/1.1\r\nHost: x.test\r\nX-One: 1\r\n\r\n")
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
}
