@testable import BerthHosting
import BerthHTTP
import BerthListener
import CBerthSystem
import Testing

/// What the worker gets for a head of the client, as text.
private func forwarded(
    _ text: String, client: String = "127.0.0.1", port: UInt16 = 5000, token: String = "", upgrade: Bool? = nil
) throws -> String {
    let octets = Array(text.utf8)
    var address = cberth_address()
    if client.isEmpty { address.family = 1 } else { cberth_address_parse(client, &address) }
    address.port = port
    let tokenOctets = Array(token.utf8)
    return try octets.withUnsafeBufferPointer { buffer in
        let base = try #require(buffer.baseAddress)
        let fields = UnsafeMutablePointer<FieldSlice>.allocate(capacity: 100)
        let scratch = UnsafeMutablePointer<UInt8>.allocate(capacity: 4096)
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 16_384)
        defer {
            fields.deallocate()
            scratch.deallocate()
            memory.deallocate()
        }
        var head = RequestHead()
        try #require(RequestParser().parse(&head, base, octets.count, fields: fields) == .complete)
        var path = OctetRun(base + Int(head.pathOffset), Int(head.pathLength))
        switch TargetCooking().cook(
            base, pathOffset: Int(head.pathOffset), pathLength: Int(head.pathLength), into: scratch, capacity: 4096)
        {
        case .inPlace: break
        case .cooked(let length, _): path = OctetRun(scratch, length)
        case .rejected(let rejection): Issue.record("\(rejection)")
        }
        return try tokenOctets.withUnsafeBufferPointer { tokenBuffer in
            let websocket = upgrade ?? ForwardedHead.isWebSocket(head, base, fields)
            let forwarded = withUnsafePointer(to: address) { client in
                let forwarded = ForwardedHead(
                    head: head, base: base, fields: fields, path: path, client: client,
                    tokenField: OctetRun(tokenBuffer.baseAddress, tokenOctets.count), upgrade: websocket)
                var out = OctetWriter(memory, capacity: forwarded.lengthMax)
                forwarded.write(&out)
                return out
            }
            try #require(!forwarded.overflowed)
            return String(decoding: UnsafeBufferPointer(start: memory, count: forwarded.count), as: UTF8.self)
        }
    }
}

private let ours = "X-Forwarded-For: 127.0.0.1:5000\r\nX-Forwarded-Proto: http\r\nVia: 1.1 Berth\r\n\r\n"

@Suite struct ForwardedHeadTests {
    @Test func `fields that stay keep their order, their names and their values`() throws {
        let text = "GET /a HTTP/1.1\r\nHost: x.test:81\r\nX-A: 1\r\nCookie: a=b; c=\"d  e\"\r\nx-a: 2\r\n"
        #expect(try forwarded(text + "\r\n") == text + ours)
    }

    @Test(arguments: [":", ": ", ":  ", ":\t", ": \t \t"], ["", " ", "\t", " \t  "])
    func `whitespace around a value is ours, not the client's`(_ before: String, _ after: String) throws {
        // The shortest lines there are: the head grows by an octet a field.
        let fields = (0..<80).map { "a\(before)\($0)\(after)\r\n" }.joined()
        let text =
            "GET / HTTP/1.1\r\nHost\(before)x\(after)\r\nX-A\(before)b \t c\(after)\r\nEmpty\(before)\(after)\r\n\(fields)\r\n"
        let written = (0..<80).map { "a: \($0)\r\n" }.joined()
        let expected = "GET / HTTP/1.1\r\nHost: x\r\nX-A: b \t c\r\nEmpty: \r\n\(written)\(ours)"
        #expect(try forwarded(text) == expected)
    }

    @Test func `empty lines before a request are not passed on`() throws {
        #expect(try forwarded("\r\nGET / HTTP/1.1\r\nHost:x\r\n\r\n") == "GET / HTTP/1.1\r\nHost: x\r\n" + ours)
    }

    @Test(arguments: [
        "Connection: close", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "TE: gzip, trailers",
        "Trailer: X", "Upgrade: h2c", "HTTP2-Settings: AAMA", "MS-ASPNETCORE-TOKEN: forged",
        "ms-aspnetcore-clientcert: forged", "Ms-AspNetCore-WinAuthToken: 1", "X_Forwarded_Proto: https",
        "Proxy: http://evil.test/", "PROXY:x",
    ]) func `a field of the client's connection, or one that only we may send, is left out`(_ field: String) throws {
        let result = try forwarded("GET / HTTP/1.1\r\nHost: x\r\n\(field)\r\nX-Stay: 1\r\n\r\n")
        #expect(result == "GET / HTTP/1.1\r\nHost: x\r\nX-Stay: 1\r\n" + ours)
    }

