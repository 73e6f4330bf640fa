import Glibc
import Testing

@testable import BerthListener

@Suite("a listener that stops")
struct StoppingTests {
    private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n" }

    /// What the client gets until its connection ends.
    private func allReceived(_ front: TwoLoops) -> String {
        var got = ""
        _ = front.run {
            got += front.received()
            return front.listeners[0].connectionCount == 0
        }
        return got + front.received()
    }

    /// Whether it is an answer to `/a` that says that it is the last one.
    private func isLast(_ response: String) -> Bool {
        response.contains("Connection: close\r\n") && response.hasSuffix("0 /a;\r\n")
    }

    @Test("a connection without a request is waited for as long as a lost packet takes, counted from its acceptance")
    func firstRequest() throws {
        let front = try ManualFront(ListenerLimits())
        front.pass(milliseconds: 0)
        #expect(front.isOpen)
        front.pass(milliseconds: 400)
        front.stopAccepting()
        front.pass(milliseconds: 599)
        #expect(front.isOpen)
        front.pass(milliseconds: 20)
        #expect(!front.isOpen)
    }

    @Test("a connection that has been silent for longer does not hold the end up")
    func silent() throws {
        let front = try ManualFront(ListenerLimits())
        front.pass(milliseconds: 0)
        front.pass(milliseconds: 1000)
        #expect(front.isOpen)
        front.stopAccepting()
        #expect(!front.isOpen)
    }

    @Test("its first request is answered, and the answer is the last one")
    func firstRequestIsAnswered() throws {
        let front = try TwoLoops()
        #expect(front.run { front.listeners[0].connectionCount == 1 })
        front.send(get("/a"))
        front.listeners[0].stopAccepting()
        #expect(isLast(allReceived(front)))
    }

    @Test("who waits in the backlog of a socket of ours is answered; one that somebody else holds too is left to him")
    func backlog() throws {
        for isInherited in [false, true] {
            let front = try TwoLoops(isInherited: isInherited)
            front.sources.limit = 8
            #expect(front.run { front.listeners[0].connectionCount == 1 })
            let late = try LoopbackClient.connect(to: front.port)
            defer { close(late) }
            let octets = Array(get("/late").utf8)
            _ = send(late, octets, octets.count, Int32(MSG_NOSIGNAL))
            front.listeners[0].stopAccepting()
            var room = [UInt8](repeating: 0, count: 4096)
            var got = ""
            let isAnswered = front.run {
                let length = recv(late, &room, room.count, Int32(MSG_DONTWAIT))
                if length > 0 { got += String(decoding: room[0..<length], as: UTF8.self) }
                return got.hasSuffix("0 /late;\r\n") || isInherited
            }
            #expect(isAnswered, "\(got)")
            #expect(got.contains("Connection: close\r\n") == !isInherited)
        }
    }

    @Test("a request that has arrived on a connection kept alive is answered; without one the connection ends")
    func arrived() throws {
        let front = try TwoLoops()
        front.send(get("/a"))
        #expect(front.answers(1) == ["0 /a"])
        front.send(get("/b"))
        front.listeners[0].stopAccepting()
        #expect(front.answers(1) == ["0 /b"])
        #expect(front.run { front.listeners[0].connectionCount == 0 })

        let other = try TwoLoops()
        other.send(get("/a"))
        #expect(other.answers(1) == ["0 /a"])
        other.listeners[0].stopAccepting()
        #expect(other.listeners[0].connectionCount == 0)
    }

    @Test("a part of a head that has arrived is waited for")
    func partOfHead() throws {
        let front = try TwoLoops()
        front.send(get("/a"))
        #expect(front.answers(1) == ["0 /a"])
        front.send("GET /b HT")
        front.listeners[0].stopAccepting()
        #expect(front.listeners[0].connectionCount == 1)
        front.send("TP/1.1\r\nHost: h\r\n\r\n")
        #expect(front.answers(1) == ["0 /b"])
    }

    @Test("a connection that another loop accepted is served, be it new or not")
    func handedOver() throws {
        let front = try TwoLoops(isInherited: true)
        front.listeners[1].stopAccepting()
        front.answer = { loop, request in
            guard loop == 0, let detached = front.listeners[0].detach(request) else { return false }
            front.listeners[1].attach(detached)
            return true
        }
        front.send(get("/a"))
        #expect(front.answers(1) == ["1 /a"])
        #expect(front.listeners.map(\.connectionCount) == [0, 0])
        front.answer = { _, _ in false }

        let other = try TwoLoops(isInherited: true)
        other.listeners[1].stopAccepting()
        #expect(other.run { other.listeners[0].connectionCount == 1 })
        let idle = try #require(other.listeners[0].detachIdleConnections().first)
        other.send(get("/a"))
        other.listeners[1].attach(idle)
        #expect(other.answers(1) == ["1 /a"])
    }

    @Test("a running request whose answer has not begun says that it is the last one")
    func running() throws {
        let front = try TwoLoops()
        var held: UnsafeMutablePointer<Request>?
        front.answer = { _, request in
            held = request
            return true
        }
        front.send(get("/a"))
        #expect(front.run { held != nil })
        front.listeners[0].stopAccepting()
        #expect(front.listeners[0].connectionCount == 1)
        front.respond(0, try #require(held))
        #expect(isLast(allReceived(front)))
    }
}
