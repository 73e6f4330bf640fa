@testable import BerthHosting
import BerthListener
import Testing

/// Whatever requests a client sends over one connection, however they are framed and cut into pieces: the worker gets these
/// requests and no other, in their order.
@Suite struct ForwardedStreamTests {
    /// SplitMix64: the same requests for the same seed.
    private struct Chance {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }

        mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
        mutating func one(of words: [String]) -> String { words[below(words.count)] }
    }

    /// A request as it is sent, and what the worker is to get of it.
    private struct Sent: Equatable {
        var octets: [UInt8] = []
        var startLine = ""
        var fields: [String] = []
        var content: [UInt8] = []
    }

    private func request(_ chance: inout Chance, number: Int) -> Sent {
        var sent = Sent()
        let method = chance.one(of: ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "X-any"])
        let path = "/\(number)" + chance.one(of: ["", "/", "/a%2Fb", "/%20", "/a;b=c,d@e", "//x", "/a%252e"])
        let query = chance.one(of: ["", "?", "?a=b&c=%2e%2e/", "?GET%20/x"])
        sent.startLine = "\(method) \(path)\(query) HTTP/1.1"
        var head = chance.one(of: ["", "", "\r\n"])
        head += chance.one(of: ["\(method) \(path)\(query)", "\(method) http://x\(path)\(query)"]) + " HTTP/1.1\r\n"
        var lines = ["Host: x"]
        for index in 0..<chance.below(6) {
            let value = chance.one(of: ["", "1", "a: b, GET / HTTP/1.1", "\"q\\\"\"", "Content-Length: 5", "x\t y"])
            lines.append("X-\(index): \(value)")
        }
        sent.fields = Array(lines.dropFirst())
        // What belongs to this connection only.
        if chance.below(2) == 0 { lines.insert("X-Hop: 1", at: chance.below(lines.count)) }
        lines.append(
            chance.one(of: ["Connection: x-hop", "Connection: keep-alive ,,X-HOP", "TE: x\r\nConnection: x-hop"]))
        if chance.below(4) == 0 { lines.append("X_Under: 1") }
        let length = [0, 1, 7, 300, 5_000, 70_000][chance.below(6)]
        sent.content = (0..<length).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
        if chance.below(2) == 0 {
            lines.insert(chance.one(of: ["Content-Length: \(length)", "content-length:  00\(length) "]), at: 1)
            sent.octets = Array((head + lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + sent.content
        } else {
            lines.append("Transfer-Encoding: " + chance.one(of: ["chunked", "Chunked"]))
            sent.octets = Array((head + lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
            var start = 0
            while start < length {
                let end = min(length, start + 1 + chance.below(1 << chance.below(16)))
                let size = String(end - start, radix: 16)
                let line = chance.one(of: [size, "000" + size, size + ";a=\"b\"", size.uppercased()])
                sent.octets += Array((line + "\r\n").utf8) + sent.content[start..<end] + Array("\r\n".utf8)
                start = end
            }
            sent.octets += Array(chance.one(of: ["0\r\n\r\n", "000;x\r\nHost: y\r\nContent-Length: 9\r\n\r\n"]).utf8)
        }
        return sent
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func `one accepted request is one forwarded request`(_ seed: UInt64) throws {
        var chance = Chance(state: seed)
        let requests = (0..<25).map { request(&chance, number: $0) }
        let received = Signal<HTTPText>()
        let worker = ScriptedWorker(unix: seed % 2 == 0) { wire, _ in
            while let request = wire.request() {
                received.send(request)
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        }
        let front = try Front()
        front.publish(worker)
        let client = Wire(port: front.port)
        let octets = Array(requests.map(\.octets).joined())
        var pieces: [[UInt8]] = []
        var start = 0
        while start < octets.count {
            let end = min(octets.count, start + 1 + chance.below(1 << chance.below(17)))
            pieces.append(Array(octets[start..<end]))
            start = end
        }
        // On a thread of its own: the answers are to be read meanwhile.
        ScriptedWorker.onThread { [pieces] in
            for piece in pieces { client.send(piece) }
        }
        for (number, sent) in requests.enumerated() {
            let place = "seed \(seed), request \(number)"
            let request = try #require(received.wait(), "\(place) did not arrive")
            #expect(request.startLine == sent.startLine, "\(place)")
            let kept = request.fields.filter { $0.name.hasPrefix("X-") && !$0.name.hasPrefix("X-Forwarded") }
            #expect(kept.map { "\($0.name): \($0.value)" } == sent.fields, "\(place)")
            #expect(request.values("Host") == ["x"], "\(place)")
            #expect(request.values("Connection") + request.values("TE") + request.values("X_Under") == [], "\(place)")
            #expect(request.isComplete && request.content == sent.content, "\(place)")
            #expect(client.response()?.text == "ok", "\(place)")
        }
        client.close()
        #expect(front.stop() == (0, 0))
    }
}