    @Test(arguments: [
        "Connection: x-HOP", "Connection: close, X-Hop,", "Connection: keep-alive\r\nConnection: a,X-HOP",
    ])
    func `a field that Connection names is left out wherever it stands`(_ connection: String) throws {
        let before = try forwarded("GET / HTTP/1.1\r\nHost: x\r\nX-Hop: 1\r\n\(connection)\r\nX-Hop2: 2\r\n\r\n")
        #expect(before == "GET / HTTP/1.1\r\nHost: x\r\nX-Hop2: 2\r\n" + ours)
        let after = try forwarded("GET / HTTP/1.1\r\nHost: x\r\n\(connection)\r\nX-Hop: 1\r\n\r\n")
        #expect(after == "GET / HTTP/1.1\r\nHost: x\r\n" + ours)
    }

    @Test func `Connection cannot take away Host, the framing, or what we add`() throws {
        let result = try forwarded(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nX-Forwarded-For: 9.9.9.9\r\n"
                + "Connection: Host, Content-Length, X-Forwarded-For, X-Forwarded-Proto\r\n\r\n")
        #expect(result == "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n" + ours)
    }

    @Test func `Content-Length is written as the number it is`() throws {
        #expect(
            try forwarded("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0005 \r\n\r\n")
                == "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n" + ours)
        #expect(
            try forwarded("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                == "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n" + ours)
    }

    @Test func `chunked content stays chunked, without Expect and Trailer`() throws {
        #expect(
            try forwarded(
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\nExpect: 100-continue\r\nTrailer: X\r\n\r\n"
            )
                == "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + ours)
    }

