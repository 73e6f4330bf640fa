import BerthHTTP
import Testing

@Suite("the pieces in which a request arrives do not matter")
struct RequestSplitTests {
    static let accepted: [String] = [
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "\r\n\r\nGET /a?b HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, x-y\r\nA:\r\n\r\nGET / HTTP/1.1\r\n",
        "POST http://a.b:81/p?q HTTP/1.1\r\nHost: a.b\r\nTransfer-Encoding: chunked\r\nX_Y: \u{e9}\t \r\n\r\n0\r\n\r\n",
        "OPTIONS * HTTP/1.0\r\n\r\n",
        "BREW /caf%C3%A9 HTTP/1.1\r\nHost: [::1]:80\r\nExpect: 100-continue\r\nContent-Length: 12\r\nTE: trailers\r\n\r\nhello",
        "GET /api/v1/items?id=42&sort=asc HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0)"
            + " Gecko/20100101 Firefox/128.0\r\nAccept: text/html,application/xhtml+xml\r\nAccept-Language: en-US,en;q=0.5\r\n"
            + "Accept-Encoding: gzip, deflate, br, zstd\r\nConnection: keep-alive\r\n\r\n",
    ]

    private func compare(_ input: [UInt8], limits: ParserLimits = ParserLimits()) {
        let whole = parse(input, limits: limits)
        #expect(parse(input, cuts: Array(0..<input.count), limits: limits) == whole, "octet by octet")
        for cut in 0..<input.count {
            if parse(input, cuts: [cut], limits: limits) != whole {
                Issue.record("cut at \(cut) of \(latin1(input).debugDescription)")
            }
        }
    }

    @Test("accepted requests, every cut into two", arguments: accepted)
    func acceptedRequests(text: String) {
        #expect(parse(text).outcome == .complete)
        compare(octets(text))
    }

    @Test("refused requests, every cut into two")
    func refusedRequests() {
        for request in RefusedRequest.all { compare(octets(request.text)) }
    }

    @Test("two defects: the first one counts, wherever the cuts are")
    func twoDefects() {
        let parts = [
            "Host: a/b\r\n", "Content-Length: x\r\n", "Transfer-Encoding: gzip\r\n", "A : b\r\n", "A: \u{0}\r\n",
            " f\r\n", "A: b\n",
            "Host: x\r\n", "\rx", ":\r\n",
        ]
        for first in parts {
            for second in parts {
                compare(octets("GET / HTTP/1.1\r\n" + first + second + "\r\n"), limits: ParserLimits(fieldsMax: 2))
            }
        }
    }

    @Test("mutated requests under tight limits, in random pieces (fixed seed)")
    func mutated() {
        var random = SeededRandom(seed: 0xBE27_0001)
        let limits = ParserLimits(
            requestBytesMax: 256, fieldLengthMax: 64, urlLengthMax: 64, fieldsMax: 6, methodLengthMax: 16)
        for round in 0..<6_000 {
            let input = random.mutate(octets(Self.accepted[round % Self.accepted.count]))
            let limits = round % 2 == 0 ? limits : ParserLimits()
            let whole = parse(input, limits: limits)
            let cuts = (0..<random.below(6)).map { _ in random.below(input.count + 1) }.sorted()
            if parse(input, cuts: cuts, limits: limits) != whole {
                Issue.record("seed 0xBE270001 round \(round) cuts \(cuts): \(latin1(input).debugDescription)")
            }
            if round % 10 == 0, parse(input, cuts: Array(0..<input.count), limits: limits) != whole {
                Issue.record("seed 0xBE270001 round \(round) octet by octet: \(latin1(input).debugDescription)")
            }
        }
    }

    @Test("an accepted request, encoded again and parsed again, is the same request")
    func roundTrip() {
        var random = SeededRandom(seed: 0xBE27_0002)
        var kept = 0
        for round in 0..<6_000 {
            let input = random.mutate(octets(Self.accepted[round % Self.accepted.count]))
            let request = parse(input)
            guard request.outcome == .complete else { continue }
            kept += 1
            var text = "\(request.method) \(request.target) HTTP/1.\(request.minor)\r\n"
            for field in request.fields { text += "\(field.name): \(field.value)\r\n" }
            var again = parse(text + "\r\n")
            #expect(again.headLength == text.unicodeScalars.count + 2)
            again.headLength = request.headLength
            if again != request { Issue.record("seed 0xBE270002 round \(round): \(latin1(input).debugDescription)") }
        }
        #expect(kept > 500, "the property must not hold for want of accepted requests")
    }
}
