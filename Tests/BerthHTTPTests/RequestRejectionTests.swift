import BerthHTTP
import Testing

/// A request that has to be refused, and why.
struct RefusedRequest: CustomTestStringConvertible {
    var text: String
    var reason: RequestRejection

    init(_ text: String, _ reason: RequestRejection) {
        self.text = text
        self.reason = reason
    }

    var testDescription: String { "\(reason) \(text.prefix(40).debugDescription)" }

    private static let host = "Host: x\r\n"

    private static func line(_ line: String, _ reason: RequestRejection) -> RefusedRequest {
        RefusedRequest(line + "\r\nHost: x\r\n\r\n", reason)
    }

    private static func field(_ field: String, _ reason: RequestRejection) -> RefusedRequest {
        RefusedRequest("GET / HTTP/1.1\r\nHost: x\r\n" + field + "\r\n\r\n", reason)
    }

    private static func post(_ fields: String, _ reason: RequestRejection, version: String = "1.1") -> RefusedRequest {
        RefusedRequest("POST / HTTP/\(version)\r\nHost: x\r\n" + fields + "\r\n\r\n", reason)
    }

    static let all: [RefusedRequest] = requestLines + fieldLines + hosts + framing

    static let requestLines: [RefusedRequest] = [
        line("\"GET\" / HTTP/1.1", .methodNotToken), line("@GET / HTTP/1.1", .methodNotToken),
        line("G\u{0}ET / HTTP/1.1", .methodNotToken), line("GET\u{e9} / HTTP/1.1", .methodNotToken),
        line(" GET / HTTP/1.1", .methodNotToken), line("GET\t/ HTTP/1.1", .methodNotToken),
        line("GET\u{b}/ HTTP/1.1", .methodNotToken), line("GET\u{a0}/ HTTP/1.1", .methodNotToken),
        line("\u{0}GET / HTTP/1.1", .methodNotToken), line("\u{ef}\u{bb}\u{bf}GET / HTTP/1.1", .methodNotToken),
        line("get / HTTP/1.1", .methodLetterCase), line("Get / HTTP/1.1", .methodLetterCase),
        line("propFIND / HTTP/1.1", .methodLetterCase),
        line("TRACE / HTTP/1.1", .methodNotServed),
        line("CONNECT 127.0.0.1:22 HTTP/1.1", .connectNotServed), line("CONNECT /x HTTP/1.1", .connectNotServed),
        line("GET", .requestLineMalformed), line("GET HTTP/1.1", .requestLineMalformed),
        line("GET  / HTTP/1.1", .requestLineMalformed), line("GET /", .requestLineMalformed),
        line("GET / HTTP/1.1 x", .requestLineMalformed), line("GET / HTTP/1.1 ", .requestLineMalformed),
        line("GET / HTTP/1.1 /y HTTP/1.1", .requestLineMalformed),
        line("\r\n\r\n\r\nGET / HTTP/1.1", .requestLineMalformed),
        line("GET /  HTTP/1.1", .versionMalformed), line("GET /a b HTTP/1.1", .versionMalformed),
        line("GET / http/1.1", .versionMalformed), line("GET / HTTP /1.1", .versionMalformed),
        line("GET / HTTP/10.1", .versionMalformed), line("GET / HTTP/1.10", .requestLineMalformed),
        line("GET / HTTP/01.1", .versionMalformed), line("GET / HTTP/1,1", .versionMalformed),
        line("GET / HTTP/.1", .versionMalformed), line("GET / HTTP/1.1.1", .requestLineMalformed),
        line("GET / HTTP/-1.1", .versionMalformed), line("GET / RTSP/1.0", .versionMalformed),
        line("GET / HTTP/4294967297.1", .versionMalformed), line("GET / HTTP/1.\u{ef}\u{bc}\u{91}", .versionMalformed),
        line("PROXY TCP4 192.0.2.7 192.0.2.8 1 2", .targetForm),
        line("GET / HTTP/2.0", .versionNotSupported), line("GET / HTTP/9.9", .versionNotSupported),
        line("GET / HTTP/0.9", .versionNotSupported), line("GET / HTTP/1.2", .versionNotSupported),
        RefusedRequest("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .versionNotSupported),
        line("GET /\u{1}x HTTP/1.1", .targetOctet), line("GET /\u{0}x HTTP/1.1", .targetOctet),
        line("GET /\u{7f}x HTTP/1.1", .targetOctet), line("GET /a\tb HTTP/1.1", .targetOctet),
        line("GET /\u{e9} HTTP/1.1", .targetOctet), line("GET /?\u{80} HTTP/1.1", .targetOctet),
        line("GET /x#frag HTTP/1.1", .targetFragment), line("GET /?x#frag HTTP/1.1", .targetFragment),
        line("GET x/y HTTP/1.1", .targetForm), line("GET ../../etc/passwd HTTP/1.1", .targetForm),
        line("GET \\x HTTP/1.1", .targetForm), line("GET x:80 HTTP/1.1", .targetForm),
        line("GET ftp://x/ HTTP/1.1", .targetForm), line("GET http:/x HTTP/1.1", .targetForm),
        line("GET ?x HTTP/1.1", .targetForm), line("OPTIONS *x HTTP/1.1", .targetForm),
        line("GET * HTTP/1.1", .asteriskForm), line("PRI * HTTP/1.1", .asteriskForm),
        line("GET http:// HTTP/1.1", .authorityMalformed), line("GET http:///x HTTP/1.1", .authorityMalformed),
        line("GET http://a:8x/ HTTP/1.1", .authorityMalformed), line("GET http://a%41/ HTTP/1.1", .authorityMalformed),
        line("GET http://[::1/ HTTP/1.1", .authorityMalformed), line("GET http://a\\b/ HTTP/1.1", .authorityMalformed),
        line("GET http://u:p@a/ HTTP/1.1", .userinfo), line("GET http://@a HTTP/1.1", .userinfo),
        line("GET http://a:80?q=a/b HTTP/1.1", .absoluteFormWithoutPath),
        RefusedRequest("GET / HTTP/1.1\nHost: x\r\n\r\n", .bareLineFeed),
        RefusedRequest("GET /\nHost: x\r\n\r\n", .bareLineFeed), RefusedRequest("GET\n", .bareLineFeed),
        RefusedRequest("\nGET / HTTP/1.1\r\n", .bareLineFeed),
        RefusedRequest("\rGET / HTTP/1.1\r\n", .bareCarriageReturn),
        RefusedRequest("GET / HTTP/1.1\rHost: x\r\r", .bareCarriageReturn),
        RefusedRequest("GET / HTTP/1.1\r\r\n", .bareCarriageReturn),
    ]

    static let fieldLines: [RefusedRequest] = [
        field("A : b", .spaceBeforeColon), field("A\t: b", .spaceBeforeColon), field("A b: c", .spaceBeforeColon),
        field("Content-Length 5", .spaceBeforeColon), field("A\r\n b", .fieldWithoutColon),
        field("A: 1\r\n b", .foldedLine), field("A: 1\r\n\tb", .foldedLine), field("A: 1\r\n \r\nB: 2", .foldedLine),
        field(" A: 1", .foldedLine), RefusedRequest("GET / HTTP/1.1\r\n Host: x\r\n\r\n", .foldedLine),
        field("NoColon", .fieldWithoutColon), field("X\ra: v", .fieldWithoutColon),
        field(": x", .fieldNameEmpty), field(":", .fieldNameEmpty),
        field("\"X\": v", .fieldNameNotToken), field("X\u{0}a: v", .fieldNameNotToken),
        field("X@a: v", .fieldNameNotToken),
        field("X}a: v", .fieldNameNotToken), field("X\u{7f}: v", .fieldNameNotToken),
        field("\u{b}X: v", .fieldNameNotToken), field("X\u{b}: v", .fieldNameNotToken),
        field("X\u{85}: v", .fieldNameNotToken), field("X/: v", .fieldNameNotToken),
        field("(X): v", .fieldNameNotToken),
        field("A: a\u{0}b", .fieldValueOctet), field("A: a\u{1}b", .fieldValueOctet),
        field("A:\u{b}v", .fieldValueOctet),
        field("A: v\u{7f}", .fieldValueOctet), field("A: \u{e9}\u{1f}", .fieldValueOctet),
        field("A: \tx\u{8}", .fieldValueOctet), field("A: \u{0}", .fieldValueOctet),
        field("A: a\nB: 1", .bareLineFeed), field("A\n: 1", .bareLineFeed), field("A: 1\n", .bareLineFeed),
        field("\nA: 1", .bareLineFeed), field("A: \u{e9}\nB: 1", .bareLineFeed),
        field("A: 1\r", .bareCarriageReturn), field("A: a\rB: 1", .bareCarriageReturn),
        field("\rA: 1", .bareCarriageReturn),
        field("A: \u{e9}\rB: 1", .bareCarriageReturn),
    ]

    static let hosts: [RefusedRequest] =
        [
            RefusedRequest("GET / HTTP/1.1\r\n\r\n", .hostMissing),
            RefusedRequest("GET / HTTP/1.1\r\nA: b\r\n\r\n", .hostMissing),
            RefusedRequest("GET http://x/ HTTP/1.1\r\n\r\n", .hostMissing),
            field("Host: x", .hostRepeated), field("hOST: evil.invalid", .hostRepeated),
            RefusedRequest("GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", .hostRepeated),
            RefusedRequest("GET http://x/ HTTP/1.1\r\nHost: a/b\r\n\r\n", .hostMalformed),
        ]
        + [
            "x, y", "x y", "x/y", "x:8o", "x:99999999999", "x:65536", "x:0", "x:000080", "[::1", "x#y", "x\\y",
            "x:80:80",
            "http://x", "x:-1", "x:+1", ":80", "x@y", "x?y", "x%41", "x,y", "x;y", "x'y", "x=y", "\u{e9}.example", "[]",
            "[:]",
            "[1]", "[1:2]", "[:::]", "[1::2::3]", "[1:2:3:4:5:6:7:8:9]", "[1:2:3:4:5:6:7]", "[12345::]", "[g::]",
            "[::1]x",
            "[::1]80", "[::1.2.3]", "[::1.2.3.4.5]", "[::256.1.1.1]", "[::01.1.1.1]", "[1:2:3:4:5:6:7::8]",
            "[::1%25eth0]",
            "[v1.x]", "x[::1]", "[1:2:3:4:5:6:7:]", String(repeating: "a", count: 255),
        ].map { RefusedRequest("GET / HTTP/1.1\r\nHost: \($0)\r\n\r\n", .hostMalformed) }

    static let framing: [RefusedRequest] =
        [
            "+5", "-1", "5a", "5.0", "1_0", "", "5;x", ",", "0x5", "\u{a0}5", "5 5", "5,5", "5, 5",
            "9223372036854775813",
            "1000000000000000000", "9999999999999999999999999999999999999999", "00000000000000000005", "\u{e9}",
        ].map { post("Content-Length: \($0)", .contentLengthMalformed) } + [
            post("Content-Length: 5\u{0}", .fieldValueOctet), post("Content-Length: 5\r6", .bareCarriageReturn),
            post("Content-Length: 5\r\n 0", .foldedLine), post("Content-Length : 5", .spaceBeforeColon),
            post("Content-Length: 0\r\nContent-Length: 5", .contentLengthRepeated),
            post("Content-Length: 5\r\nContent-Length: 5", .contentLengthRepeated),
            post("Content-Length: \r\nContent-Length: 5", .contentLengthMalformed),
            post("Content-Length: 5\r\nTransfer-Encoding: chunked", .contentLengthWithTransferEncoding),
            post("Transfer-Encoding: chunked\r\nContent-Length: 5", .contentLengthWithTransferEncoding),
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .transferEncodingRepeated),
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", .transferEncodingRepeated),
            post("Transfer-Encoding: cow\r\nTransfer-Encoding: chunked", .transferCodingUnknown),
            post("Transfer-Encoding: gzip", .transferCodingUnknown),
            post("Transfer-Encoding: identity", .transferCodingUnknown),
            post("Transfer-Encoding: xchunked", .transferCodingUnknown),
            post("Transfer-Encoding: chunkedx", .transferCodingUnknown),
            post("Transfer-Encoding: 'chunked'", .transferCodingUnknown),
            post("Transfer-Encoding: gzip, chunked", .transferCodingUnknown),
            post("Transfer-Encoding: chunked, gzip", .chunkedNotLast),
            post("Transfer-Encoding: chunked, identity", .chunkedNotLast),
            post("Transfer-Encoding: chunked, chunked", .chunkedNotLast),
            post("Transfer-Encoding: ", .transferEncodingMalformed),
            post("Transfer-Encoding: ,chunked", .transferEncodingMalformed),
            post("Transfer-Encoding: chunked,", .transferEncodingMalformed),
            post("Transfer-Encoding: chunked;q=1", .transferEncodingMalformed),
            post("Transfer-Encoding: cow chunked bar", .transferEncodingMalformed),
            post("Transfer-Encoding: [chunked]", .transferEncodingMalformed),
            post("Transfer-Encoding: \u{a0}chunked", .transferEncodingMalformed),
            post("Transfer-Encoding: ch\u{96}nked", .transferEncodingMalformed),
            post("Transfer-Encoding: \u{b}chunked", .fieldValueOctet),
            post("Transfer-Encoding: chunked\u{0}", .fieldValueOctet),
            post("Transfer-Encoding: chunked\r", .bareCarriageReturn),
            post("Transfer-Encoding: chunked", .transferEncodingInHTTP10, version: "1.0"),
            post("A: b", .lengthRequired), post("A: b", .lengthRequired, version: "1.0"),
            RefusedRequest("PUT / HTTP/1.1\r\nHost: x\r\n\r\n", .lengthRequired),
        ]
}

