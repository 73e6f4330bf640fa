import BerthEventLoop
import BerthHTTP
import CBerthSystem
import Glibc
import Synchronization

@testable import BerthListener

/// Two loops of one daemon and a client of the first. A request is answered with the number of the loop that had it and its
/// path, unless `answer` says something else. One thread.
final class TwoLoops {
    private static let numbers = Mutex<[UInt32]>(Array(200..<256))

    let listeners: [Listener]
    private let loops: [EventLoop]
    private let endpoint: Int32
    let port: UInt16
    private let client: Int32
    let site = SiteCounters()
    let daemon = DaemonCounters()
    let sources: SourceConnections
    /// What becomes of a request that has just been read; true: it was dealt with.
    /// What becomes of a request that waited and may go on; nil: it is finished.
    var resumed: ((UnsafeMutablePointer<Request>) -> Void)?
    var answer: (_ loop: Int, UnsafeMutablePointer<Request>) -> Bool = { _, _ in false }

    /// - Parameter isInherited: somebody else holds the listening socket too.
    init(isInherited: Bool = false) throws {
        signal(SIGPIPE, SIG_IGN)
        let system = cberth_system_linux()
        var here = cberth_endpoint()
        cberth_address_parse("127.0.0.1", &here.address)
        endpoint = try checked("listen", system.pointee.listen_on(system, &here, 8))
        var bound = cberth_address()
        _ = system.pointee.local_address(system, endpoint, &bound)
        guard let sources = SourceConnections(connectionsMax: 64) else { throw SystemError("mmap", ENOMEM) }
        sources.limit = 1
        self.sources = sources
        var limits = ListenerLimits()
        limits.connectionsMax = 16
        var loops: [EventLoop] = []
        var listeners: [Listener] = []
        for _ in 0..<2 {
            let table = RoutingTable([(URLPrefix(host: .weakWildcard, port: UInt32(bound.port), path: "/"), 0)])
            let target = RouteTarget(
                site: site, queue: RequestQueue(name: "pool", lengthMax: 10), chain: nil, siteID: 1,
                applicationPathLength: 0)
            let number = Self.numbers.withLock { $0.removeLast() }
            let loop = try EventLoop(number: number, system: system, timersMax: 64)
            let listener = try Listener(
                loop: loop, limits: limits,
                snapshot: ListenerSnapshot.make(
                    generation: 1, table: table, targets: [target],
                    ports: [Int32(table.indexOfPort(UInt32(bound.port)) ?? -1)]),
                daemon: daemon, extensionSize: 0, serverField: nil, errorLog: ErrorLog(fd: -1) { _ in })
            listener.count(sources)
            // Both know the endpoint; only the first takes connections from it.
            _ = listener.addEndpoint(0, fd: endpoint, address: bound, isInherited: isInherited)
            loops.append(loop)
            listeners.append(listener)
        }
        (self.loops, self.listeners) = (loops, listeners)
        _ = loops[1].deregister(endpoint)
        port = bound.port
        client = try LoopbackClient.connect(to: port)
    }

    deinit {
        for listener in listeners { listener.closeAllConnections() }
        turn()
        close(client)
        close(endpoint)
    }

    /// Sends octets.
    func send(_ text: String) {
        let octets = Array(text.utf8)
        _ = Glibc.send(client, octets, octets.count, Int32(MSG_NOSIGNAL))
    }

    /// All that the client has got and not taken yet.
    func received() -> String {
        var room = [UInt8](repeating: 0, count: 4096)
        let length = recv(client, &room, room.count, Int32(MSG_DONTWAIT))
        return length > 0 ? String(decoding: room[0..<length], as: UTF8.self) : ""
    }

    /// Ends the client's side.
    func finish() { shutdown(client, Int32(SHUT_WR)) }

    /// Lets both loops work until `isDone`, or for ten seconds.
    func run(until isDone: () -> Bool) -> Bool {
        for _ in 0..<10_000 {
            turn()
            if isDone() { return true }
            _ = poll(nil, 0, 1)
        }
        return false
    }

    /// Lets both loops work until the client has as many octets of content as `count` answers have; all it got, in pieces of
    /// content: "0 /a", "1 /b".
    func answers(_ count: Int) -> [String] {
        var got = ""
        func contents() -> [String] {
            got.split(separator: "\r\n", omittingEmptySubsequences: false).filter { $0.hasSuffix(";") }.map {
                String($0.dropLast())
            }
        }
        _ = run {
            got += received()
            return contents().count >= count
        }
        return contents()
    }

    private func turn() {
        for number in 0..<2 {
            let (loop, listener) = (loops[number], listeners[number])
            loop.wait(block: false)
            while let work = loop.nextWork() {
                switch work {
                case .ready(let token, let bits): listener.handle(token, bits)
                case .expired(let token): listener.expired(token)
                case .message(let message): Message.free(message)
                }
                drain(number)
            }
            drain(number)
        }
    }

    private func drain(_ number: Int) {
        let listener = listeners[number]
        repeat {
            while let request = listener.nextReady() {
                let events = request.pointee.events
                request.pointee.events = []
                guard events.contains(.start) else {
                    if let resumed { resumed(request) } else { listener.finish(request) }
                    continue
                }
                if !answer(number, request) { respond(number, request) }
            }
            listener.flush()
            while let request = listener.nextFinished() { listener.release(request) }
        } while listener.hasWork
    }

    func respond(_ number: Int, _ request: UnsafeMutablePointer<Request>) {
        let path = request.pointee.path
        let octets = UnsafeBufferPointer(start: path.start, count: path.length)
        let text = Array("\(number) \(String(decoding: octets, as: UTF8.self));\r\n".utf8)
        var head = ResponseStart(status: 200, contentLength: Int64(text.count))
        _ = listeners[number].start(request, &head)
        text.withUnsafeBufferPointer {
            if let start = $0.baseAddress { _ = listeners[number].write(request, start, $0.count) }
        }
        listeners[number].end(request)
        listeners[number].finish(request)
    }
}
