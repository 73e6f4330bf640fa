import BerthHTTP
import Testing

@Suite("request heads that are accepted")
struct RequestParserTests {
    @Test("the shortest request of HTTP/1.1")
    func shortest() {
        let request = parse("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(request.outcome == .complete)
        #expect(request.methodID == .get)
        #expect(request.method == "GET")
        #expect(request.target == "/")
        #expect(request.form == .origin)
        #expect(request.path == "/")
        #expect(request.query == "")
        #expect(request.host == "x")
        #expect(request.port == 0)
        #expect(request.minor == 1)
        #expect(request.framing == .none)
        #expect(request.length == 0)
        #expect(request.headLength == 27)
        #expect(request.fields == [.init(name: "Host", value: "x", id: FieldID.host.rawValue)])
    }

    @Test("the head ends where the content begins")
    func headLength() {
        let head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
        let request = parse(head + "helloGET / HTTP/1.1\r\n")
        #expect(request.headLength == head.utf8.count)
        #expect(request.framing == .contentLength)
        #expect(request.length == 5)
        #expect(request.has(.hasContent))
    }

    @Test("path and query are told apart at the first question mark")
    func query() {
        let request = parse("GET /a/b?c=d?e/f HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(request.target == "/a/b?c=d?e/f")
        #expect(request.path == "/a/b")
        #expect(request.query == "c=d?e/f")
        let empty = parse("GET /? HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(empty.path == "/")
        #expect(empty.query == "")
    }

    @Test("a path that begins with two slashes is a path, not an authority")
    func doubleSlash() {
        let request = parse("GET //other.invalid/x HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(request.form == .origin)
        #expect(request.path == "//other.invalid/x")
        #expect(request.host == "x")
    }

    @Test("absolute-form (RFC 9112 §3.2.2)")
    func absoluteForm() {
        let cases: [(String, String, UInt16, String, String)] = [
            ("http://a.b/p?q", "a.b", UInt16(0), "/p", "q"),
            ("http://a.b:8080/p", "a.b:8080", 8080, "/p", ""),
            ("HTTP://A.B/", "A.B", 0, "/", ""),
            ("http://a.b", "a.b", 0, "/", ""),
            ("http://a.b:", "a.b:", 0, "/", ""),
            ("http://a.b:81?q", "a.b:81", 81, "/", "q"),
            ("http://a.b/x?p=/y", "a.b", 0, "/x", "p=/y"),
            ("http://[::1]:80/", "[::1]:80", 80, "/", ""),
            ("http://a.b//c", "a.b", 0, "//c", ""),
        ]
        for (target, host, port, path, query) in cases {
            let request = parse("GET \(target) HTTP/1.1\r\nHost: other:9\r\n\r\n")
            #expect(request.outcome == .complete)
            #expect(request.form == .absolute)
            #expect(request.target == target)
            #expect(request.host == host, "the authority of the target outranks the Host field")
            #expect(request.port == port)
            #expect(request.path == path)
            #expect(request.query == query)
            #expect(!request.has(.schemeIsHTTPS))
        }
    }

    @Test("an https target is accepted and marked")
    func schemeHTTPS() {
        let request = parse("GET https://a.b/ HTTP/1.1\r\nHost: a.b\r\n\r\n")
        #expect(request.outcome == .complete)
        #expect(request.has(.schemeIsHTTPS))
        #expect(request.hostName == "a.b")
    }

    @Test("OPTIONS * (RFC 9112 §3.2.4)")
    func asterisk() {
        let request = parse("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(request.outcome == .complete)
        #expect(request.form == .asterisk)
        #expect(request.path == "*")
    }

    @Test("every method with a number, and tokens without")
    func methods() {
        for method in [
            RequestMethod.get, .head, .post, .put, .delete, .options, .patch, .propfind, .proppatch, .mkcol, .copy,
            .move,
            .lock, .unlock, .search,
        ] {
            let request = parse("\(method.token) / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            #expect(request.outcome == .complete)
            #expect(request.methodID == method)
            #expect(request.method == "\(method.token)")
        }
        for token in ["BREW", "brew", "GETS", "M-SEARCH", "!#$%&'*+-.^_`|~", "X"] {
            let request = parse("\(token) / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(request.outcome == .complete)
            #expect(request.methodID == .other)
            #expect(request.method == token)
        }
    }

    @Test("one or two empty lines before the request line are skipped (RFC 9112 §2.2)", arguments: [0, 1, 2])
    func emptyLines(number: Int) {
        let request = parse(
            String(repeating: "\r\n", count: number) + "GET /p?q HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\nrest")
        #expect(request.outcome == .complete)
        #expect(request.method == "GET")
        #expect(request.path == "/p")
        #expect(request.query == "q")
        #expect(request.host == "x")
        #expect(request.value("a") == "b")
        #expect(request.headLength == 36 + 2 * number)
    }

    @Test("HTTP/1.0 needs no Host and is not persistent unless it asks")
    func http10() {
        let request = parse("GET / HTTP/1.0\r\n\r\n")
        #expect(request.outcome == .complete)
        #expect(request.minor == 0)
        #expect(request.host == "")
        #expect(head("GET / HTTP/1.0\r\n\r\n").isPersistent == false)
        #expect(head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").isPersistent)
        #expect(head("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n").isPersistent == false)
    }

    @Test("an empty Host is valid; who it is for is routing")
    func emptyHost() {
        let request = parse("GET / HTTP/1.1\r\nHost:\r\n\r\n")
        #expect(request.outcome == .complete)
        #expect(request.host == "")
        #expect(request.has(.hasHost))
    }

    @Test("Host values that are valid")
    func hosts() {
        let cases: [(String, String, UInt16)] = [
            ("x", "x", UInt16(0)), ("shop.example", "shop.example", 0), ("shop.example.", "shop.example.", 0),
            ("Shop.Example:8080", "Shop.Example", 8080), ("10.0.0.1:1", "10.0.0.1", 1), ("x:65535", "x", 65_535),
            ("x:", "x", 0), ("x:080", "x", 80), ("a_b.example", "a_b.example", 0), ("a~b:81", "a~b", 81),
            ("[::1]", "[::1]", 0), ("[::1]:443", "[::1]", 443),
            ("[2001:db8::8a2e:370:7334]", "[2001:db8::8a2e:370:7334]", 0),
            ("[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7:8]", 0), ("[::ffff:10.0.0.1]:5", "[::ffff:10.0.0.1]", 5),
            ("[::]", "[::]", 0), ("[1::]", "[1::]", 0), ("[1:2:3:4:5:6:1.2.3.4]", "[1:2:3:4:5:6:1.2.3.4]", 0),
            ("xn--bcher-kva.example", "xn--bcher-kva.example", 0),
            (String(repeating: "a", count: 254), String(repeating: "a", count: 254), 0),
        ]
        for (host, name, port) in cases {
            let request = parse("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            #expect(request.outcome == .complete)
            #expect(request.host == host)
            #expect(request.hostName == name)
            #expect(request.port == port)
        }
    }

    @Test("white space around a value is no part of it, inside it is (RFC 9112 §5.1)")
    func whitespace() {
        let request = parse(
            "GET / HTTP/1.1\r\nHost:x\r\nA:  \t v \t \r\nB:v\r\nC: a\tb c\r\nD:\r\nE:   \r\nF: \u{e9}\u{80}\u{ff}\r\n\r\n"
        )
        #expect(request.outcome == .complete)
        #expect(request.fields.map(\.value) == ["x", "v", "v", "a\tb c", "", "", "\u{e9}\u{80}\u{ff}"])
        #expect(request.fields.map(\.name) == ["Host", "A", "B", "C", "D", "E", "F"])
    }

    @Test("every token octet may stand in a field name")
    func tokenNames() {
        let request = parse("GET / HTTP/1.1\r\nHost: x\r\n!#$%&'*+-.^_`|~09azAZ: v\r\n\r\n")
        #expect(request.outcome == .complete)
        #expect(request.fields[1].name == "!#$%&'*+-.^_`|~09azAZ")
        #expect(request.fields[1].id == 0)
        #expect(request.has(.underscoreInName))
        #expect(!parse("GET / HTTP/1.1\r\nHost: x\r\nA.b: v\r\n\r\n").has(.underscoreInName))
    }

    @Test("known fields get their number in any letter case")
    func ids() {
        let request = parse(
            "GET / HTTP/1.1\r\nhOST: x\r\nUSER-AGENT: u\r\nms-aspnetcore-token: t\r\nX-Unknown: v\r\n\r\n")
        #expect(
            request.fields.map(\.id) == [
                FieldID.host.rawValue, FieldID.userAgent.rawValue, FieldID.msAspNetCoreToken.rawValue, 0,
            ])
    }

    @Test("the Connection field (RFC 9110 §7.6.1)")
    func connection() {
        let cases: [(String, RequestHead.Flags)] = [
            ("close", RequestHead.Flags.connectionClose), ("Close", .connectionClose),
            ("keep-alive", .connectionKeepAlive), ("KEEP-ALIVE", .connectionKeepAlive),
            ("close, x-foo", [.connectionClose, .connectionHasOtherOptions]),
            ("x-close, closed", .connectionHasOtherOptions),
            (", ,,keep-alive, ,", .connectionKeepAlive),
            ("Upgrade", .connectionUpgrade), ("keep-alive,Upgrade", [.connectionKeepAlive, .connectionUpgrade]),
            ("", []), (" , ", []),
        ]
        for (value, flags) in cases {
            let request = parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: \(value)\r\n\r\n")
            #expect(request.outcome == .complete)
            let mask: RequestHead.Flags = [
                .connectionClose, .connectionKeepAlive, .connectionUpgrade, .connectionHasOtherOptions,
            ]
            #expect(RequestHead.Flags(rawValue: request.flags).intersection(mask) == flags)
        }
    }

    @Test("options of several Connection fields add up")
    func severalConnections() {
        let request = parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: x-foo\r\nConnection: close\r\n\r\n")
        #expect(request.has([.connectionClose, .connectionHasOtherOptions]))
    }

    @Test("expectations count in HTTP/1.1 only (RFC 9110 §10.1.1)")
    func expect() {
        let fields = "Host: x\r\nContent-Length: 1\r\n"
        #expect(parse("POST / HTTP/1.1\r\n\(fields)Expect: 100-CONTINUE\r\n\r\n").has(.expectContinue))
        #expect(parse("POST / HTTP/1.1\r\n\(fields)Expect: teapot\r\n\r\n").has(.expectOther))
        #expect(!parse("POST / HTTP/1.1\r\n\(fields)Expect: teapot\r\n\r\n").has(.expectContinue))
        #expect(!parse("POST / HTTP/1.0\r\n\(fields)Expect: 100-continue\r\n\r\n").has(.expectContinue))
        #expect(!parse("POST / HTTP/1.0\r\n\(fields)Expect: teapot\r\n\r\n").has(.expectOther))
    }

    @Test("an upgrade needs both fields, and HTTP/1.1 (RFC 9110 §7.8)")
    func upgrade() {
        let both = "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        #expect(head("GET / HTTP/1.1\r\n" + both).wantsUpgrade)
        #expect(!head("GET / HTTP/1.0\r\n" + both).wantsUpgrade)
        #expect(!head("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n").wantsUpgrade)
        #expect(!head("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\n\r\n").wantsUpgrade)
    }

    @Test("TE: trailers is seen, with and without parameters")
    func trailers() {
        #expect(parse("GET / HTTP/1.1\r\nHost: x\r\nTE: gzip;q=0.5 , Trailers\r\n\r\n").has(.teTrailers))
        #expect(!parse("GET / HTTP/1.1\r\nHost: x\r\nTE: xtrailers\r\n\r\n").has(.teTrailers))
        #expect(parse("GET / HTTP/1.1\r\nHost: x\r\nTrailer: X\r\n\r\n").has(.trailerPresent))
    }

    @Test("chunked content")
    func chunked() {
        for value in ["chunked", "Chunked", "\tchunked\t"] {
            let request = parse("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \(value)\r\n\r\n")
            #expect(request.outcome == .complete)
            #expect(request.framing == .chunked)
            #expect(request.length == -1)
            #expect(request.has([.hasContent, .hasTransferEncoding]))
        }
    }

    @Test("Content-Length values that are numbers")
    func contentLengths() {
        let cases: [(String, Int64)] = [
            ("0", Int64(0)), ("5", 5), ("007", 7), ("999999999999999999", 999_999_999_999_999_999),
        ]
        for (value, length) in cases {
            let request = parse("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: \t\(value) \t\r\n\r\n")
            #expect(request.outcome == .complete)
            #expect(request.framing == .contentLength)
            #expect(request.length == length)
            #expect(request.has(.hasContent) == (length > 0))
        }
    }

    @Test("POST without any length passes where 411 is switched off")
    func lengthNotRequired() {
        let request = parse("POST / HTTP/1.1\r\nHost: x\r\n\r\n", limits: ParserLimits(requiresLength: false))
        #expect(request.outcome == .complete)
        #expect(request.framing == .none)
    }

    @Test("nothing is decided before it is there")
    func incomplete() {
        let text = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        for length in 0..<text.utf8.count {
            #expect(parse(Array(octets(text)[0..<length])).outcome == .incomplete)
        }
    }

    private func head(_ text: String) -> RequestHead {
        var head = RequestHead()
        let memory = octets(text)
        let slices = UnsafeMutablePointer<FieldSlice>.allocate(capacity: 100)
        defer { slices.deallocate() }
        memory.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            #expect(RequestParser().parse(&head, start, buffer.count, fields: slices) == .complete)
        }
        return head
    }
}