@Suite("request heads that are refused")
struct RequestRejectionTests {
    @Test("refused for its reason", arguments: RefusedRequest.all)
    func refused(request: RefusedRequest) {
        #expect(parse(request.text).outcome == .rejected(request.reason))
    }

    @Test("every reason the head parser has is in the table, or is a limit")
    func tableIsComplete() {
        let limits: Set<RequestRejection> = [
            .methodTooLong, .targetTooLong, .fieldTooLong, .fieldsTooMany, .headTooLong,
        ]
        let tested = Set(RefusedRequest.all.map(\.reason)).union(limits)
        for reason in RequestRejection.allCases where reason.rawValue <= RequestRejection.lengthRequired.rawValue {
            #expect(tested.contains(reason), "\(reason)")
        }
    }

    @Test(
        "each reason has a status, a word of the HTTPERR log, a sentence and a source",
        arguments: RequestRejection.allCases)
    func texts(reason: RequestRejection) {
        let words = [
            "BadRequest", "EntityTooLarge", "FieldLength", "Header", "Hostname", "Invalid_CR/LF", "LengthRequired",
            "N/I",
            "Number", "RequestLength", "URL", "URL_Length", "Verb", "Version_N/S",
        ]
        #expect([400, 411, 413, 414, 501, 505].contains(reason.status))
        #expect(words.contains("\(reason.httpErrReason)"))
        #expect("\(reason.detail)".hasSuffix("."))
        #expect(!"\(reason.section)".isEmpty)
    }

