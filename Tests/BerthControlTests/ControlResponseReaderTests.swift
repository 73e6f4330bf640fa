import BerthControl
import Testing

@Suite("reading a response")
struct ControlResponseReaderTests {
    /// What came of a response: its status and content, `nil` content when it was not complete.
    private struct Outcome: Equatable {
        var status: Int?
        var content: String?
    }

    private func read(_ text: String, pieceSize: Int) throws(ControlResponseReader.Fault) -> Outcome {
        var reader = ControlResponseReader()
        var content: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            content += try reader.read(rest.prefix(pieceSize))
            rest = rest.dropFirst(pieceSize)
        }
        let isComplete = reader.end()
        return Outcome(
            status: reader.head?.status, content: isComplete ? String(decoding: content, as: UTF8.self) : nil)
    }

    @Test(
        "a response is read whole, in pairs and octet by octet, with the same outcome",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""),
            ("HTTP/1.1 200\r\ncontent-length:  2 \r\n\r\nab", 200, "ab"),
            ("HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, "until the end"),
            ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n", 200,
                "hello!"
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n000\r\nT: v\r\n\r\n", 200,
                "0123456789"
            ),
            ("HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx", 404, "x"),
        ])
    func wellFormed(text: String, status: Int, content: String) throws {
        for size in [text.utf8.count, 2, 1] {
            #expect(try read(text, pieceSize: size) == Outcome(status: status, content: content))
        }
    }

    @Test(
        "a response that ends too early is not complete",
        arguments: [
            "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "HTTP/1.1 100 Continue\r\n\r\n",
        ])
    func incomplete(text: String) throws {
        #expect(try read(text, pieceSize: 1).content == nil)
    }

    /// Reported by number: test reports cannot hold some of their octets.
    private static let malformedResponses = [
        "SSH-2.0-OpenSSH_9.2\r\n", "<html>", "HTTP/2 200\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 X\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 +20 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\r\n folded: x\r\n: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\u{0}c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\nB: c\rd\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    ]

    @Test("a response that deviates from RFC 9112 is refused", arguments: malformedResponses.indices)
    func malformed(number: Int) {
        let text = Self.malformedResponses[number]
        for size in [text.utf8.count, 1] {
            #expect(throws: ControlResponseReader.Fault.self) { try read(text, pieceSize: size) }
        }
    }

    @Test("a response head may have as many octets as the limit, and not one more")
    func headLimit() throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nPad: \r\n\r\n"
        let padding = String(repeating: "x", count: ControlResponseReader.headSizeMax - head.utf8.count)
        #expect(try read(head.replacing("Pad: ", with: "Pad: " + padding), pieceSize: 4096).status == 200)
        #expect(throws: ControlResponseReader.Fault.self) {
            try read(head.replacing("Pad: ", with: "Pad: x" + padding), pieceSize: 4096)
        }
    }

    @Test("as many interim responses are passed over as the limit, and not one more")
    func interimLimit() throws {
        let interim = String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: ControlResponseReader.interimMax)
        let final = "HTTP/1.1 204 No Content\r\n\r\n"
        #expect(try read(interim + final, pieceSize: 7).status == 204)
        #expect(throws: ControlResponseReader.Fault.self) {
            try read("HTTP/1.1 100 Continue\r\n\r\n" + interim + final, pieceSize: 7)
        }
    }

    @Test("chunk extensions may have 16 384 octets, and not one more")
    func extensionLimit() throws {
        let start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1"
        let end = "\r\nx\r\n0\r\n\r\n"
        let longest = ";" + String(repeating: "x", count: 16_383)
        #expect(try read(start + longest + end, pieceSize: 4096).content == "x")
        #expect(throws: ControlResponseReader.Fault.self) { try read(start + longest + "x" + end, pieceSize: 4096) }
    }

    @Test("no damage to a response, octet by octet, makes the reader trap or take it for longer than it is")
    func damaged() {
        var seed: UInt64 = 0x9E37_79B9_7F4A_7C15
        func random(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        let whole = [
            "HTTP/1.1 200 OK\r\nContent-Type: a/b; c\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n1\r\n!\r\n0\r\nT: v\r\n\r\n",
            "HTTP/1.1 103 Early\r\n\r\nHTTP/1.0 200 OK\r\n\r\nuntil the end",
        ]
        for round in 0..<3000 {
            var octets = Array(whole[round % whole.count].utf8)
            for _ in 0...random(3) {
                let place = random(octets.count)
                switch random(3) {
                case 0: octets[place] = UInt8(random(256))
                case 1: octets.insert(octets[random(octets.count)], at: place)
                default: octets.remove(at: place)
                }
            }
            var reader = ControlResponseReader()
            var content = 0
            var rest = octets[...]
            while !rest.isEmpty {
                let piece = rest.prefix(1 + random(20))
                guard let read = try? reader.read(piece) else { break }
                content += read.count
                rest = rest.dropFirst(piece.count)
            }
            #expect(content < octets.count)
        }
    }
}
