import BerthControl
import BerthEventLoop
import BerthHTTP
import BerthListener
import BerthPipeline
import CBerthModule
import CBerthSystem
import Glibc

/// The control socket, served by the daemon's own engine on the control loop: one Unix endpoint, one chain, one handler.
///
/// Requests are answered at once, but for a reload that waits for the loops, and for answers that are followed. Control
/// thread only.
final class ControlService {
    /// Connections at a time. Ours: some administrators, some scripts, and those who follow events.
    static let connectionsMax = 256
    /// Answers that go on at a time. Ours.
    static let followersMax = 64
    /// Connections the kernel keeps until they are accepted. Ours.
    private static let backlog: Int32 = 64
    /// What the routing table knows the socket by: any number above the ports.
    private static let portKey: UInt32 = 65_536

    let listener: Listener
    let pipeline: Pipeline
    let path: String
    unowned let server: Server
    private let descriptor: Int32
    private let isInherited: Bool
    /// Names this object, which lives as long as the daemon.
    private var chain: UnsafeMutablePointer<ModuleChain>?
    /// Exchanges that wait for the loops, or for something to say.
    private(set) var waiting: [ControlExchange] = []

    /// - Parameter inherited: the descriptor that the service manager handed over, or -1.
    init(server: Server, path: String, inherited: Int32) throws(SystemError) {
        let system = server.system
        self.server = server
        self.path = path
        isInherited = inherited >= 0
        guard var endpoint = ListeningEndpoint.unix(path) else { throw SystemError("bind", ENAMETOOLONG) }
        if inherited >= 0 {
            descriptor = inherited
        } else {
            server.makeDirectories(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)))
            descriptor = try checked("bind", system.pointee.listen_on(system, &endpoint, Self.backlog))
            // Until here others may connect, and are refused: who is there counts, not the mode alone.
            try checked("chmod", system.pointee.change_mode(system, path, 0o660))
        }
        var limits = ListenerLimits()
        limits.connectionsMax = Self.connectionsMax
        limits.daemonConnectionsMax = UInt64(Self.connectionsMax)
        limits.entityOctetsMax = UInt64(ControlRoute.contentSizeMax)
        let empty = ListenerSnapshot.make(generation: 0, table: RoutingTable([]), targets: [], ports: [])
        listener = try Listener(
            loop: server.loop, limits: limits, snapshot: empty, daemon: DaemonCounters(),
            extensionSize: Pipeline.extensionSize, serverField: nil,
            errorLog: ErrorLog(fd: -1) { DaemonLog.warning("control socket: \(String(cString: $0))") })
        pipeline = Pipeline(listener: listener, blockingPool: server.blockingPool)

        let table = RoutingTable([(URLPrefix(host: .strongWildcard, port: Self.portKey, path: "/"), 0)])
        let port = table.indexOfPort(Self.portKey).map { Int32($0) } ?? -1
        let chain = ModuleChain.make([.executeRequestHandler: [entry]], siteName: "control")
        self.chain = chain
        let target = RouteTarget(
            site: SiteCounters(), queue: RequestQueue(name: "control", lengthMax: 0), chain: chain, siteID: 0,
            applicationPathLength: 0)
        ListenerSnapshot.destroy(
            listener.replaceSnapshot(
                ListenerSnapshot.make(generation: 1, table: table, targets: [target], ports: [port])))
        try checked("epoll_ctl", listener.addEndpoint(0, fd: descriptor, address: endpoint.address))
    }

    /// The socket belongs to whom the daemon will run as; one of the service manager's is the service manager's to give.
    func give(to user: UInt32, _ group: UInt32) {
        if isInherited { return }
        let result = server.system.pointee.change_owner(server.system, path, user, group)
        if result < 0 {
            DaemonLog.warning("the control socket \(path) stays root's: \(SystemError("chown", -result).reason)")
        }
    }

    /// Ends every connection. After the last turn of the loop.
    func close() {
        listener.stopAccepting()
        listener.closeAllConnections()
        pipeline.drain()
        _ = server.system.pointee.close(server.system, descriptor)
        if !isInherited { _ = server.system.pointee.remove_file(server.system, path) }
    }

    /// Once a second.
    func tick() {
        listener.tick()
        seconds += 1
        if seconds.isMultiple(of: Self.keepAliveSeconds) {
            for exchange in waiting where exchange.route.isFollowed && exchange.written == exchange.output.count {
                exchange.needsKeepAlive = true
            }
        }
        // Workers' lines are no events: those who follow them are asked to look.
        if !waiting.isEmpty { wake() }
    }

    private var seconds = 0
    /// Seconds between signs of life on a silent stream of events. WHATWG HTML §9.2.7 advises 15.
    private static let keepAliveSeconds = 15

    // MARK: The handler

    private static let pending = Int32(truncatingIfNeeded: BERTH_PENDING)
    private static let finish = Int32(truncatingIfNeeded: BERTH_FINISH)

    private var entry: ChainEntry {
        ChainEntry(
            function: { context, view in
                guard let context else { return ControlService.finish }
                return Unmanaged<ControlService>.fromOpaque(context).takeUnretainedValue().begin(
                    Pipeline.request(of: view))
            },
            resumed: { context, view, event, _ in
                guard let context else { return ControlService.finish }
                return Unmanaged<ControlService>.fromOpaque(context).takeUnretainedValue()
                    .resume(Pipeline.request(of: view), event)
            },
            context: Unmanaged.passUnretained(self).toOpaque(), module: 0)
    }

    private func begin(_ request: UnsafeMutablePointer<Request>) -> Int32 {
        do throws(ProblemDocument) {
            guard let peer = listener.peerCredentials(request), ControlAccess.isPermitted(peer) else {
                throw ProblemDocument(
                    .notPermitted, detail: "the control socket is for root and for the daemon's own user and group",
                    nextStep: "Try it with sudo, or become a member of the daemon's group.")
            }
            let view = Pipeline.view(of: request)
            let route = try ControlRoute(
                method: Self.text(view.pointee.method), target: Self.text(view.pointee.target))
            if server.isStopping, route.requiredRole > .view {
                throw ProblemDocument(.daemonStopping, detail: "the daemon is stopping; nothing is changed any more")
            }
            let exchange = ControlExchange(route: route, handle: listener.handle(of: request))
            if route == .check, request.pointee.head.flags.contains(.hasContent) {
                try requireJSON(request)
                attach(exchange, request)
                return read(request, exchange)
            }
            attach(exchange, request)
            return respond(request, exchange)
        } catch {
            return refuse(request, error)
        }
    }

    private func resume(_ request: UnsafeMutablePointer<Request>, _ event: UInt32) -> Int32 {
        guard let exchange = exchange(of: request), event != UInt32(truncatingIfNeeded: BERTH_EVENT_CLIENT_GONE) else {
            return end(request)
        }
        switch exchange.phase {
        case .reading: return read(request, exchange)
        case .installing(let generation, let result):
            guard server.installedGeneration >= generation else { return Self.pending }
            return send(request, exchange) { () throws(ProblemDocument) in try .json(result) }
        case .collecting(let collection, let make):
            guard collection.isComplete(at: server.loop.now) else { return Self.pending }
            waiting.removeAll { $0 === exchange }
            return send(request, exchange) { () throws(ProblemDocument) in try make(collection) }
        case .writing, .following: return write(request, exchange)
        }
    }

    // MARK: Content

    private func requireJSON(_ request: UnsafeMutablePointer<Request>) throws(ProblemDocument) {
        let field = FieldSlice.first(.contentType, in: request.pointee.fields, Int(request.pointee.head.fieldCount))
        let value = field.map { field in
            String(
                decoding: UnsafeBufferPointer(
                    start: request.pointee.headStart + Int(field.pointee.valueOffset),
                    count: Int(field.pointee.valueLength)),
                as: UTF8.self)
        }
        let mediaType = value?.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        guard mediaType == ControlJSON.mediaType else {
            throw ProblemDocument(
                .unsupportedMediaType, detail: "the content is \(value ?? "of no type"), not \(ControlJSON.mediaType)",
                nextStep: "Send the field Content-Type: \(ControlJSON.mediaType).")
        }
    }

    private func read(_ request: UnsafeMutablePointer<Request>, _ exchange: ControlExchange) -> Int32 {
        while true {
            switch listener.content(of: request) {
            case .octets(let start, let count):
                exchange.content += UnsafeBufferPointer(start: start, count: count)
                listener.consumeContent(request, count)
            case .wait: return Self.pending
            case .end: return respond(request, exchange)
            case .failed(.tooLarge):
                return refuse(
                    request,
                    ProblemDocument(
                        .contentTooLarge, detail: "the content is longer than \(ControlRoute.contentSizeMax) octets"))
            case .failed(.malformed):
                return refuse(request, ProblemDocument(.badRequest, detail: "the content is not framed as announced"))
            case .failed: return end(request)
            }
        }
    }

    // MARK: Answers

    private func respond(_ request: UnsafeMutablePointer<Request>, _ exchange: ControlExchange) -> Int32 {
        send(request, exchange) { () throws(ProblemDocument) in try answer(exchange) }
    }

    private func send(
        _ request: UnsafeMutablePointer<Request>, _ exchange: ControlExchange,
        _ make: () throws(ProblemDocument) -> ControlAnswer
    ) -> Int32 {
        do throws(ProblemDocument) {
            switch try make() {
            case .content(let status, let mediaType, let octets):
                exchange.phase = .writing
                exchange.output = octets
                guard start(request, status, mediaType, length: Int64(octets.count)) else { return end(request) }
            case .followed(let mediaType, let octets):
                guard waiting.count < Self.followersMax else {
                    throw ProblemDocument(
                        .busy, detail: "\(Self.followersMax) answers are being followed already",
                        nextStep: "End one of them, or ask without follow.")
                }
                exchange.phase = .following
                exchange.output = octets
                guard start(request, 200, mediaType, length: -1) else { return end(request) }
                waiting.append(exchange)
            case .whenInstalled(let generation, let result):
                exchange.phase = .installing(generation, result)
                waiting.append(exchange)
                return resume(request, 0)
            case .whenCollected(let collection, let make):
                exchange.phase = .collecting(collection, make)
                waiting.append(exchange)
                return Self.pending
            }
        } catch {
            return refuse(request, error)
        }
        return write(request, exchange)
    }

    /// Writes what there is room for.
    private func write(_ request: UnsafeMutablePointer<Request>, _ exchange: ControlExchange) -> Int32 {
        while true {
            while exchange.written < exchange.output.count {
                let room = listener.room(request)
                if room == 0 {
                    if request.pointee.isBroken { return end(request) }
                    listener.waitForRoom(request)
                    return Self.pending
                }
                let count = min(room, exchange.output.count - exchange.written)
                let isTaken = exchange.output.withUnsafeBufferPointer { buffer in
                    buffer.baseAddress.map { listener.write(request, $0 + exchange.written, count) } ?? false
                }
                guard isTaken else { return end(request) }
                exchange.written += count
            }
            guard case .following = exchange.phase, !listener.isBodiless(request) else { return end(request) }
            (exchange.output, exchange.written) = (more(exchange), 0)
            if exchange.output.isEmpty { return Self.pending }
        }
    }

    private func start(
        _ request: UnsafeMutablePointer<Request>, _ status: UInt16, _ mediaType: StaticString, length: Int64,
        allow: String? = nil
    ) -> Bool {
        let allowed = Array((allow ?? "").utf8)
        return allowed.withUnsafeBufferPointer { allowed in
            let fields = [
                ResponseField(name: OctetRun("Content-Type"), value: OctetRun(mediaType)),
                ResponseField(name: OctetRun("Cache-Control"), value: OctetRun("no-store")),
                ResponseField(name: OctetRun("Allow"), value: OctetRun(allowed.baseAddress, allowed.count)),
            ]
            return fields.withUnsafeBufferPointer { fields in
                var head = ResponseStart(status: status, contentLength: length)
                head.fields = fields.baseAddress
                head.fieldCount = allow == nil ? 2 : 3
                return pipeline.startResponse(request, &head) == nil
            }
        }
    }

    private func refuse(_ request: UnsafeMutablePointer<Request>, _ problem: ProblemDocument) -> Int32 {
        let octets = (try? ControlJSON.encode(problem)) ?? []
        if start(
            request, UInt16(clamping: problem.status), "application/problem+json", length: Int64(octets.count),
            allow: problem.allow?.joined(separator: ", "))
        {
            _ = octets.withUnsafeBufferPointer { buffer in
                buffer.baseAddress.map { listener.write(request, $0, buffer.count) }
            }
        }
        return end(request)
    }

    // MARK: Exchanges of requests

    private func attach(_ exchange: ControlExchange, _ request: UnsafeMutablePointer<Request>) {
        Pipeline.handlerState(of: request).pointee = Message.word(retaining: exchange)
    }

    private func exchange(of request: UnsafeMutablePointer<Request>) -> ControlExchange? {
        UnsafeRawPointer(bitPattern: UInt(Pipeline.handlerState(of: request).pointee)).map {
            Unmanaged<ControlExchange>.fromOpaque($0).takeUnretainedValue()
        }
    }

    private func end(_ request: UnsafeMutablePointer<Request>) -> Int32 {
        let state = Pipeline.handlerState(of: request)
        if let exchange = Message.takeObject(ControlExchange.self, from: state.pointee) {
            waiting.removeAll { $0 === exchange }
        }
        state.pointee = 0
        return Self.finish
    }

    /// Something has happened that exchanges may wait for: events, lines of a log, a generation installed.
    func wake() {
        for exchange in waiting { exchange.handle.complete(0) }
    }

    private static func text(_ octets: berth_octets) -> String {
        guard let start = octets.start else { return "" }
        return String(decoding: UnsafeBufferPointer(start: start, count: Int(octets.count)), as: UTF8.self)
    }
}
