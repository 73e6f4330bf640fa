import TestSupport
import Testing

/// Requests that are sent again and again over one connection, and the site that answers them: what a user would run,
/// with request filtering and anonymous authentication in the chain and every limit and timer on.
struct Workload: Sendable, CustomTestStringConvertible {
    /// First part of the names of its thresholds.
    let name: String
    let site: String
    let request: String
    /// Requests sent at once.
    var depth = 1
    /// The file that static workloads serve, in octets.
    var fileSize = 13

    var testDescription: String { name }

    /// Hello, World! from a Swift module that was loaded with dlopen; no log.
    static let hello = Workload(name: "hello", site: inProcess("libHelloModule.so"), request: get("/"))

    /// The same with the access log.
    static let helloLogged = Workload(
        name: "hello-logged", site: inProcess("libHelloModule.so") + log, request: get("/"))

    /// The same, 16 requests at once.
    static let pipelined = Workload(
        name: "pipelined", site: inProcess("libHelloModule.so"), request: get("/"), depth: 16)

    /// A file of 13 octets.
    static let staticSmall = Workload(name: "static-13", site: files, request: get("/file.txt"))

    /// A file of 64 KiB.
    static let staticLarge = Workload(
        name: "static-64k", site: files, request: get("/file.txt"), fileSize: 65_536)

    /// Forwarded over a Unix socket to a worker that answers at once.
    static let forwarded = Workload(
        name: "forwarded",
        site: start + "hosting = \"out-of-process\"\naddress = \"unix:$FOLDER/worker.sock\"\n", request: get("/"))

    /// A module in C that asks for memory once a request and lets it go: what shows that allocations are seen.
    static let allocating = Workload(
        name: "echo", site: inProcess("libEchoModule.so"),
        request: "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nfour")

    private static let start = "[site]\nbindings = [\"http://*:$PORT/\"]\n[[application]]\n"
    private static let files = start + "hosting = \"static\"\nroot = \"$FOLDER/www\"\n"
    private static let log = "[[module]]\nname = \"request-logging\"\nfile = \"$FOLDER/log/access.log\"\n"

    private static func inProcess(_ module: String) -> String {
        start + "hosting = \"in-process\"\nisolation = \"none\"\nmodule = \"$BIN/\(module)\"\n"
    }

    /// 339 octets with six fields, about what a browser sends.
    private static func get(_ path: String) -> String {
        let head = """
            GET \(path) HTTP/1.1\r
            Host: localhost\r
            User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r
            Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r
            Accept-Language: en-US,en;q=0.5\r
            Accept-Encoding: gzip, deflate, br\r
            Cookie:
            """
        return head + " " + String(repeating: "c", count: max(0, 339 - head.utf8.count - 5)) + "\r\n\r\n"
    }

    /// Sends `batches` times `depth` requests and takes their answers, each of which must be a 200 as long as the first.
    func run(batches: Int, on client: Client) throws {
        let octets = Array(String(repeating: request, count: depth).utf8)
        try client.send(request)
        let first = try client.receiveResponse()
        guard first.status == 200 else { throw Failure("\(name) was answered \(first.status): \(first.text)") }
        let expected = Array("HTTP/1.1 200 ".utf8)
        for _ in 0..<batches {
            try client.send(octets)
            let answer = try client.receive(count: first.wireCount * depth)
            guard answer.starts(with: expected) else {
                throw Failure("\(name) was answered \(String(decoding: answer.prefix(300), as: UTF8.self))")
            }
        }
    }
}