    @Test("the words of the HTTPERR log for the inputs that HTTP.sys is known for")
    func httpErr() {
        let known: [(RequestRejection, UInt16, String)] = [
            (.methodNotToken, 400, "Verb"), (.methodLetterCase, 400, "Verb"), (.targetOctet, 400, "URL"),
            (.hostMissing, 400, "Hostname"), (.hostMalformed, 400, "Hostname"), (.fieldNameNotToken, 400, "Header"),
            (.fieldValueOctet, 400, "Header"), (.fieldTooLong, 400, "FieldLength"),
            (.headTooLong, 400, "RequestLength"),
            (.targetTooLong, 414, "URL_Length"), (.bareLineFeed, 400, "Invalid_CR/LF"),
            (.contentLengthMalformed, 400, "Number"), (.chunkSizeMalformed, 400, "Number"),
            (.lengthRequired, 411, "LengthRequired"), (.contentTooLarge, 413, "EntityTooLarge"),
            (.transferCodingUnknown, 501, "N/I"), (.versionNotSupported, 505, "Version_N/S"),
            (.requestLineMalformed, 400, "BadRequest"),
        ]
        for (reason, status, word) in known {
            #expect(reason.status == status)
            #expect("\(reason.httpErrReason)" == word)
        }
    }

    @Test("a defect is reported at the octet that shows it")
    func early() {
        #expect(parse("GE\"").outcome == .rejected(.methodNotToken))
        #expect(parse("get ").outcome == .rejected(.methodLetterCase))
        #expect(parse("CONNECT ").outcome == .rejected(.connectNotServed))
        #expect(parse("GET /\u{1}").outcome == .rejected(.targetOctet))
        #expect(parse("GET /#").outcome == .rejected(.targetFragment))
        #expect(parse("GET / X").outcome == .rejected(.versionMalformed))
        #expect(parse("GET / HTTP/2.0").outcome == .rejected(.versionNotSupported))
        #expect(parse("GET / HTTP/1.1\r\n ").outcome == .rejected(.foldedLine))
        #expect(parse("GET / HTTP/1.1\r\n:").outcome == .rejected(.fieldNameEmpty))
        #expect(parse("GET / HTTP/1.1\r\nA ").outcome == .rejected(.spaceBeforeColon))
        #expect(parse("GET / HTTP/1.1\r\nA: \u{0}").outcome == .rejected(.fieldValueOctet))
        #expect(parse("GET / HTTP/1.1\r\nHost: a/b\r\n").outcome == .rejected(.hostMalformed))
    }
}
