@testable import BerthHosting
import BerthListener
import Testing

/// A loop has as many slots for connections to workers as it was given: 64 here.
@Suite struct ConnectionSlotTests {
    private static let slots = 64
    private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

    /// Answers each request when it is told to.
    private func worker(_ got: Signal<Bool>, _ go: Signal<Bool>) -> ScriptedWorker {
        ScriptedWorker(backlog: 256) { wire, _ in
            while wire.request() != nil {
                got.send(true)
                if go.wait() == nil { return }
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        }
    }

    /// As many requests as there are slots, each with a connection of its own; unused ones when they are answered.
    private func occupy(_ front: Front, _ got: Signal<Bool>) -> [Wire] {
        let clients = (0..<Self.slots).map { _ in Wire(port: front.port) }
        for client in clients {
            client.send(get)
            #expect(got.wait() == true)
        }
        return clients
    }

    @Test func `when all slots are taken, an unused connection to one worker makes room for one to another`() throws {
        let (got, go) = (Signal<Bool>(), Signal<Bool>())
        let front = try Front()
        let first = worker(got, go)
        front.publish(first)
        let clients = occupy(front, got)
        for _ in clients { go.send(true) }
        for client in clients { #expect(client.response()?.text == "ok") }
        let forwarder = front.forwarder
        #expect(front.ask { forwarder.connectionCount } == Self.slots)
        // One request holds a connection of the first worker; the next one needs one to the second.
        clients[0].send(get)
        #expect(got.wait() == true)
        let second = ScriptedWorker()
        front.publish(first, second)
        clients[1].send(get)
        #expect(clients[1].response()?.text == "ok")
        go.send(true)
        #expect(clients[0].response()?.text == "ok")
        #expect(second.connections == 1)
        #expect(front.counters.waited == 0)
        #expect(front.stop() == (0, 0))
    }
}
