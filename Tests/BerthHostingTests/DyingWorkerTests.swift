@testable import BerthHosting
import BerthListener
import Testing

/// Requests that meet a worker in the moment of its death.
@Suite struct DyingWorkerTests {
    private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

    /// Takes each request, says that it has it, and ends the connection without a word.
    private func mute(_ got: Signal<String>, reset: Bool = false) -> ScriptedWorker {
        ScriptedWorker { wire, _ in
            guard let request = wire.request() else { return }
            got.send(request.target)
            if reset { wire.reset() }
        }
    }

    @Test(arguments: ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"], [false, true])
    func `an idempotent request that a dying worker took goes to the next one`(_ method: String, reset: Bool) throws {
        let got = Signal<String>()
        let dying = mute(got, reset: reset)
        let front = try Front()
        front.publish(dying)
        let client = Wire(port: front.port)
        client.send("\(method) /b HTTP/1.1\r\nHost: x\r\n\(method == "PUT" ? "Content-Length: 0\r\n" : "")\r\n")
        #expect(got.wait() == "/b")
        try front.waitForQueue(of: 1)
        front.post(Forwarder.workerGoneMessage(application: Front.application, worker: dying.id))
        #expect(front.controlMessage(Front.workerWanted) != nil)
        #expect(front.controlMessage(Front.workerReleased)?.c == dying.id)
        front.publish(ScriptedWorker())
        #expect(client.response(to: method)?.status == 200)
        #expect(dying.connections == 1)
        #expect(front.counters.repeated == 1)
        #expect(front.queue.waiting == 0)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a replacement is as good as the end`() throws {
        let got = Signal<String>()
        let dying = mute(got)
        let front = try Front()
        front.publish(dying)
        let client = Wire(port: front.port)
        client.send(get)
        #expect(got.wait() == "/a")
        try front.waitForQueue(of: 1)
        front.publish(ScriptedWorker())
        #expect(client.response()?.text == "ok")
        #expect(front.stop() == (0, 0))
    }

    @Test func `a request that its worker dies of is not given to a third one`() throws {
        let got = Signal<String>()
        let workers = (0..<2).map { _ in mute(got) }
        let front = try Front()
        front.publish(workers[0])
        let client = Wire(port: front.port)
        client.send(get)
        #expect(got.wait() == "/a")
        try front.waitForQueue(of: 1)
        front.publish(workers[1])
        #expect(got.wait() == "/a")
        let response = try #require(client.response())
        #expect(response.status == 502)
        #expect(response.text.contains("502.3"))
        #expect(workers.map(\.connections) == [1, 1])
        #expect(front.stop() == (0, 0))
    }

    @Test func `nor one that died on a kept connection, then on a fresh one, then at the next worker`() throws {
        let got = Signal<String>()
        let first = ScriptedWorker { wire, number in
            while let request = wire.request() {
                if request.target != "/warm" {
                    got.send("\(number)")
                    return
                }
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
        let second = mute(got)
        let front = try Front()
        front.publish(first)
        let client = Wire(port: front.port)
        client.send("GET /warm HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.response()?.status == 200)
        client.send(get)
        #expect(got.wait() == "1" && got.wait() == "2")
        try front.waitForQueue(of: 1)
        front.publish(second)
        #expect(got.wait() == "/a")
        #expect(client.response()?.status == 502)
        #expect((first.connections, second.connections) == (2, 1))
        #expect(front.stop() == (0, 0))
    }

    @Test(arguments: [
        "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "PATCH /b HTTP/1.1\r\nHost: x\r\n\r\n",
        "PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nonce",
    ]) func `what may have done something is 502 at once`(_ request: String) throws {
        let got = Signal<String>()
        let worker = mute(got)
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(request)
        #expect(client.response()?.status == 502)
        #expect(worker.connections == 1)
        #expect(front.counters.waited == 0)
        #expect(front.stop() == (0, 0))
    }

    @Test func `an upload of which a half was sent is not repeated`() throws {
        let got = Signal<String>()
        let worker = ScriptedWorker { wire, _ in
            _ = wire.head()
            got.send(wire.text(4))
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send("PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf")
        #expect(got.wait() == "half")
        #expect(client.response()?.status == 502)
        #expect(worker.connections == 1)
        #expect(front.counters.repeated == 0)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a worker that lives on has answered in its way: 502 after the wait`() throws {
        let got = Signal<String>()
        let worker = mute(got)
        let front = try Front(settings: Front.doubting(milliseconds: 30))
        front.publish(worker)
        let client = Wire(port: front.port)
        client.send(get)
        let response = try #require(client.response())
        #expect(response.status == 502)
        #expect(response.text.contains("closed the connection before it answered"))
        #expect(worker.connections == 1)
        #expect(front.queue.waiting == 0)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a request that nobody accepts waits for the next worker, an upload too`() throws {
        let dead = ScriptedWorker()
        let ready = dead.ready()
        dead.stopListening()
        let front = try Front()
        front.publish([ready])
        let client = Wire(port: front.port)
        client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nonce")
        try front.waitForQueue(of: 1)
        front.post(Forwarder.workerGoneMessage(application: Front.application, worker: ready.id))
        #expect(front.controlMessage(Front.workerWanted) != nil)
        front.publish(ScriptedWorker())
        #expect(client.response()?.text == "ok")
        #expect(front.controlMessage(Front.workerReleased)?.c == ready.id)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a worker that goes on refusing is 502`() throws {
        let dead = ScriptedWorker()
        let ready = dead.ready()
        dead.stopListening()
        let front = try Front(settings: Front.doubting(milliseconds: 30))
        front.publish([ready])
        let client = Wire(port: front.port)
        client.send(get)
        let response = try #require(client.response())
        #expect(response.status == 502)
        #expect(response.text.contains("does not take connections"))
        #expect(front.stop() == (0, 0))
    }

    @Test func `where one of several refuses, another has the request at once`() throws {
        let dead = (0..<2).map { _ in ScriptedWorker() }
        let ready = dead.map { $0.ready() }
        for worker in dead { worker.stopListening() }
        let good = ScriptedWorker()
        let front = try Front()
        front.publish(ready + [good.ready()])
        for _ in 0..<3 {
            let client = Wire(port: front.port)
            client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nonce")
            #expect(client.response()?.text == "ok")
        }
        #expect(front.counters.waited == 0)
        #expect(front.stop() == (0, 0))
    }

    @Test func `a client that leaves while its worker dies leaves nothing behind`() throws {
        let got = Signal<String>()
        let dying = mute(got)
        let front = try Front()
        front.publish(dying)
        let clients = (0..<3).map { _ in Wire(port: front.port) }
        for client in clients { client.send(get) }
        for _ in clients { #expect(got.wait() == "/a") }
        try front.waitForQueue(of: 3)
        clients[1].reset()
        try front.waitForQueue(of: 2)
        front.publish(ScriptedWorker())
        for client in [clients[0], clients[2]] { #expect(client.response()?.text == "ok") }
        #expect(front.queue.waiting == 0)
        #expect(front.stop() == (0, 0))
    }

    @Test func `those in doubt count for the queue, and one more than it holds is 503`() throws {
        let got = Signal<String>()
        let dying = mute(got)
        let front = try Front(queueLength: 2)
        front.publish(dying)
        let clients = (0..<2).map { _ in Wire(port: front.port) }
        for client in clients { client.send(get) }
        for _ in clients { #expect(got.wait() == "/a") }
        try front.waitForQueue(of: 2)
        let last = Wire(port: front.port)
        last.send(get)
        #expect(last.response()?.status == 503)
        front.publish(ScriptedWorker())
        for client in clients { #expect(client.response()?.text == "ok") }
        #expect(front.stop() == (0, 0))
    }

    @Test func `a pool that stops answers those that wait and those in doubt`() throws {
        let got = Signal<String>()
        let front = try Front()
        let first = Wire(port: front.port)
        first.send(get)
        #expect(front.controlMessage(Front.workerWanted) != nil)
        front.publish(mute(got))
        #expect(got.wait() == "/a")
        try front.waitForQueue(of: 1)
        front.queue.state = .appOffline
        front.post(Forwarder.poolStoppedMessage(application: Front.application))
        #expect(first.response()?.status == 503)
        #expect(front.errorLogText.contains("503 1 AppOffline"))
        #expect(front.queue.waiting == 0)
        #expect(front.stop() == (0, 0))
    }
}
