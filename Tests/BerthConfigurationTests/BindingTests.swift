import Testing

@testable import BerthConfiguration

@Suite("A binding is an HTTP.sys UrlPrefix, or IIS's ip:port:host")
struct BindingTests {
    @Test(
        "the grammar takes",
        arguments: [
            ("http://+:80/", "http://+:80/"),
            ("http://*:65535/", "http://*:65535/"),
            ("http://Shop.Example:80/", "http://shop.example:80/"),
            ("http://*.example.com:80/", "http://*.example.com:80/"),
            ("http://10.0.0.1:80/", "http://10.0.0.1:80/"),
            ("http://[2001:DB8:0::1]:8080/App/", "http://[2001:db8::1]:8080/App/"),
            ("http://shop.example:80:10.0.0.1/", "http://shop.example:80:10.0.0.1/"),
            ("http://shop.example:80:[::1]/a/b/", "http://shop.example:80:[::1]/a/b/"),
            ("http://*.shop.example:80:10.0.0.1/", "http://*.shop.example:80:10.0.0.1/"),
            ("http://my_host-1:1/", "http://my_host-1:1/"),
            ("http://*:80/größe/", "http://*:80/größe/"),
            ("*:80:", "http://*:80/"),
            (":80:", "http://*:80/"),
            ("10.0.0.1:80:", "http://10.0.0.1:80/"),
            ("[::1]:80:", "http://[::1]:80/"),
            ("*:8080:www.example.com", "http://www.example.com:8080/"),
            ("*:8080:*.example.com", "http://*.example.com:8080/"),
            ("10.0.0.1:80:shop.example", "http://shop.example:80:10.0.0.1/"),
            ("http+unix:/run/shop.sock:/", "http+unix:/run/shop.sock:/"),
            ("http+unix:/run/a:/b.sock:/app/", "http+unix:/run/a:/b.sock:/app/"),
        ])
    func accepted(_ text: String, _ expected: String) throws {
        let binding = try BindingParser.parse(text)
        #expect(binding.urlPrefix == expected)
        #expect(binding.text == text)
        // The canonical spelling is one of the language, and means the same.
        #expect(try BindingParser.parse(binding.urlPrefix).key == binding.key)
    }

    @Test("letter case counts in the path of a socket, and nowhere else")
    func letterCase() throws {
        func key(_ text: String) throws -> String { try BindingParser.parse(text).key }
        #expect(try key("http://Shop.example:80/App/") == key("http://shop.EXAMPLE:80/aPP/"))
        #expect(try key("http+unix:/run/a.sock:/App/") == key("http+unix:/run/a.sock:/app/"))
        #expect(try key("http+unix:/run/A.sock:/") != key("http+unix:/run/a.sock:/"))
    }

    @Test("the parts are told apart")
    func parts() throws {
        #expect(try BindingParser.parse("http://+:80/").host == .strongWildcard)
        #expect(try BindingParser.parse("http://*:80/").host == .weakWildcard)
        #expect(try BindingParser.parse("http://*.a.b:80/").host == .subdomains(of: "a.b"))
        let address = try #require(IPAddress("10.0.0.1"))
        #expect(try BindingParser.parse("http://10.0.0.1:80/").host == .address(address))
        #expect(try BindingParser.parse("http://a:80:10.0.0.1/").boundAddress == address)
        #expect(try BindingParser.parse("http://a:80/X/").path == "/X/")
        let socket = try BindingParser.parse("http+unix:/run/x.sock:/")
        #expect(socket.endpoint == .unixSocket("/run/x.sock"))
        #expect(socket.port == nil)
    }

