public import BerthEventLoop
import BerthHTTP
import BerthListener
import CBerthSystem

/// What the control thread tells a loop. Each loop gets a message of its own.
extension Forwarder {
    /// Kinds of messages that belong to `handle`: 16 through 31.
    public static let messageKinds: Range<UInt32> = 16..<32
    private enum MessageKind {
        static let settings: UInt32 = 16
        static let workers: UInt32 = 17
        static let startFailed: UInt32 = 18
        static let workerGone: UInt32 = 19
        static let offline: UInt32 = 20
        static let removed: UInt32 = 21
        static let poolStopped: UInt32 = 22
    }

    private final class SettingsUpdate: Sendable {
        let settings: ForwardingSettings
        init(_ settings: ForwardingSettings) { self.settings = settings }
    }
    private final class WorkersUpdate: Sendable {
        let workers: [ReadyWorker]
        init(_ workers: [ReadyWorker]) { self.workers = workers }
    }
    private final class Text: Sendable {
        let octets: [UInt8]
        init(_ octets: [UInt8]) { self.octets = octets }
    }

    // MARK: Making them (any thread)

    /// The application exists, or its settings have changed. Comes before everything else about it.
    public static func settingsMessage(
        application: UInt32, _ settings: ForwardingSettings
    ) -> UnsafeMutablePointer<Message> {
        .make(MessageKind.settings, application, SettingsUpdate(settings))
    }

    /// All workers that take requests now. One that was there and is not any more gets no new request; those it has are
    /// finished, and then `workerReleased` is posted. Ends an offline page, and answers `workerWanted`.
    public static func workersMessage(application: UInt32, _ workers: [ReadyWorker]) -> UnsafeMutablePointer<Message> {
        .make(MessageKind.workers, application, WorkersUpdate(workers))
    }

    /// There is no worker and there will be none for those that wait: they get 502.5. The next request asks again.
    ///
    /// - Parameter reason: for administrators: what failed, why, and what to do. Cut after 2 048 octets.
    public static func startFailedMessage(application: UInt32, reason: String) -> UnsafeMutablePointer<Message> {
        .make(MessageKind.startFailed, application, Text(Array(reason.utf8.prefix(2048))))
    }

    /// A worker has ended, or is about to: it gets no new request. As leaving it out of `workersMessage`.
    public static func workerGoneMessage(application: UInt32, worker: UInt64) -> UnsafeMutablePointer<Message> {
        Message.make(kind: MessageKind.workerGone, a: UInt64(application), b: worker)
    }

    /// The application shows this page with 503 until workers are published again. Cut after 256 KiB.
    public static func offlineMessage(application: UInt32, page: [UInt8]) -> UnsafeMutablePointer<Message> {
        .make(MessageKind.offline, application, Text(Array(page.prefix(scratchSize))))
    }

    /// The application's pool takes no requests any more, and its queue says so: those that wait get 503 with its reason.
    public static func poolStoppedMessage(application: UInt32) -> UnsafeMutablePointer<Message> {
        Message.make(kind: MessageKind.poolStopped, a: UInt64(application))
    }

    /// The application is configured no more. Requests that run are finished; its number may be given again when each of
    /// its workers was released.
    public static func removedMessage(application: UInt32) -> UnsafeMutablePointer<Message> {
        Message.make(kind: MessageKind.removed, a: UInt64(application))
    }

    // MARK: Taking them

    /// A message whose kind is in `messageKinds`. The caller frees it.
    public func handle(_ message: UnsafeMutablePointer<Message>) {
        let number = UInt32(truncatingIfNeeded: message.pointee.a)
        let word = message.pointee.b
        let a = application(number)
        switch message.pointee.kind {
        case MessageKind.settings:
            guard let update = Message.takeObject(SettingsUpdate.self, from: word) else { return }
            configure(a, number, update.settings)
        case MessageKind.workers:
            guard let update = Message.takeObject(WorkersUpdate.self, from: word), a.pointee.isConfigured else {
                return
            }
            publish(a, update.workers)
        case MessageKind.startFailed:
            guard let text = Message.takeObject(Text.self, from: word), a.pointee.isConfigured else { return }
            a.pointee.startRequested = false
            Self.replace(&a.pointee.failure, text.octets)
            failAllWaiting(a)
        case MessageKind.workerGone:
            if let worker = find(a, id: word) { retire(a, worker) }
        case MessageKind.offline:
            guard let text = Message.takeObject(Text.self, from: word), a.pointee.isConfigured else { return }
            a.pointee.isOffline = true
            a.pointee.startRequested = false
            Self.replace(&a.pointee.offlinePage, text.octets)
            publishNothing(a)
            wakeAll(a)
        case MessageKind.poolStopped:
            a.pointee.startRequested = false
            wakeAll(a)
        case MessageKind.removed:
            if !a.pointee.isConfigured { return }
            a.pointee.startRequested = false
            publishNothing(a)
            Self.replace(&a.pointee.failure, Array("The application was removed from the configuration.".utf8))
            failAllWaiting(a)
        default: break
        }
    }