    @Test func `the client is appended to every X-Forwarded field that came, folded into one`() throws {
        let result = try forwarded(
            "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n"
                + "x-forwarded-for: 5.6.7.8, 9.9.9.9\r\nX-Forwarded-For:\r\nX-Forwarded-Host: y\r\n\r\n")
        #expect(
            result == "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Host: y\r\n"
                + "X-Forwarded-For: 1.2.3.4, 5.6.7.8, 9.9.9.9, 127.0.0.1:5000\r\nX-Forwarded-Proto: https, http\r\nVia: 1.1 Berth\r\n\r\n"
        )
    }

    @Test(arguments: [
        ("::1", "[::1]:5000"), ("2001:db8::7", "[2001:db8::7]:5000"), ("203.0.113.250", "203.0.113.250:5000"),
        ("", "unix"),
    ])
    func `the client's address is written as ANCM writes it`(_ client: String, _ written: String) throws {
        let result = try forwarded("GET / HTTP/1.1\r\nHost: x\r\n\r\n", client: client)
        #expect(
            result
                == "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: \(written)\r\nX-Forwarded-Proto: http\r\nVia: 1.1 Berth\r\n\r\n"
        )
    }

    @Test func `the pairing token goes along`() throws {
        let result = try forwarded(
            "GET / HTTP/1.1\r\nHost: x\r\nMS-ASPNETCORE-TOKEN: forged\r\n\r\n", token: "MS-ASPNETCORE-TOKEN: abc\r\n")
        #expect(result == "GET / HTTP/1.1\r\nHost: x\r\nMS-ASPNETCORE-TOKEN: abc\r\n" + ours)
    }

    @Test func `we are the last in Via`() throws {
        #expect(
            try forwarded(
                "GET / HTTP/1.1\r\nHost: x\r\nVia: 1.0 a (b, c)\r\nX-A: 1\r\nvia:\t1.1 d,1.1 e \r\nVia:\r\n\r\n")
                == "GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n"
                + ours.replacing("Via: ", with: "Via: 1.0 a (b, c), 1.1 d,1.1 e, "))
        #expect(
            try forwarded("GET / HTTP/1.1\r\nHost: x\r\nVia: 1.1 a\r\nConnection: Via\r\n\r\n")
                == "GET / HTTP/1.1\r\nHost: x\r\n" + ours)
        #expect(try forwarded("GET / HTTP/1.1\r\nHost: x\r\nProxy-A: 1\r\n\r\n").contains("Proxy-A: 1\r\n"))
    }

    @Test func `OPTIONS for the whole server stays that`() throws {
        for target in ["http://x", "http://x:80", "HTTP://x:", "*"] {
            let result = try forwarded("OPTIONS \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(result.hasPrefix("OPTIONS * HTTP/1.1\r\n"), "\(target)")
        }
        for (target, path) in [("http://x/", "/"), ("http://x?q", "/?q"), ("http://x?", "/?"), ("/", "/")] {
            let result = try forwarded("OPTIONS \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(result.hasPrefix("OPTIONS \(path) HTTP/1.1\r\n"), "\(target)")
        }
    }

    @Test func `an absolute target becomes a path, and its authority the only Host`() throws {
        #expect(
            try forwarded("GET http://y.test:90/a?b HTTP/1.1\r\nX-A: 1\r\nHost: x\r\n\r\n")
                == "GET /a?b HTTP/1.1\r\nHost: y.test:90\r\nX-A: 1\r\n" + ours)
        #expect(
            try forwarded("GET http://y.test HTTP/1.1\r\nHost: x\r\n\r\n") == "GET / HTTP/1.1\r\nHost: y.test\r\n"
                + ours)
        #expect(
            try forwarded("GET http://y.test?q HTTP/1.1\r\nHost: x\r\n\r\n")
                == "GET /?q HTTP/1.1\r\nHost: y.test\r\n" + ours)
    }

    @Test(arguments: [
        ("5", "Max-Forwards: 4\r\n"), ("1", "Max-Forwards: 0\r\n"), ("x", ""), ("-1", ""), ("", ""),
        ("9999999999999999999", ""),
    ]) func `Max-Forwards of OPTIONS counts down`(_ value: String, _ expected: String) throws {
        let line = "OPTIONS /a HTTP/1.1\r\nHost: x.test\r\n"
        #expect(try forwarded("\(line)Max-Forwards: \(value)\r\n\r\n") == line + expected + ours)
        let get = "GET /a HTTP/1.1\r\nHost: x.test\r\nMax-Forwards: \(value)\r\n"
        #expect(try forwarded(get + "\r\n") == get + ours)
    }

    @Test func `methods pass verbatim, and HTTP 1.0 stays 1.0`() throws {
        #expect(
            try forwarded("PROPFIND /x HTTP/1.1\r\nHost: x\r\n\r\n") == "PROPFIND /x HTTP/1.1\r\nHost: x\r\n" + ours)
        #expect(try forwarded("FoO /x HTTP/1.1\r\nHost: x\r\n\r\n") == "FoO /x HTTP/1.1\r\nHost: x\r\n" + ours)
        #expect(
            try forwarded("GET /x HTTP/1.0\r\n\r\n") == "GET /x HTTP/1.0\r\n"
                + ours.replacing("Via: 1.1", with: "Via: 1.0"))
        #expect(try forwarded("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n") == "OPTIONS * HTTP/1.1\r\nHost: x\r\n" + ours)
    }

    @Test(arguments: [
        ("/a%2Fb", "/a%2Fb"), ("/a%2fb", "/a%2fb"), ("/a%3Fb?c=d", "/a%3Fb?c=d"), ("/a/b/../c", "/a/c"),
        ("/a/b/%2E%2e/c", "/a/c"), ("/a/./b/.", "/a/b/"), ("/..", "/"), ("/../../a", "/a"), ("//a/b//c", "//a/b//c"),
        ("//a/../b", "//b"), ("/%61dmin%2e", "/admin."), ("/%252e%252e%252fx", "/%252e%252e%252fx"),
        ("/%c3%a9", "/%c3%a9"),
        ("/a%20b", "/a%20b"), ("/a%5Cb", "/a%5Cb"), ("/x?", "/x?"), ("/x??", "/x??"),
        ("/x?a=%2e%2e/..&%zz", "/x?a=%2e%2e/..&%zz"),
        ("/a/..?b", "/?b"), ("/...", "/..."), ("/%2e%2e%2e", "/..."), ("/a;v=1/b,c@d:e", "/a;v=1/b,c@d:e"),
    ]) func `the target is canonical where it decides, and as it came elsewhere`(_ sent: String, _ expected: String)
        throws
    {
        let result = try forwarded("GET \(sent) HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(result == "GET \(expected) HTTP/1.1\r\nHost: x\r\n" + ours)
    }

    @Test func `an upgrade to WebSocket goes along without extensions`() throws {
        let result = try forwarded(
            "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
                + "Sec-WebSocket-Key: k\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
        #expect(
            result
                == "GET /ws HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key: k\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + ours)
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n",
        "PUT / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n",
        "GET / HTTP/1.0\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
    ]) func `anything else that looks like an upgrade is an ordinary request`(_ head: String) throws {
        let result = try forwarded(head + "\r\n")
        #expect(!result.contains("Upgrade"))
        #expect(!result.contains("Connection"))
    }

    @Test func `the longest head there can be fits`() throws {
        // Every field is one to be folded.
        let path = "/" + String(repeating: "%C3%A9", count: 500)
        let fields = (0..<90).map { "X-Forwarded-For: \($0)\r\n" }.joined()
        let result = try forwarded("GET \(path)/../x/%2e HTTP/1.1\r\nHost: x\r\n\(fields)\r\n")
        #expect(result.hasPrefix("GET /x/ HTTP/1.1\r\n"))
        #expect(result.hasSuffix("88, 89, 127.0.0.1:5000\r\nX-Forwarded-Proto: http\r\nVia: 1.1 Berth\r\n\r\n"))
    }
}