    @Test(
        "the grammar refuses, and shows what to write",
        arguments: [
            ("http://shop.example:80", "write \"http://shop.example:80/\""),
            ("http://shop.example:80/x", "write \"http://shop.example:80/x/\""),
            ("http://shop.example/", "write \"http://shop.example:80/\""),
            ("http://shop.example:/x/", "write \"http://shop.example:80/x/\""),
            ("http://:80/", "write \"http://*:80/\""),
            ("http://", "write \"http://*:80/\""),
            ("HTTP://a:80/", "write \"http://a:80/\""),
            ("http:/a:80/", "write \"http://a:80/\""),
            ("ftp://a:80/", "write http://"),
            ("https://a:443/", "write \"http://a:443/\", behind something that ends TLS"),
            ("HTTPS://a:443/", "write \"http://a:443/\", behind something that ends TLS"),
            ("http://a:0/", "write 1 through 65535, without a leading zero"),
            ("http://a:080/", "write 1 through 65535, without a leading zero"),
            ("http://a:65536/", "write 1 through 65535, without a leading zero"),
            ("http://a:+80/", "write 1 through 65535, without a leading zero"),
            ("http://a:*/", "write 1 through 65535, without a leading zero"),
            ("http://a:٨٠/", "write 1 through 65535, without a leading zero"),
            ("http://a.*.b:80/", "write it like \"*.example.com\""),
            ("http://*:80:10.0.0.1/", "write \"http://10.0.0.1:80/\""),
            ("http://+:80:10.0.0.1/", "write \"http://+:80/\""),
            ("http://10.0.0.256:80/", "write an IPv4 address, or an IPv6 address in brackets"),
            ("http://0.0.0.0:80/", "write * in its place"),
            ("http://::1:80/", "write \"http://*:/\""),
            ("http://größe:80/", "write the form that DNS knows, xn--..."),
            ("shop.example", "write \"http://shop.example:80/\""),
            ("localhost:8080", "write \"http://localhost:8080/\""),
            ("80", "write \"http://80:80/\""),
            ("*:80:+", "write \"*:80:\""),
            ("http+unix:run/x.sock:/", "write \"http+unix:/run/NAME.sock:/\""),
            ("http+unix:/run/x.sock", "write \"http+unix:/run/x.sock:/\""),
            ("http+unix:/run/x.sock:/app", "write \"http+unix:/run/x.sock:/app/\""),
        ] as [(String, String)])
    func refused(_ text: String, _ advice: String) {
        let error = #expect(throws: BindingParser.Problem.self) { try BindingParser.parse(text) }
        #expect(error?.advice == advice)
    }

    @Test(
        "the grammar refuses",
        arguments: [
            "", ":", "::", ":::", "http://-a:80/", "http://a-:80/", "http://a..b:80/", "http://.a:80/", "http://a.:80/",
            "http://a b:80/", "http://[::1:80/", "http://[::1]/", "http://[10.0.0.1]:80/", "http://a:80:b/",
            "http://a:80:1.2.3.4:5/", "http://a:80//", "http://a:80/a//b/", "http://a:80/./", "http://a:80/a/../",
            "http://a:80/../\u{301}/",
            "http://a:80/a?/", "http://a:80/#/", "http://a:80/%41/", "http://a:80/*/", "http://a:80/a\\b/",
            "http://a:80/a b/", "http://user@a:80/", "10.0.0.1:80:10.0.0.2", "a:80:b", "1:2:3:4:5:6:7:8:9:10",
            "http+unix::/", "http+unix:/:/",
        ])
    func refusedToo(_ text: String) {
        #expect(throws: BindingParser.Problem.self) { try BindingParser.parse(text) }
    }

    @Test("limits of a name, a label, a path and a socket's path at n and n + 1")
    func limits() {
        let label = String(repeating: "a", count: 63)
        let name = [label, label, label, String(repeating: "a", count: 61)].joined(separator: ".")
        #expect(throws: Never.self) { try BindingParser.parse("http://\(name):80/") }
        #expect(throws: BindingParser.Problem.self) { try BindingParser.parse("http://\(name)a:80/") }
        #expect(throws: BindingParser.Problem.self) { try BindingParser.parse("http://\(label)a:80/") }
        let path = "/" + String(repeating: "a", count: URLPath.lengthMax - 2) + "/"
        #expect(throws: Never.self) { try BindingParser.parse("http://a:80\(path)") }
        #expect(throws: BindingParser.Problem.self) { try BindingParser.parse("http://a:80/a\(path.dropFirst())") }
        let socket = "/" + String(repeating: "a", count: 106)
        #expect(throws: Never.self) { try BindingParser.parse("http+unix:\(socket):/") }
        #expect(throws: BindingParser.Problem.self) { try BindingParser.parse("http+unix:\(socket)a:/") }
    }
}
