import BerthHTTP
import Testing

@Suite("response heads of workers")
struct ResponseParserTests {
    /// What became of response octets.
    struct Parsed: Equatable {
        var outcome: ResponseOutcome
        var status: UInt16 = 0
        var reason = ""
        var minor: UInt8 = 0
        var length: Int64 = 0
        var headLength = 0
        var flags: UInt32 = 0
        var fields: [String] = []
    }

    private func parse(_ input: [UInt8], cuts: [Int] = [], limits: ParserLimits = ParserLimits()) -> (
        Parsed, ResponseHead
    ) {
        var head = ResponseHead()
        let slices = UnsafeMutablePointer<FieldSlice>.allocate(capacity: limits.fieldsMax)
        defer { slices.deallocate() }
        var outcome = ResponseOutcome.incomplete
        for cut in cuts + [input.count] {
            let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(cut, 1))
            defer { memory.deallocate() }
            for index in 0..<cut { memory[index] = input[index] }
            outcome = ResponseParser(limits: limits).parse(&head, memory, cut, fields: slices)
            if outcome != .incomplete { break }
        }
        var parsed = Parsed(outcome: outcome)
        guard outcome == .complete else { return (parsed, head) }
        input.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            parsed.status = head.status
            parsed.reason = latin1(input[Int(head.reasonOffset)..<Int(head.reasonOffset) + Int(head.reasonLength)])
            parsed.minor = head.versionMinor
            parsed.length = head.contentLength
            parsed.headLength = Int(head.headLength)
            parsed.flags = head.flags.rawValue
            for index in 0..<Int(head.fieldCount) {
                parsed.fields.append(
                    "\(slices[index].id) " + latin1(slices[index].name(in: start)) + "="
                        + latin1(slices[index].value(in: start)))
            }
        }
        return (parsed, head)
    }

    /// Parses whole, and checks that every cut into two and single octets give the same.
    private func parse(_ text: String, limits: ParserLimits = ParserLimits()) -> Parsed {
        let input = octets(text)
        let whole = parse(input, limits: limits).0
        #expect(parse(input, cuts: Array(0..<input.count), limits: limits).0 == whole, "octet by octet")
        for cut in 0..<input.count where parse(input, cuts: [cut], limits: limits).0 != whole {
            Issue.record("cut at \(cut) of \(text.debugDescription)")
        }
        return whole
    }

    private func head(_ text: String) -> ResponseHead {
        let (parsed, head) = parse(octets(text))
        #expect(parsed.outcome == .complete)
        return head
    }

    @Test("a plain response")
    func plain() {
        let response = parse("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-A: caf\u{e9}\r\n\r\nabc")
        #expect(response.outcome == .complete)
        #expect(response.status == 200)
        #expect(response.reason == "OK")
        #expect(response.minor == 1)
        #expect(response.length == 3)
        #expect(response.headLength == 49)
        #expect(response.fields == ["3 Content-Length=3", "0 X-A=caf\u{e9}"])
    }

    @Test("reasons may be empty, with or without their space, and hold anything but controls (RFC 9112 §4)")
    func reasons() {
        #expect(parse("HTTP/1.1 200 \r\n\r\n").reason == "")
        #expect(parse("HTTP/1.1 200\r\n\r\n").reason == "")
        #expect(parse("HTTP/1.0 299 Odd \t\u{e9} one\r\n\r\n").reason == "Odd \t\u{e9} one")
        #expect(parse("HTTP/1.1 999 x\r\n\r\n").status == 999)
        #expect(parse("HTTP/1.1 100 x\r\n\r\n").status == 100)
    }

    @Test("how the content ends (RFC 9112 §6.3)")
    func framing() {
        let cases: [(String, RequestMethod, ContentFraming)] = [
            ("200 OK\r\nContent-Length: 3\r\n", .get, .contentLength),
            ("200 OK\r\nContent-Length: 0\r\n", .get, .contentLength),
            ("200 OK\r\nTransfer-Encoding: Chunked\r\n", .get, .chunked), ("200 OK\r\n", .get, .untilClose),
            ("200 OK\r\nContent-Length: 3\r\n", .head, .none),
            ("200 OK\r\nTransfer-Encoding: chunked\r\n", .head, .none),
            ("200 OK\r\n", .head, .none), ("103 x\r\nContent-Length: 40\r\n", .get, .none), ("100 x\r\n", .post, .none),
            ("101 x\r\n", .get, .none), ("204 x\r\nContent-Length: 5\r\n", .get, .none),
            ("204 x\r\nTransfer-Encoding: chunked\r\n", .get, .none), ("304 x\r\nContent-Length: 500\r\n", .get, .none),
            ("205 x\r\n", .get, .untilClose), ("500 x\r\nContent-Length: 4\r\n", .post, .contentLength),
        ]
        for (text, method, framing) in cases {
            #expect(head("HTTP/1.1 " + text + "\r\n").framing(requestMethod: method) == framing, "\(text)")
        }
    }

    @Test("whether the connection to the worker can be used again (RFC 9112 §9.3)")
    func persistence() {
        let cases: [(String, RequestMethod, Bool)] = [
            ("1.1 200 OK\r\nContent-Length: 3\r\n", .get, true),
            ("1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", .get, true),
            ("1.1 200 OK\r\n", .get, false), ("1.1 200 OK\r\n", .head, true),
            ("1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n", .get, false),
            ("1.1 200 OK\r\nContent-Length: 3\r\nConnection: x, Close\r\n", .get, false),
            ("1.0 200 OK\r\nContent-Length: 3\r\n", .get, false),
            ("1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n", .get, true),
            ("1.0 200 OK\r\nConnection: keep-alive\r\n", .get, false),
            ("1.1 101 x\r\n", .get, false), ("1.1 304 x\r\nContent-Length: 500\r\n", .get, true),
            ("1.1 204 x\r\n", .get, true),
            ("1.1 204 x\r\nContent-Length: 0\r\n", .get, true), ("1.1 204 x\r\nContent-Length: 5\r\n", .get, false),
            ("1.1 204 x\r\nTransfer-Encoding: chunked\r\n", .get, false),
            ("1.1 103 x\r\nContent-Length: 40\r\n", .get, false),
            ("1.1 103 x\r\n", .get, true),
        ]
        for (text, method, persistent) in cases {
            #expect(head("HTTP/" + text + "\r\n").isPersistent(requestMethod: method) == persistent, "\(text)")
        }
    }

    @Test("1xx heads are interim, but 101 is final")
    func interim() {
        #expect(head("HTTP/1.1 100 Continue\r\n\r\n").isInterim)
        #expect(head("HTTP/1.1 103 x\r\n\r\n").isInterim)
        #expect(!head("HTTP/1.1 101 x\r\n\r\n").isInterim)
        #expect(!head("HTTP/1.1 200 x\r\n\r\n").isInterim)
    }

    @Test("malformed responses are refused")
    func malformed() {
        let cases: [(String, ResponseRejection)] = [
            ("HTTP/1.1 abc OK", .statusMalformed), ("HTTP/1.1 2000 OK", .statusMalformed),
            ("HTTP/1.1 -20 X", .statusMalformed),
            ("HTTP/1.1 20 OK", .statusMalformed), ("HTTP/1.1 099 OK", .statusMalformed),
            ("HTTP/1.1  200 OK", .statusMalformed),
            ("HTTP/1.1 200OK", .statusMalformed), ("HTTP/1.1 200\tOK", .statusMalformed),
            ("HTTP/3.1 200 OK", .versionNotSupported), ("HTTP/1.2 200 OK", .versionNotSupported),
            ("HTTP/0.9 200 OK", .versionNotSupported), ("HTTP/11 200 OK", .statusLineMalformed),
            ("ICY 200 OK", .statusLineMalformed), ("http/1.1 200 OK", .statusLineMalformed),
            ("\u{0}\u{1}\u{2} not http at all", .statusLineMalformed), ("HTTP/1.1\t200 OK", .statusLineMalformed),
            ("\r\nHTTP/1.1 200 OK", .statusLineMalformed), (" HTTP/1.1 200 OK", .statusLineMalformed),
            ("HTTP/1.1 200 O\u{0}K", .reasonOctet), ("HTTP/1.1 200 O\u{7f}K", .reasonOctet),
            ("HTTP/1.1 200 O\rX-Inject: 1", .bareCarriageReturn), ("HTTP/1.1 200 OK\nA: b", .bareLineFeed),
            ("HTTP/1.1 200\nA: b", .bareLineFeed), ("HTTP/1.1 200\rA: b", .bareCarriageReturn),
            ("HTTP/1.1 200 OK\r\nX A: 1", .spaceBeforeColon), ("HTTP/1.1 200 OK\r\n: 1", .fieldNameEmpty),
            ("HTTP/1.1 200 OK\r\nX\u{1}A: 1", .fieldNameNotToken), ("HTTP/1.1 200 OK\r\nA: a\u{0}b", .fieldValueOctet),
            ("HTTP/1.1 200 OK\r\nA: a\rX: 1", .bareCarriageReturn), ("HTTP/1.1 200 OK\r\nA : 1", .spaceBeforeColon),
            ("HTTP/1.1 200 OK\r\nContent-Length : 3", .spaceBeforeColon),
            ("HTTP/1.1 200 OK\r\nA: 1\r\n 2", .foldedLine),
            ("HTTP/1.1 200 OK\r\nA: 1\nB: 2", .bareLineFeed), ("HTTP/1.1 200 OK\r\nNoColon", .fieldWithoutColon),
            ("HTTP/1.1 200 OK\r\nContent-Length: abc", .contentLengthMalformed),
            ("HTTP/1.1 200 OK\r\nContent-Length: +3", .contentLengthMalformed),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3, 4", .contentLengthMalformed),
            ("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551619", .contentLengthMalformed),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3", .contentLengthRepeated),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked", .contentLengthWithTransferEncoding),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .transferEncodingRepeated),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked", .transferCodingUnknown),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: ", .transferCodingUnknown),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked", .transferEncodingInHTTP10),
        ]
        for (text, reason) in cases {
            #expect(parse(text + "\r\n\r\n").outcome == .rejected(reason), "\(text.debugDescription)")
        }
        let limits: Set<ResponseRejection> = [.fieldTooLong, .fieldsTooMany, .headTooLong]
        #expect(Set(cases.map(\.1)).union(limits) == Set(ResponseRejection.allCases), "the table is complete")
    }

    @Test("limits at n-1, n, n+1")
    func limits() {
        let limits = ParserLimits(requestBytesMax: 256, fieldLengthMax: 64, fieldsMax: 4)
        func fields(_ number: Int) -> String {
            "HTTP/1.1 200 OK\r\n" + String(repeating: "A: b\r\n", count: number) + "\r\n"
        }
        #expect(parse(fields(3), limits: limits).outcome == .complete)
        #expect(parse(fields(4), limits: limits).outcome == .complete)
        #expect(parse(fields(5), limits: limits).outcome == .rejected(.fieldsTooMany))
        func line(_ length: Int) -> String {
            "HTTP/1.1 200 OK\r\nA: " + String(repeating: "v", count: length - 3) + "\r\n\r\n"
        }
        #expect(parse(line(63), limits: limits).outcome == .complete)
        #expect(parse(line(64), limits: limits).outcome == .complete)
        #expect(parse(line(65), limits: limits).outcome == .rejected(.fieldTooLong))
        func reason(_ length: Int) -> String {
            "HTTP/1.1 200 " + String(repeating: "r", count: length - 13) + "\r\n\r\n"
        }
        #expect(parse(reason(63), limits: limits).outcome == .complete)
        #expect(parse(reason(64), limits: limits).outcome == .complete)
        #expect(parse(reason(65), limits: limits).outcome == .rejected(.fieldTooLong))
        let wide = ParserLimits(requestBytesMax: 256, fieldLengthMax: 256)
        func head(_ length: Int) -> String {
            "HTTP/1.1 200 OK\r\nA: " + String(repeating: "v", count: length - 24) + "\r\n\r\n"
        }
        #expect(parse(head(255), limits: wide).outcome == .complete)
        #expect(parse(head(256), limits: wide).outcome == .complete)
        #expect(parse(head(257), limits: wide).outcome == .rejected(.headTooLong))
    }

    @Test("each reason has its words and its source", arguments: ResponseRejection.allCases)
    func texts(reason: ResponseRejection) {
        #expect(!"\(reason.detail)".isEmpty)
        #expect("\(reason.section)".hasPrefix("RFC 91"))
    }

    @Test("mutated responses: random pieces give what the whole gives (fixed seed)")
    func mutated() {
        var random = SeededRandom(seed: 0xBE27_0005)
        let seeds = [
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive, x\r\nX_A: caf\u{e9}\r\n\r\nabc",
            "HTTP/1.0 404 \r\nTransfer-Encoding: chunked\r\nTrailer: A\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 100\r\n\r\n",
        ]
        let tight = ParserLimits(requestBytesMax: 256, fieldLengthMax: 64, fieldsMax: 4)
        for round in 0..<6_000 {
            let input = random.mutate(octets(seeds[round % seeds.count]))
            let limits = round % 2 == 0 ? tight : ParserLimits()
            let cuts = (0..<random.below(6)).map { _ in random.below(input.count + 1) }.sorted()
            if parse(input, cuts: cuts, limits: limits).0 != parse(input, limits: limits).0 {
                Issue.record("seed 0xBE270005 round \(round) cuts \(cuts): \(latin1(input).debugDescription)")
            }
        }
    }
}
