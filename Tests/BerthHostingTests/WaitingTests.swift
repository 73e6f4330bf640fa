@testable import BerthHosting
import BerthListener
import Testing

/// Requests whose worker is not there (yet), and workers that come and go.
@Suite struct WaitingTests {
    private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test func `many first requests ask for one worker, wait, and are all served`() throws {
        let worker = ScriptedWorker()
        let front = try Front()
        let clients = (0..<20).map { _ in Wire(port: front.port) }
        for client in clients { client.send(get) }
        let wanted = try #require(front.controlMessage(Front.workerWanted))
        #expect(wanted.a == UInt64(Front.application))
        #expect(wanted.c == 0)
        front.publish(worker)
        for client in clients { #expect(client.response()?.text == "ok") }
        #expect(front.unreadControlMessages(Front.workerWanted) == 0)
        #expect(front.queue.waiting == 0)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a worker that cannot be started is 502.5 for all that wait, and the next request asks again`() throws {
        let front = try Front()
        let clients = (0..<3).map { _ in Wire(port: front.port) }
        for client in clients { client.send(get) }
        #expect(front.controlMessage(Front.workerWanted) != nil)
        try front.waitForQueue(of: 3)
        front.post(
            Forwarder.startFailedMessage(application: Front.application, reason: "it ended with status 3; see its log"))
        for client in clients {
            let response = try #require(client.response())
            #expect(response.status == 502)
            #expect(response.text.contains("502.5"))
            #expect(response.text.contains("it ended with status 3; see its log"))
        }
        clients[0].send(get)
        #expect(front.controlMessage(Front.workerWanted) != nil)
        let worker = ScriptedWorker()
        front.publish(worker)
        #expect(clients[0].response()?.text == "ok")
        #expect(front.stop() == (0, 0))
    }

    @Test func `without the error page a failed start is a bare 502`() throws {
        var settings = ForwardingSettings()
        settings.disableStartUpErrorPage = true
        let front = try Front(settings: settings)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(front.controlMessage(Front.workerWanted) != nil)
        front.post(Forwarder.startFailedMessage(application: Front.application, reason: "secret"))
        let response = try #require(client.response())
        #expect(response.status == 502)
        #expect(response.content.isEmpty)
        #expect(front.stop() == (0, 0))
    }

    @Test func `one request more than the queue holds is 503 QueueFull`() throws {
        let front = try Front(queueLength: 2)
        let clients = (0..<3).map { _ in Wire(port: front.port) }
        clients[0].send(get)
        clients[1].send(get)
        try front.waitForQueue(of: 2)
        clients[2].send(get)
        #expect(clients[2].response()?.status == 503)
        #expect(front.errorLogText.contains(" 503 1 QueueFull pool\n"))
        let worker = ScriptedWorker()
        front.publish(worker)
        for client in clients.prefix(2) { #expect(client.response()?.text == "ok") }
        #expect(front.stop() == (0, 0))
    }

    @Test func `a request that waits too long is 503 AppPoolTimer`() throws {
        var settings = ForwardingSettings()
        settings.queueTimeLimitMilliseconds = 30
        let front = try Front(settings: settings)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(client.response()?.status == 503)
        #expect(front.errorLogText.contains("AppPoolTimer"))
        #expect(front.queue.waiting == 0)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a client that leaves the queue leaves nothing behind`() throws {
        let front = try Front()
        let (first, gone, last) = (Wire(port: front.port), Wire(port: front.port), Wire(port: front.port))
        first.send(get)
        try front.waitForQueue(of: 1)
        gone.send(get)
        try front.waitForQueue(of: 2)
        last.send(get)
        try front.waitForQueue(of: 3)
        gone.reset()
        try front.waitForQueue(of: 2)
        let worker = ScriptedWorker()
        front.publish(worker)
        #expect(first.response()?.text == "ok")
        #expect(last.response()?.text == "ok")
        #expect(front.counters.forwarded == 2)
        #expect(front.stop() == (0, 0))
    }

    @Test func `an upload waits with its request and loses nothing`() throws {
        let worker = ScriptedWorker { wire, _ in
            while let request = wire.request() {
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: \(request.content.count)\r\n\r\n")
                wire.send(request.content)
            }
        }
        let front = try Front()
        let client = Wire(port: front.port)
        let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        ScriptedWorker.onThread {
            client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: \(content.count)\r\n\r\n")
            client.send(content)
        }
        #expect(front.controlMessage(Front.workerWanted) != nil)
        front.publish(worker)
        #expect(client.response()?.content == content)
        #expect(front.stop() == (0, 0))
    }

    @Test
    func `recycling: requests in hand finish at the old worker, new ones go to the next, then the old is released`()
        throws
    {
        let got = Signal<Bool>()
        let go = Signal<Bool>()
        let old = ScriptedWorker { wire, _ in
            while wire.request() != nil {
                got.send(true)
                _ = go.wait()
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold")
            }
        }
        let next = ScriptedWorker(answering: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew")
        let front = try Front()
        front.publish(old)
        let (first, second) = (Wire(port: front.port), Wire(port: front.port))
        first.send(get)
        #expect(got.wait() == true)
        front.publish(next)
        second.send(get)
        #expect(second.response()?.text == "new")
        #expect(front.unreadControlMessages(Front.workerReleased) == 0)
        go.send(true)
        #expect(first.response()?.text == "old")
        let released = try #require(front.controlMessage(Front.workerReleased))
        #expect(released.c == old.id)
        first.send(get)
        #expect(first.response()?.text == "new")
        #expect(front.stop() == (0, 0))
    }

    @Test func `a worker that is gone takes its unused connections along`() throws {
        let ended = Signal<Wire.Ending>()
        let worker = ScriptedWorker { wire, _ in
            while wire.request() != nil { wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
            ended.send(wire.waitForEnd())
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(client.response()?.status == 200)
        front.post(Forwarder.workerGoneMessage(application: Front.application, worker: worker.id))
        #expect(ended.wait() == .finished)
        #expect(front.controlMessage(Front.workerReleased)?.c == worker.id)
        client.send(get)
        #expect(front.controlMessage(Front.workerWanted)?.c == 0)
        front.publish(worker)
        #expect(client.response()?.status == 200)
        #expect(front.stop() == (0, 0))
    }

    @Test func `an application that is offline shows its page, also to those that wait`() throws {
        let front = try Front()
        let (waiting, client) = (Wire(port: front.port), Wire(port: front.port))
        waiting.send(get)
        #expect(front.controlMessage(Front.workerWanted) != nil)
        front.post(Forwarder.offlineMessage(application: Front.application, page: Array("<p>back soon</p>".utf8)))
        client.send(get)
        for wire in [waiting, client] {
            let response = try #require(wire.response())
            #expect(response.status == 503)
            #expect(response.text == "<p>back soon</p>")
            #expect(response["Content-Type"] == "text/html")
        }
        let worker = ScriptedWorker()
        front.publish(worker)
        client.send(get)
        #expect(client.response()?.text == "ok")
        #expect(front.stop() == (0, 0))
    }

    @Test func `a full backlog of a worker is waited for`() throws {
        // One connection is taken only after the other has ended, and the backlog holds hardly any.
        let worker = ScriptedWorker(unix: true, backlog: 0) { wire, _ in
            _ = wire.request()
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        }
        let front = try Front()
        front.publish(worker)
        let clients = (0..<40).map { _ in Wire(port: front.port) }
        for client in clients { client.send(get) }
        for client in clients { #expect(client.response()?.text == "ok") }
        #expect(front.stop() == (0, 0))
    }

    @Test func `removing an application answers those that wait`() throws {
        let front = try Front()
        let client = Wire(port: front.port)
        client.send(get)
        #expect(front.controlMessage(Front.workerWanted) != nil)
        front.post(Forwarder.removedMessage(application: Front.application))
        #expect(client.response()?.status == 502)
        #expect(front.stop() == (0, 0))
    }
}
