import Testing

@testable import BerthListener

@Suite("connections that change their loop")
struct DetachingTests {
    /// A request with a Host.
    func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n" }

    /// Hands over the connection of every request for `path` that the first loop reads.
    func handOver(_ path: String, _ front: TwoLoops) {
        let listeners = front.listeners
        front.answer = { loop, request in
            let octets = UnsafeBufferPointer(start: request.pointee.path.start, count: request.pointee.path.length)
            guard loop == 0, octets.elementsEqual(path.utf8), let detached = listeners[0].detach(request) else {
                return false
            }
            listeners[1].attach(detached)
            return true
        }
    }

    @Test("the first request goes to the other loop with its connection, and so do those behind it")
    func first() throws {
        let front = try TwoLoops()
        handOver("/b", front)
        front.send(get("/b"))
        #expect(front.answers(1) == ["1 /b"])
        #expect(front.listeners.map(\.connectionCount) == [0, 1])
        front.send(get("/c"))
        #expect(front.answers(1) == ["1 /c"])
        #expect(front.listeners[1].counters.requests == 2)
    }

    @Test("what was read behind the request moves along, a part of a head too")
    func unread() throws {
        let front = try TwoLoops()
        handOver("/b", front)
        let last = get("/d")
        front.send(get("/b") + get("/c") + last.prefix(20))
        #expect(front.answers(2) == ["1 /b", "1 /c"])
        front.send(String(last.dropFirst(20)))
        #expect(front.answers(1) == ["1 /d"])
    }

    @Test("a connection is counted once, wherever it is, and not any more when it is given up")
    func counts() throws {
        let front = try TwoLoops()
        var held: [DetachedConnection] = []
        let listeners = front.listeners
        front.answer = { loop, request in
            guard loop == 0, let detached = listeners[0].detach(request) else { return false }
            held.append(detached)
            return true
        }
        front.send(get("/a"))
        #expect(front.run { held.count == 1 })
        let detached = try #require(held.first)
        #expect(front.daemon.connections == 1)
        #expect(front.site.connections == 0)
        #expect(detached.unread == Array(get("/a").utf8))
        listeners[1].attach(detached)
        #expect(front.answers(1) == ["1 /a"])
        #expect(front.daemon.connections == 1)
        #expect(front.site.connections == 1)

        let idle = listeners[1].detachIdleConnections()
        #expect(idle.count == 1)
        #expect(idle[0].requestCount == 1)
        #expect(front.daemon.connections == 1)
        listeners[0].giveUp(idle[0])
        #expect(front.daemon.connections == 0)
        #expect(listeners.map(\.connectionCount) == [0, 0])
    }

    @Test("while an earlier answer is unsent, and when the client has ended its side, a connection stays")
    func stays() throws {
        let front = try TwoLoops()
        handOver("/b", front)
        // Answered with one write: when the second is read, the answer to the first is not on its way yet.
        front.send(get("/a") + get("/b"))
        #expect(front.answers(2) == ["0 /a", "0 /b"])
        front.send(get("/b"))
        #expect(front.answers(1) == ["1 /b"])
    }

    @Test("an idle connection, and one with a part of a head, are served where they come to")
    func idle() throws {
        let front = try TwoLoops()
        front.send(get("/a") + "GET /b HT")
        #expect(front.answers(1) == ["0 /a"])
        let detached = front.listeners[0].detachIdleConnections()
        #expect(detached.map(\.unread) == [Array("GET /b HT".utf8)])
        for connection in detached { front.listeners[1].attach(connection) }
        front.send("TP/1.1\r\nHost: h\r\n\r\n")
        #expect(front.answers(1) == ["1 /b"])
    }
}