    private func configure(
        _ a: UnsafeMutablePointer<ForwardingApplication>, _ number: UInt32, _ settings: ForwardingSettings
    ) {
        a.pointee.forwarder = self
        a.pointee.number = number
        a.pointee.isConfigured = true
        a.pointee.requestTimeout = Self.nanoseconds(settings.requestTimeoutMilliseconds)
        a.pointee.queueTimeLimit = Self.nanoseconds(settings.queueTimeLimitMilliseconds)
        a.pointee.idleTime = Self.nanoseconds(settings.idleConnectionMilliseconds)
        a.pointee.doubtTime = Self.nanoseconds(settings.doubtMilliseconds)
        a.pointee.refusedTime = Self.nanoseconds(settings.refusedMilliseconds)
        a.pointee.connectionsMax = settings.connectionsMax
        a.pointee.idleConnectionsMax = settings.idleConnectionsMax
        a.pointee.isManaged = settings.isManaged
        a.pointee.disablesStartUpErrorPage = settings.disableStartUpErrorPage
        a.pointee.forwardsUpgrades = settings.forwardsUpgrades
        // A limit that was raised lets waiting requests go on.
        wakeNext(a)
    }

    private static func nanoseconds(_ milliseconds: UInt64) -> UInt64 {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? 0 : product
    }

    private func publish(_ a: UnsafeMutablePointer<ForwardingApplication>, _ workers: [ReadyWorker]) {
        a.pointee.startRequested = false
        a.pointee.isOffline = false
        for index in 0..<a.pointee.workerCount {
            guard let known = a.pointee.workers.map({ $0 + index }) else { break }
            if known.pointee.id != 0 && !workers.contains(where: { $0.id == known.pointee.id }) { retire(a, known) }
        }
        for worker in workers where worker.id != 0 {
            if let known = find(a, id: worker.id) {
                known.pointee.isSuspect = false
                known.pointee.isRetired = false
            } else {
                add(a, worker)
            }
        }
        resolveDoubts(a)
        wakeNext(a)
    }

    private func publishNothing(_ a: UnsafeMutablePointer<ForwardingApplication>) {
        for index in 0..<a.pointee.workerCount {
            if let known = a.pointee.workers.map({ $0 + index }), known.pointee.id != 0 { retire(a, known) }
        }
    }

    func find(
        _ a: UnsafeMutablePointer<ForwardingApplication>, id: UInt64
    ) -> UnsafeMutablePointer<WorkerEndpoint>? {
        for index in 0..<a.pointee.workerCount {
            if let known = a.pointee.workers.map({ $0 + index }), known.pointee.id == id, id != 0 { return known }
        }
        return nil
    }

    private func add(_ a: UnsafeMutablePointer<ForwardingApplication>, _ worker: ReadyWorker) {
        var slot = 0
        while slot < a.pointee.workerCount, a.pointee.workers?[slot].id != 0 { slot += 1 }
        if slot == a.pointee.workerCapacity {
            // Connections know their worker by its slot, so the array may move.
            let capacity = max(2, slot * 2)
            let grown = UnsafeMutablePointer<WorkerEndpoint>.allocate(capacity: capacity)
            if let old = a.pointee.workers {
                grown.update(from: old, count: slot)
                old.deallocate()
            }
            a.pointee.workers = grown
            a.pointee.workerCapacity = capacity
        }
        guard let workers = a.pointee.workers else { return }
        var field: OctetRun = .none
        let token = worker.pairingToken.utf8.prefix(ReadyWorker.pairingTokenMax).filter { $0 > 0x20 && $0 < 0x7f }
        if !token.isEmpty { Self.replace(&field, Array("MS-ASPNETCORE-TOKEN: ".utf8) + token + [0x0d, 0x0a]) }
        (workers + slot).initialize(
            to: WorkerEndpoint(id: worker.id, endpoint: worker.endpoint, tokenField: field))
        if slot == a.pointee.workerCount { a.pointee.workerCount += 1 }
    }

    private func retire(
        _ a: UnsafeMutablePointer<ForwardingApplication>, _ worker: UnsafeMutablePointer<WorkerEndpoint>
    ) {
        if worker.pointee.isRetired { return }
        worker.pointee.isRetired = true
        if worker.pointee.connections == 0 { releaseWorker(a, worker) } else { closeIdle(worker) }
        resolveDoubts(a)
    }

    /// The last connection to a retired worker is closed.
    func releaseWorker(
        _ a: UnsafeMutablePointer<ForwardingApplication>, _ worker: UnsafeMutablePointer<WorkerEndpoint>
    ) {
        state.pointee.control.post(
            Message.make(
                kind: state.pointee.controlMessages.workerReleased, a: UInt64(a.pointee.number),
                b: UInt64(state.pointee.loop.number), c: worker.pointee.id))
        worker.pointee.tokenField.start?.deallocate()
        worker.pointee.tokenField = .none
        worker.pointee.id = 0
    }

    /// Puts a copy of `octets` on the heap in the place of what `run` held.
    private static func replace(_ run: inout OctetRun, _ octets: [UInt8]) {
        run.start?.deallocate()
        run = .none
        if octets.isEmpty { return }
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: octets.count)
        for (index, octet) in octets.enumerated() { memory[index] = octet }
        run = OctetRun(memory, octets.count)
    }
}

extension UnsafeMutablePointer<Message> {
    fileprivate static func make(_ kind: UInt32, _ application: UInt32, _ object: some AnyObject) -> Self {
        Message.make(kind: kind, a: UInt64(application), b: Message.word(retaining: object))
    }
}
