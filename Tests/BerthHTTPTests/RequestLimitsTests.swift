import BerthHTTP
import Testing

@Suite("limits of request heads, each at n-1, n and n+1")
struct RequestLimitsTests {
    private func outcome(_ text: String, _ limits: ParserLimits) -> ParseOutcome {
        let whole = parse(text, limits: limits).outcome
        let count = text.unicodeScalars.count
        #expect(parse(octets(text), cuts: Array(0..<count), limits: limits).outcome == whole, "octet by octet")
        return whole
    }

    @Test("the whole head, MaxRequestBytes")
    func requestBytes() {
        let limits = ParserLimits(requestBytesMax: 256, fieldLengthMax: 200)
        func head(_ length: Int) -> String {
            let rest = "GET / HTTP/1.1\r\nHost: x\r\nA: \r\nB: \r\n\r\n"
            let fill = length - rest.utf8.count
            return "GET / HTTP/1.1\r\nHost: x\r\nA: " + String(repeating: "a", count: fill / 2) + "\r\nB: "
                + String(repeating: "b", count: fill - fill / 2) + "\r\n\r\n"
        }
        #expect(outcome(head(255), limits) == .complete)
        #expect(outcome(head(256), limits) == .complete)
        #expect(outcome(head(256) + "content", limits) == .complete)
        #expect(outcome(head(257), limits) == .rejected(.headTooLong))
        #expect(outcome(head(280), limits) == .rejected(.headTooLong))
        // Empty lines before the request count too.
        #expect(outcome("\r\n" + head(254), limits) == .complete)
        #expect(outcome("\r\n" + head(255), limits) == .rejected(.headTooLong))
    }

