import Testing

@testable import BerthListener

/// The kernel tells of an edge-triggered connection once. What it would not tell again must have been read, or asked for anew.
@Suite("connections that the kernel tells of once")
struct EdgeTriggeringTests {
    private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n" }

    private func isLevelTriggered(_ front: TwoLoops) -> Bool {
        let state = front.listeners[0].state
        return state.pointee.connections.pointer(at: 0).pointee.flags.contains(.levelTriggered)
    }

    @Test("a connection that carries nothing but heads stays one, whole or in pieces")
    func heads() throws {
        let front = try TwoLoops()
        for number in 0..<3 {
            front.send(get("/\(number)"))
            #expect(front.answers(1) == ["0 /\(number)"])
        }
        front.send("GET /piece HTTP/1.1\r\nHo")
        #expect(front.run { front.listeners[0].counters.octetsReceived > 3 * get("/0").utf8.count })
        front.send("st: h\r\n\r\n" + get("/behind"))
        #expect(front.answers(2) == ["0 /piece", "0 /behind"])
        #expect(!isLevelTriggered(front))
    }

    @Test("more requests than a read has room for are all answered")
    func fullRead() throws {
        let front = try TwoLoops()
        #expect(front.run { front.listeners[0].connectionCount == 1 })
        let count = 2 * Listener.inputBlockSize(ListenerLimits().parser) / get("/0000").utf8.count
        front.send((0..<count).map { get("/\(1000 + $0)") }.joined())
        let areInOrder = front.answers(count) == (0..<count).map { "0 /\(1000 + $0)" }
        #expect(areInOrder)
        #expect(isLevelTriggered(front))
        front.send(get("/after"))
        #expect(front.answers(1) == ["0 /after"])
    }

    @Test("the end of the client's side that came with its request is seen")
    func halfClosed() throws {
        let front = try TwoLoops()
        #expect(front.run { front.listeners[0].connectionCount == 1 })
        front.send(get("/a"))
        front.finish()
        #expect(front.answers(1) == ["0 /a"])
        #expect(front.run { front.listeners[0].connectionCount == 0 })
    }

    @Test("a request that came while another was running is answered after it")
    func whileRunning() throws {
        let front = try TwoLoops()
        var held: UnsafeMutablePointer<Request>?
        front.answer = { _, request in
            if held != nil { return false }
            held = request
            front.listeners[0].watch(request)
            return true
        }
        front.send(get("/a"))
        #expect(front.run { held != nil })
        front.send(get("/b"))
        #expect(front.run { isLevelTriggered(front) })
        front.respond(0, try #require(held))
        #expect(front.answers(2) == ["0 /a", "0 /b"])
        front.answer = { _, _ in false }
    }

    @Test("a head behind content that was read to its end, and no further, is read", arguments: [false, true])
    func behindContent(_ isToldOf: Bool) throws {
        let front = try TwoLoops()
        var running: UnsafeMutablePointer<Request>?
        front.answer = { _, request in
            guard request.pointee.head.method == .post else { return false }
            running = request
            return true
        }
        front.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n")
        #expect(front.run { running != nil })
        let request = try #require(running)
        let listener = front.listeners[0]
        listener.watch(request)
        if isToldOf {
            let isWaiting = if case .wait = listener.content(of: request) { true } else { false }
            #expect(isWaiting)
        }
        front.send("hello" + get("/b"))
        if isToldOf {
            var isResumed = false
            front.resumed = { _ in isResumed = true }
            #expect(front.run { isResumed })
        }
        var content = [UInt8](repeating: 0, count: 5)
        #expect(listener.receiveContent(request, into: &content, content.count) == 5)
        #expect(content == Array("hello".utf8))
        front.respond(0, request)
        #expect(front.answers(2) == ["0 /a", "0 /b"])
        front.answer = { _, _ in false }
    }
}
