import BerthEventLoop
import BerthHTTP
import CBerthSystem
import Glibc
import Synchronization

@testable import BerthListener

/// A listener on a real socket whose clock stands still until a test moves it, and whose peer has acknowledged what the test
/// says. Answers every request with more octets than any socket takes. One thread.
final class ManualFront {
    /// What the listener sees of the outside in the place of the kernel's word.
    private struct Outside {
        var now: UInt64 = 1_000_000_000_000
        var sent: UInt64 = 0
        var acknowledged: UInt64 = 0
    }

    private static let numbers = Mutex<[UInt32]>(Array(100..<200))
    private static let contentSize = 64 << 20

    private let outside: UnsafeMutablePointer<Outside>
    private let system: UnsafeMutablePointer<cberth_system>
    private let loop: EventLoop
    private let listener: Listener
    private let content: UnsafeMutableRawPointer
    private let endpoint: Int32
    private let client: Int32
    let site = SiteCounters()

    init(_ limits: ListenerLimits) throws {
        signal(SIGPIPE, SIG_IGN)
        outside = .allocate(capacity: 1)
        outside.initialize(to: Outside())
        system = .allocate(capacity: 1)
        system.initialize(to: cberth_system_linux().pointee)
        system.pointee.context = UnsafeMutableRawPointer(outside)
        system.pointee.monotonic_nanoseconds = { ManualFront.outside(of: $0)?.pointee.now ?? 0 }
        system.pointee.unsent_octets = { system, _ in
            guard let outside = ManualFront.outside(of: system)?.pointee else { return 0 }
            return Int32(clamping: outside.sent &- min(outside.sent, outside.acknowledged))
        }
        let number = Self.numbers.withLock { $0.removeLast() }
        loop = try EventLoop(number: number, system: system, timersMax: 64)
        var here = cberth_endpoint()
        cberth_address_parse("127.0.0.1", &here.address)
        endpoint = try checked("listen", system.pointee.listen_on(system, &here, 8))
        var bound = cberth_address()
        _ = system.pointee.local_address(system, endpoint, &bound)
        let table = RoutingTable([(URLPrefix(host: .weakWildcard, port: UInt32(bound.port), path: "/"), 0)])
        let target = RouteTarget(
            site: site, queue: RequestQueue(name: "pool", lengthMax: 10), chain: nil, siteID: 1,
            applicationPathLength: 0)
        var limits = limits
        limits.connectionsMax = 16
        listener = try Listener(
            loop: loop, limits: limits,
            snapshot: ListenerSnapshot.make(
                generation: 1, table: table, targets: [target],
                ports: [Int32(table.indexOfPort(UInt32(bound.port)) ?? -1)]),
            daemon: DaemonCounters(), extensionSize: 0, serverField: nil, errorLog: ErrorLog(fd: -1) { _ in })
        guard let content = cberth_reserve(Self.contentSize) else { throw SystemError("mmap", ENOMEM) }
        self.content = content
        // It keeps little unread.
        client = try LoopbackClient.connect(to: bound.port, receiveBuffer: 8192)
        _ = listener.addEndpoint(0, fd: endpoint, address: bound)
    }

    deinit {
        listener.closeAllConnections()
        turn()
        close(client)
        close(endpoint)
        munmap(content, Self.contentSize)
    }

    private static func outside(of system: UnsafePointer<cberth_system>) -> UnsafeMutablePointer<Outside>? {
        system.pointee.context?.assumingMemoryBound(to: Outside.self)
    }

    // MARK: What happens

    /// Whether the connection is still there.
    var isOpen: Bool { listener.connectionCount > 0 }
    /// Octets that the kernel has taken.
    var sent: UInt64 { listener.counters.octetsSent }
    /// Octets that the peer has acknowledged, as far as the listener can know.
    var acknowledged: UInt64 {
        get { outside.pointee.acknowledged }
        set { outside.pointee.acknowledged = newValue }
    }

    /// Asks for the content and goes on until the socket takes no more of it; false when that does not happen.
    func ask() -> Bool {
        let request = Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
        guard send(client, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return false }
        var quiet = 0
        for _ in 0..<10_000 where quiet < 20 {
            let before = sent
            turn()
            quiet = sent > 0 && sent == before ? quiet + 1 : 0
            _ = poll(nil, 0, 1)
        }
        return quiet == 20
    }

    /// No new connections from now on.
    func stopAccepting() { listener.stopAccepting() }

    /// Moves the clock, and lets the listener see it.
    func pass(milliseconds: UInt64) {
        outside.pointee.now += milliseconds * 1_000_000
        for _ in 0..<3 { turn() }
    }

    private func turn() {
        loop.wait(block: false)
        while let work = loop.nextWork() {
            outside.pointee.sent = sent
            switch work {
            case .ready(let token, let bits): listener.handle(token, bits)
            case .expired(let token): listener.expired(token)
            case .message(let message): Message.free(message)
            }
            answer()
        }
    }

    private func answer() {
        repeat {
            while let request = listener.nextReady() {
                if request.pointee.events.contains(.start) {
                    var head = ResponseStart(status: 200, contentLength: Int64(Self.contentSize))
                    _ = listener.start(request, &head)
                    _ = listener.writeTail(
                        request, file: -1, memory: UnsafePointer(content.assumingMemoryBound(to: UInt8.self)),
                        offset: 0,
                        count: UInt64(Self.contentSize))
                    listener.end(request)
                }
                request.pointee.events = []
                listener.finish(request)
            }
            listener.flush()
            while let request = listener.nextFinished() { listener.release(request) }
        } while listener.hasWork
    }
}