    @Test("a head of exactly the limit without its end is refused at once, not waited for")
    func requestBytesEarly() {
        let limits = ParserLimits(requestBytesMax: 256, fieldLengthMax: 256)
        let start = "GET / HTTP/1.1\r\nHost: x\r\nA: "
        #expect(outcome(start + String(repeating: "a", count: 255 - start.utf8.count), limits) == .incomplete)
        #expect(
            outcome(start + String(repeating: "a", count: 256 - start.utf8.count), limits) == .rejected(.headTooLong))
    }

    @Test("one field line, MaxFieldLength")
    func fieldLength() {
        let limits = ParserLimits(requestBytesMax: 1024, fieldLengthMax: 64)
        func request(_ length: Int, _ octet: String = "v", tail: String = "") -> String {
            "GET / HTTP/1.1\r\nHost: x\r\nA: " + String(repeating: octet, count: length - 3 - tail.utf8.count) + tail
                + "\r\n\r\n"
        }
        for octet in ["v", "\u{e9}", "\t", " "] {
            #expect(outcome(request(63, octet), limits) == .complete)
            #expect(outcome(request(64, octet), limits) == .complete)
            #expect(outcome(request(65, octet), limits) == .rejected(.fieldTooLong))
        }
        // What lies beyond the limit does not matter any more.
        #expect(outcome(request(80, tail: "\u{1}"), limits) == .rejected(.fieldTooLong))
        func named(_ length: Int, _ octet: String) -> String {
            "GET / HTTP/1.1\r\nHost: x\r\n" + String(repeating: octet, count: length - 1) + ":\r\n\r\n"
        }
        for octet in ["n", "_"] {
            #expect(outcome(named(63, octet), limits) == .complete)
            #expect(outcome(named(64, octet), limits) == .complete)
            #expect(outcome(named(65, octet), limits) == .rejected(.fieldTooLong))
            #expect(outcome(named(66, octet), limits) == .rejected(.fieldTooLong))
        }
    }

    @Test("the target, MaxFieldLength as well")
    func target() {
        let limits = ParserLimits(requestBytesMax: 1024, urlLengthMax: 64)
        func request(_ path: Int, _ query: Int) -> String {
            "GET /" + String(repeating: "p", count: path - 1) + (query > 0 ? "?" : "")
                + String(repeating: "q", count: max(query - 1, 0)) + " HTTP/1.1\r\nHost: x\r\n\r\n"
        }
        #expect(outcome(request(63, 0), limits) == .complete)
        #expect(outcome(request(64, 0), limits) == .complete)
        #expect(outcome(request(65, 0), limits) == .rejected(.targetTooLong))
        #expect(outcome(request(32, 32), limits) == .complete)
        #expect(outcome(request(32, 33), limits) == .rejected(.targetTooLong))
    }

    @Test("a request line that fills the whole head limit is a URL too long")
    func requestLine() {
        let limits = ParserLimits(requestBytesMax: 256, fieldLengthMax: 64)
        #expect(outcome("GET /" + String(repeating: "p", count: 300), limits) == .rejected(.targetTooLong))
        #expect(outcome("GET /" + String(repeating: "p", count: 250), limits) == .incomplete)
        #expect(outcome("GET /" + String(repeating: "p", count: 251), limits) == .rejected(.targetTooLong))
    }

    @Test("the method")
    func method() {
        let limits = ParserLimits(methodLengthMax: 16)
        func request(_ length: Int) -> String {
            String(repeating: "M", count: length) + " / HTTP/1.1\r\nHost: x\r\n\r\n"
        }
        #expect(outcome(request(15), limits) == .complete)
        #expect(outcome(request(16), limits) == .complete)
        #expect(outcome(request(17), limits) == .rejected(.methodTooLong))
        #expect(outcome(String(repeating: "M", count: 17), limits) == .rejected(.methodTooLong))
        #expect(outcome(String(repeating: "M", count: 17) + "\u{0}", limits) == .rejected(.methodTooLong))
        #expect(outcome(String(repeating: "M", count: 16), limits) == .incomplete)
    }

    @Test("the number of fields")
    func fields() {
        let limits = ParserLimits(fieldsMax: 5)
        func request(_ number: Int, end: String = "\r\n") -> String {
            "GET / HTTP/1.1\r\nHost: x\r\n" + String(repeating: "A: b\r\n", count: number - 1) + end
        }
        #expect(outcome(request(4), limits) == .complete)
        #expect(outcome(request(5), limits) == .complete)
        #expect(outcome(request(6), limits) == .rejected(.fieldsTooMany))
        #expect(outcome(request(5, end: "A"), limits) == .rejected(.fieldsTooMany))
        #expect(outcome(request(5, end: "\u{0}"), limits) == .rejected(.fieldsTooMany))
        #expect(outcome(request(5, end: "\r"), limits) == .incomplete)
        #expect(outcome(request(5, end: "\rx"), limits) == .rejected(.bareCarriageReturn))
    }

    @Test("limits outside their range are moved into it")
    func ranges() {
        let low = ParserLimits(
            requestBytesMax: 0, fieldLengthMax: 0, urlLengthMax: -1, fieldsMax: 0, methodLengthMax: 0)
        #expect(low.requestBytesMax == 256)
        #expect(low.fieldLengthMax == 64)
        #expect(low.urlLengthMax == 64)
        #expect(low.fieldsMax == 1)
        #expect(low.methodLengthMax == 16)
        let high = ParserLimits(
            requestBytesMax: .max, fieldLengthMax: .max, urlLengthMax: .max, fieldsMax: .max, methodLengthMax: .max)
        #expect(high.requestBytesMax == 16_777_216)
        #expect(high.fieldLengthMax == 65_534)
        #expect(high.urlLengthMax == 65_534)
        #expect(high.fieldsMax == 65_535)
        #expect(high.methodLengthMax == 255)
        #expect(
            ParserLimits(requestBytesMax: 300, fieldLengthMax: 500).requestBytesMax == 500, "adjusted, as HTTP.sys does"
        )
    }

    @Test("a value of the greatest length keeps its length")
    func widest() {
        let limits = ParserLimits(requestBytesMax: 200_000, fieldLengthMax: 65_534, urlLengthMax: 65_534)
        let value = String(repeating: "v", count: 65_534 - 2)
        let path = "/" + String(repeating: "p", count: 65_533)
        let request = parse("GET \(path) HTTP/1.1\r\nHost: x\r\nA:\(value)\r\n\r\n", limits: limits)
        #expect(request.outcome == .complete)
        #expect(request.path == path)
        #expect(request.value("A") == value)
    }
}
