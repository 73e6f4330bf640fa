import BerthControl
import Glibc
import Testing

@Suite("the client of the control socket")
struct ControlClientTests {
    private static let list =
        #"{"generation":1,"items":[{"prefix":"http://*:80/","tier":"explicit","site":"a","#
        + #""application":"/","isServing":true}],"truncated":false}"#

    private func failure(_ body: () throws(ControlFailure) -> Void) -> ControlFailure? {
        do throws(ControlFailure) {
            try body()
            return nil
        } catch { return error }
    }

    @Test("a resource is asked for with one GET, and decoded")
    func fetch() throws {
        let server = try ScriptedServer { _ in .response("200 OK", Self.list) }
        let client = ControlClient(socketPath: server.path)
        let list = try client.fetch(.bindings, as: ResourceList<BindingRecord>.self)
        #expect(list.items.map(\.prefix) == ["http://*:80/"])
        #expect(
            server.requests == ["GET /v1/bindings HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"])
    }

    @Test("content goes with its type and length, and a POST without content says so")
    func post() throws {
        let server = try ScriptedServer { _ in .response("200 OK", "{}") }
        let client = ControlClient(socketPath: server.path)
        _ = try client.exchange(.check, content: Array("{\"files\":[]}".utf8))
        _ = try client.exchange(.startSite("shop"))
        #expect(server.requests[0].hasPrefix("POST /v1/check HTTP/1.1\r\n"))
        #expect(
            server.requests[0].hasSuffix(
                "Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"files\":[]}"))
        #expect(server.requests[1].contains("Content-Length: 0\r\n"))
    }

    @Test("a chunked answer that comes octet by octet is the same answer")
    func chunked() throws {
        let half = Self.list.utf8.count / 2
        let (first, second) = (Self.list.prefix(half), Self.list.dropFirst(half))
        let reply = ScriptedServer.Reply(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "\(String(first.utf8.count, radix: 16))\r\n\(first)\r\n"
                + "\(String(second.utf8.count, radix: 16))\r\n\(second)\r\n0\r\n\r\n", pieceSize: 1)
        let server = try ScriptedServer { _ in reply }
        let client = ControlClient(socketPath: server.path)
        #expect(try client.fetch(.bindings, as: ResourceList<BindingRecord>.self).items.count == 1)
    }

    @Test("a problem document is handed on as it is")
    func problem() throws {
        let problem = ProblemDocument(
            .stateConflict, detail: "the site shop is rejected", nextStep: "mend it", file: "/a.toml", line: 2)
        let content = String(decoding: try ControlJSON.encode(problem), as: UTF8.self)
        let server = try ScriptedServer { _ in
            .response("409 Conflict", type: "application/problem+json; charset=utf-8", content)
        }
        let client = ControlClient(socketPath: server.path)
        #expect(
            failure { () throws(ControlFailure) in _ = try client.exchange(.startSite("shop")) } == .refused(problem))
    }

    @Test("an error without a problem document is a refusal all the same; a redirection is not understood")
    func bareStatus() throws {
        let server = try ScriptedServer { request in
            request.contains("/v1/info") ? .response("503 Busy", type: "text/html", "<p>") : .response("302 Found", "")
        }
        let client = ControlClient(socketPath: server.path)
        guard case .refused(let problem)? = failure({ () throws(ControlFailure) in _ = try client.exchange(.info) })
        else {
            Issue.record("no refusal")
            return
        }
        #expect(problem.status == 503 && problem.type == "about:blank" && problem.kind == nil)
        #expect(
            failure { () throws(ControlFailure) in _ = try client.exchange(.sites) }
                == .malformedAnswer(path: server.path, what: "status 302"))
    }

    @Test("JSON that lacks a member, or is none, is refused with what is wrong")
    func malformedJSON() throws {
        let server = try ScriptedServer { request in
            request.contains("/v1/info") ? .response("200 OK", #"{"version":"1"}"#) : .response("200 OK", "hello")
        }
        let client = ControlClient(socketPath: server.path)
        for (route, what) in [(ControlRoute.info, "pid"), (.sites, "JSON")] {
            let failure = failure { () throws(ControlFailure) in _ = try client.fetch(route, as: DaemonInfo.self) }
            guard case .malformedAnswer(_, let text)? = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
            #expect(text.contains(what))
        }
    }

    @Test("JSON nested without end is refused, not followed down")
    func nestedJSON() throws {
        let server = try ScriptedServer { _ in .response("200 OK", String(repeating: "[", count: 200_000)) }
        let client = ControlClient(socketPath: server.path)
        let failure = failure { () throws(ControlFailure) in
            _ = try client.fetch(.sites, as: ResourceList<SiteRecord>.self)
        }
        guard case .malformedAnswer? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }

    @Test("what speaks no HTTP is refused, and so is an answer that breaks off")
    func notHTTP() throws {
        let server = try ScriptedServer { request in
            request.contains("/v1/info")
                ? .init("SSH-2.0-x\r\n") : .init("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
        }
        let client = ControlClient(socketPath: server.path)
        #expect(
            failure { () throws(ControlFailure) in _ = try client.exchange(.info) }
                == .malformedAnswer(path: server.path, what: "the answer is no HTTP response"))
        #expect(
            failure { () throws(ControlFailure) in _ = try client.exchange(.sites) }
                == .connectionLost(path: server.path, reason: "the connection was closed"))
    }

    @Test("an answer of exactly the largest size is read, one octet more is refused", arguments: [true, false])
    func sizeLimit(isChunked: Bool) throws {
        let server = try ScriptedServer { request in
            let content = String(repeating: " ", count: request.contains("/v1/info") ? 100_000 : 100_001)
            guard isChunked else { return .response("200 OK", content) }
            let size = String(content.utf8.count, radix: 16)
            return .init("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(size)\r\n\(content)\r\n0\r\n\r\n")
        }
        let client = ControlClient(socketPath: server.path, answerSizeMax: 100_000)
        #expect(try client.exchange(.info).count == 100_000)
        #expect(
            failure { () throws(ControlFailure) in _ = try client.exchange(.sites) }
                == .answerTooLarge(sizeMax: 100_000))
    }

    @Test(
        "a daemon that stops in the middle is given up after the time limit",
        arguments: ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\":"])
    func timeLimit(text: String) throws {
        let server = try ScriptedServer { _ in .init(text, holdsOpen: true) }
        let client = ControlClient(socketPath: server.path, timeLimit: .milliseconds(30))
        #expect(
            failure { () throws(ControlFailure) in _ = try client.exchange(.info) }
                == .timedOut(path: server.path, seconds: 0.03))
    }

    @Test("a daemon that answers before it has read a large request is understood")
    func earlyAnswer() throws {
        let problem = ProblemDocument(.contentTooLarge, detail: "too large")
        let content = String(decoding: try ControlJSON.encode(problem), as: UTF8.self)
        let text =
            "HTTP/1.1 413 Content Too Large\r\nContent-Type: application/problem+json\r\n"
            + "Content-Length: \(content.utf8.count)\r\n\r\n\(content)"
        let server = try ScriptedServer { _ in .init(text, isEager: true) }
        let client = ControlClient(socketPath: server.path)
        let large = [UInt8](repeating: 0x20, count: 4 << 20)
        #expect(
            failure { () throws(ControlFailure) in _ = try client.exchange(.check, content: large) }
                == .refused(problem))
    }

    @Test("a followed answer is handed over as it comes, and given up when nobody wants more")
    func follow() throws {
        let server = try ScriptedServer { _ in
            .init("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n", holdsOpen: true)
        }
        let client = ControlClient(socketPath: server.path)
        var received = ""
        try client.follow(.events(follow: true, after: nil)) { octets in
            received += String(decoding: octets, as: UTF8.self)
            return received.utf8.count < 3
        }
        #expect(received == "one")
    }

    @Test("a followed answer that is refused, or that breaks off, says so")
    func followFails() throws {
        let server = try ScriptedServer { request in
            request.contains("events")
                ? .response("503 Busy", "") : .init("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        }
        let client = ControlClient(socketPath: server.path)
        let refused = failure { () throws(ControlFailure) in
            try client.follow(.events(follow: true, after: nil)) { _ in true }
        }
        guard case .refused? = refused else {
            Issue.record("\(String(describing: refused))")
            return
        }
        #expect(
            failure { () throws(ControlFailure) in
                try client.follow(.logs(site: "shop", follow: true, lines: 1)) { _ in true }
            } == .connectionLost(path: server.path, reason: "the connection was closed"))
    }

    @Test("a socket that is not there, is no socket, or has no listener is not reachable, each with its reason")
    func notReachable() throws {
        let server = try ScriptedServer { _ in .response("200 OK", "{}") }
        let folder = String(server.path.dropLast(2))
        let missing = ControlClient(socketPath: folder + "/other")
        #expect(
            failure { () throws(ControlFailure) in _ = try missing.exchange(.info) }
                == .notReachable(path: folder + "/other", reason: "there is no such socket"))
        let file = folder + "/file"
        close(open(file, O_CREAT | O_WRONLY, 0o600))
        defer { unlink(file) }
        #expect(
            failure { () throws(ControlFailure) in _ = try ControlClient(socketPath: file).exchange(.info) }
                == .notReachable(path: file, reason: "it is not a stream socket"))
        let dead = folder + "/dead"
        try #require(bindOnly(dead))
        defer { unlink(dead) }
        #expect(
            failure { () throws(ControlFailure) in _ = try ControlClient(socketPath: dead).exchange(.info) }
                == .notReachable(path: dead, reason: "connection refused"))
        #expect(
            ControlFailure.notReachable(path: dead, reason: "connection refused").message
                == "berthd does not answer on \(dead): connection refused")
    }

    @Test("a path longer than a socket's name can be is refused before anything else")
    func longPath() {
        for (count, isRefused) in [(107, false), (108, true)] {
            let path = "/" + String(repeating: "x", count: count - 1)
            let failure = failure { () throws(ControlFailure) in
                _ = try ControlClient(socketPath: path).exchange(.info)
            }
            guard case .notReachable(_, let reason)? = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
            #expect(reason.contains("107") == isRefused)
        }
    }

    private func bindOnly(_ path: String) -> Bool {
        let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(fd) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        } == 0
    }
}
