import BerthEventLoop
import BerthHosting
import BerthListener
import BerthPipeline
import CBerthSystem

/// One loop and the thread that runs it.
final class LoopThread: @unchecked Sendable {
    let number: Int
    let loop: EventLoop
    let listener: Listener
    let pipeline: Pipeline
    let forwarder: Forwarder
    /// Where it reports to.
    private let control: Mailbox
    private var thread: UInt64 = 0
    // Loop thread only from here on.
    private var current: LoopGeneration
    private var retiring: [LoopGeneration] = []
    private var stopDeadline: MonotonicInstant?

    private static let tickKind: UInt8 = 200

    init(
        number: Int, loop: EventLoop, listener: Listener, pipeline: Pipeline, forwarder: Forwarder, control: Mailbox,
        generation: LoopGeneration
    ) {
        (self.number, self.loop, self.listener, self.pipeline) = (number, loop, listener, pipeline)
        (self.forwarder, self.control) = (forwarder, control)
        current = generation
    }

    func start() throws(SystemError) {
        let argument = Unmanaged.passRetained(self)
        let result = loop.system.pointee.thread_start(
            loop.system, "berth-loop-\(number)", { LoopThread.enter($0) }, argument.toOpaque(), &thread)
        if result < 0 {
            argument.release()
            throw SystemError("pthread_create", -result)
        }
    }

    func join() { _ = loop.system.pointee.thread_join(loop.system, thread) }

    private static func enter(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        Unmanaged<LoopThread>.fromOpaque(argument).takeRetainedValue().run()
        return nil
    }

    private func run() {
        scheduleTick()
        let loop = loop
        let listener = listener
        let pipeline = pipeline
        let forwarder = forwarder
        var isStopping = false
        var mayEnd = false
        while true {
            loop.wait(block: true)
            while let work = loop.nextWork() {
                switch work {
                case .ready(let token, let bits):
                    if token.kind < Listener.tokenKinds {
                        listener.handle(token, bits)
                    } else {
                        forwarder.handle(token, bits)
                    }
                case .expired(let token):
                    if token.kind < Listener.tokenKinds {
                        listener.expired(token)
                    } else if token.kind == Self.tickKind {
                        tick()
                    } else {
                        forwarder.expired(token)
                    }
                case .message(let message):
                    // Kept in a local variable: a property of the object would be asked for with every wake-up.
                    if message.pointee.kind == LoopMessage.stop { isStopping = true }
                    if message.pointee.kind == LoopMessage.end { mayEnd = true }
                    handle(message)
                }
                pipeline.drain()
            }
            if isStopping && isStopped(mayEnd: mayEnd) { break }
        }
        for tick in current.ticks { tick(loop.wallSeconds) }
        listener.flushErrorLog()
        control.post(Message.make(kind: ControlMessage.stopped, a: UInt64(number)))
    }

    private func handle(_ message: UnsafeMutablePointer<Message>) {
        switch message.pointee.kind {
        case Listener.completionMessage, Listener.jobMessage:
            listener.completed(message)
            return
        case Listener.attachMessage: listener.attach(message)
        case LoopMessage.install:
            if let next = Message.takeObject(LoopGeneration.self, from: message.pointee.a) { install(next) }
        case LoopMessage.addEndpoint:
            if let addition = Message.takeObject(EndpointAddition.self, from: message.pointee.a) {
                let endpoint = addition.endpoint
                let result = listener.addEndpoint(
                    addition.number, fd: endpoint.descriptor, address: endpoint.endpoint.address,
                    isInherited: endpoint.isInherited)
                if result < 0 {
                    DaemonLog.error(
                        "loop \(number) cannot watch \(endpoint.name): \(SystemError("epoll_ctl", -result))")
                }
            }
        case LoopMessage.removeEndpoint:
            listener.removeEndpoint(Int(message.pointee.a))
        case LoopMessage.errorLogFile:
            listener.replaceErrorLogFile(
                Int32(truncatingIfNeeded: Int64(bitPattern: message.pointee.a)),
                ErrorLogFields(rawValue: UInt32(truncatingIfNeeded: message.pointee.b)))
        case LoopMessage.timers:
            if let change = Message.takeObject(TimerChange.self, from: message.pointee.a) {
                listener.replaceTimers(change.timers)
            }
        case LoopMessage.listRequests:
            if let question = Message.takeObject(RequestQuestion.self, from: message.pointee.a) {
                let (requests, isTruncated) = pipeline.runningRequests(
                    site: question.site, elapsedMin: question.elapsedMin, limit: question.limit)
                let listing = RequestListing(number: question.number, requests: requests, isTruncated: isTruncated)
                control.post(
                    Message.make(kind: ControlMessage.requestsListed, a: Message.word(retaining: listing)))
            }
        case LoopMessage.stop:
            if stopDeadline == nil {
                listener.stopAccepting()
                control.post(Message.make(kind: ControlMessage.acceptsNoMore))
            }
            stopDeadline = MonotonicInstant(nanoseconds: message.pointee.a)
        case Forwarder.messageKinds: forwarder.handle(message)
        default: break
        }
        Message.free(message)
    }

    private func install(_ next: LoopGeneration) {
        _ = listener.replaceSnapshot(next.snapshot)
        retiring.append(current)
        current = next
        pipeline.routeParkedAgain()
        control.post(Message.make(kind: ControlMessage.installed, a: UInt64(number), b: next.number))
        letGo()
    }

    /// Reports generations that no request of this loop holds any more.
    private func letGo() {
        retiring.removeAll { generation in
            if generation.snapshot.pointee.pins > 0 { return false }
            // What a module keeps for this loop is written before its context goes away.
            for tick in generation.ticks { tick(loop.wallSeconds) }
            control.post(Message.make(kind: ControlMessage.retired, a: UInt64(number), b: generation.number))
            return true
        }
    }

    /// Apart from `run`, into which its properties would be hoisted: an access check a turn of the loop.
    @inline(never)
    private func tick() {
        scheduleTick()
        listener.tick()
        forwarder.tick()
        for tick in current.ticks { tick(loop.wallSeconds) }
        if !retiring.isEmpty { letGo() }
    }

    private func scheduleTick() {
        let seconds: UInt64 = stopDeadline == nil ? 1 : 0
        let next = seconds == 0 ? loop.now.adding(milliseconds: 20) : loop.now.adding(seconds: 1)
        _ = loop.schedule(at: next, EventToken(kind: Self.tickKind, index: 0, generation: 1))
    }

    /// Whether a stopping loop has nothing left and will be given nothing, or its time is up; that also where another loop hangs.
    private func isStopped(mayEnd: Bool) -> Bool {
        if mayEnd && listener.connectionCount == 0 && listener.requestCount == 0 { return true }
        guard let stopDeadline, loop.now >= stopDeadline else { return false }
        listener.closeAllConnections()
        pipeline.drain()
        return true
    }
}
