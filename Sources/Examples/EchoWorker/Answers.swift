import Glibc

/// What the worker answers, by path:
///
/// - `/pid` its process id
/// - `/echo` the content it got
/// - `/environment` its environment, a variable a line
/// - `/slow?ms=1000` the usual answer, that much later
/// - `/stream?count=10&size=1024&ms=0` chunks of that size, that far apart
/// - `/status/418` that status
/// - `/upgrade` with `Upgrade:`: 101, then an echo of every octet
/// - `/crash` dies of SIGABRT; `/exit/3` exits with 3; `/drop` closes without an answer; `/half` closes amid the content
/// - `POST /iisintegration` with the event `shutdown`: 202, and the worker stops
/// - anything else: what it saw, the request line and a field a line, then the length of the content
///
/// When the host gave it a pairing token, everything without that token is answered 400.
struct Answers {
    let worker: EchoWorker

    /// True when the connection may be kept.
    mutating func answer(_ head: RequestHead, on connection: inout Connection) throws(Connection.Ending) -> Bool {
        let path = pathInApplication(head.path)
        var content: [UInt8]? = path == "/echo" ? [] : nil
        let contentCount = try connection.readContent(head, keepingIn: &content)
        let response = Response(head: head, keeps: head.keepsConnection && !worker.isStopping)

        if let token = worker.environment.token, head["ms-aspnetcore-token"] != token {
            return try response.send("no host of mine\n", status: "400 Bad Request", on: connection)
        }
        if path.lowercased() == "/iisintegration", head.method.uppercased() == "POST",
            head["ms-aspnetcore-event"]?.lowercased() == "shutdown", !worker.ignoresShutdown
        {
            let keeps = try response.send("", status: "202 Accepted", on: connection)
            worker.stop()
            return keeps
        }

        switch path {
        case "/pid": return try response.send("\(getpid())\n", on: connection)
        case "/echo": return try response.send(octets: content ?? [], type: "application/octet-stream", on: connection)
        case "/environment":
            return try response.send(worker.environment.all.joined(separator: "\n") + "\n", on: connection)
        case "/slow": pause(milliseconds: min(head.number("ms", default: 1000), 600_000))
        case "/stream": return try stream(head, response, on: connection)
        case "/upgrade" where head["upgrade"] != nil:
            try connection.send(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: \(head["upgrade"] ?? "")\r\n\r\n")
            try connection.tunnel()
            return false
        case "/crash": abort()
        case "/drop": return false
        case "/half":
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")
            return false
        default: break
        }
        if path.hasPrefix("/exit/"), let status = Int32(path.dropFirst(6)) { exit(status) }
        if path.hasPrefix("/status/"), let status = Int(path.dropFirst(8)), (200...999).contains(status) {
            return try response.send("status \(status)\n", status: "\(status) Asked For", on: connection)
        }
        return try response.send(description(of: head, contentCount), on: connection)
    }

    private func pathInApplication(_ path: String) -> String {
        let base = worker.environment.pathBase
        guard !base.isEmpty, path.lowercased().hasPrefix(base.lowercased()) else { return path }
        let rest = path.dropFirst(base.count)
        return rest.isEmpty ? "/" : rest.hasPrefix("/") ? String(rest) : path
    }

    private func description(of head: RequestHead, _ contentCount: Int) -> String {
        var text = "\(head.method) \(head.target) \(head.version)\n"
        for field in head.fields { text += "\(field.name): \(field.value)\n" }
        return text + "\ncontent: \(contentCount) octets\n"
    }

    private func stream(
        _ head: RequestHead, _ response: Response, on connection: Connection
    ) throws(Connection.Ending) -> Bool {
        let count = min(max(0, head.number("count", default: 10)), 1_000_000)
        let size = min(max(1, head.number("size", default: 1024)), 1 << 20)
        let gap = min(max(0, head.number("ms", default: 0)), 60_000)
        let isChunked = head.version == "HTTP/1.1"
        try connection.send(
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                + (isChunked ? "Transfer-Encoding: chunked\r\n" : "Connection: close\r\n") + "\r\n")
        guard head.method != "HEAD" else { return response.keeps && isChunked }
        let octets = [UInt8](repeating: UInt8(ascii: "x"), count: size)
        let chunk = isChunked ? Array("\(String(size, radix: 16))\r\n".utf8) + octets + [13, 10] : octets
        for index in 0..<count {
            if index > 0 { pause(milliseconds: gap) }
            try connection.send(chunk)
        }
        if isChunked { try connection.send("0\r\n\r\n") }
        return response.keeps && isChunked
    }
}

/// The frame of an answer.
struct Response {
    let head: RequestHead
    /// The connection is kept after it.
    let keeps: Bool

    func send(_ text: String, status: String = "200 OK", on connection: Connection) throws(Connection.Ending) -> Bool {
        try send(octets: Array(text.utf8), status: status, type: "text/plain; charset=utf-8", on: connection)
    }

    func send(
        octets: [UInt8], status: String = "200 OK", type: String, on connection: Connection
    ) throws(Connection.Ending) -> Bool {
        var text = "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(octets.count)\r\n"
        if !keeps {
            text += "Connection: close\r\n"
        } else if head.version == "HTTP/1.0" {
            text += "Connection: keep-alive\r\n"
        }
        text += "\r\n"
        try connection.send(Array(text.utf8) + (head.method == "HEAD" ? [] : octets))
        return keeps
    }
}
