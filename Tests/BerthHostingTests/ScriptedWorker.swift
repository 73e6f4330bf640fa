import BerthHosting
import CBerthSystem
import Glibc
import Synchronization
import TestSupport

/// A worker process that does what the test says, on a thread for each connection.
final class ScriptedWorker: @unchecked Sendable {
    typealias Script = @Sendable (Wire, Int) -> Void

    let id: UInt64
    private var endpoint = cberth_endpoint()
    private let listening = Listening()
    private let script: Script
    private let connectionCount = Atomic<Int>(0)
    private static let ids = Atomic<UInt64>(100)

    /// - Parameters:
    ///   - unix: listens on a Unix socket, else on a loopback port.
    ///   - script: called with each connection and its number, from 1 on; the connection is closed when it returns.
    init(unix: Bool = false, backlog: Int32 = 128, script: @escaping Script) {
        id = Self.ids.add(1, ordering: .relaxed).newValue
        self.script = script
        if unix {
            endpoint.address.family = 1
            // An abstract name, which leaves nothing behind.
            let name = "@berth-worker-\(getpid())-\(id)"
            withUnsafeMutableBytes(of: &endpoint.path) { $0.copyBytes(from: name.utf8) }
        } else {
            cberth_address_parse("127.0.0.1", &endpoint.address)
        }
        listen(backlog: backlog)
    }

    /// One that answers every request the same way until the connection ends.
    convenience init(unix: Bool = false, answering answer: String = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") {
        self.init(unix: unix) { wire, _ in
            while wire.request() != nil { wire.send(answer) }
        }
    }

    var connections: Int { connectionCount.load(ordering: .relaxed) }

    func ready(token: String = "") -> ReadyWorker { ReadyWorker(id: id, endpoint: endpoint, pairingToken: token) }

    private func listen(backlog: Int32) {
        let system = cberth_system_linux()
        let descriptor = system.pointee.listen_on(system, &endpoint, backlog)
        if endpoint.address.family != 1 { _ = system.pointee.local_address(system, descriptor, &endpoint.address) }
        _ = fcntl(descriptor, F_SETFL, 0)
        listening.begin(descriptor)
        Self.onThread { [listening, script, weak self] in
            while true {
                let fd = accept(descriptor, nil, nil)
                if fd < 0 { break }
                guard let number = self?.connectionCount.add(1, ordering: .relaxed).newValue else {
                    Glibc.close(fd)
                    break
                }
                Self.onThread { script(Wire(fd), number) }
            }
            listening.end()
        }
    }

    /// Takes no more connections; those that are open go on.
    func stopListening() { listening.refuse() }

    deinit { stopListening() }

    /// Runs `body` on a thread of its own, which is a server's, not the test's.
    static func onThread(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_create(
            &thread, &attributes,
            {
                if let argument = $0 { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, Unmanaged.passRetained(Box(body)).toOpaque())
        pthread_attr_destroy(&attributes)
    }
}

/// The descriptor that a thread accepts from. Only that thread closes it, when it has done with it: another worker's
/// descriptor may be given the same number at once, and its connections would be taken from it.
private final class Listening: Sendable {
    private let descriptor = Mutex<Int32>(-1)

    func begin(_ fd: Int32) { descriptor.withLock { $0 = fd } }

    /// Makes `accept` fail now and from now on.
    func refuse() { descriptor.withLock { if $0 >= 0 { shutdown($0, Int32(SHUT_RDWR)) } } }

    func end() {
        descriptor.withLock {
            if $0 >= 0 { close($0) }
            $0 = -1
        }
    }
}

/// What a thread is to do.
private final class Box {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Something that happens once on one thread and is waited for on another.
final class Signal<Value: Sendable>: @unchecked Sendable {
    private let values = Mutex<[Value]>([])
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }
    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func send(_ value: Value) {
        values.withLock { $0.append(value) }
        sem_post(semaphore)
    }

    /// The oldest value that nobody took; nil when none comes.
    func wait() -> Value? {
        var deadline = Deadline.wallClock
        while sem_timedwait(semaphore, &deadline) != 0 { if errno != EINTR { return nil } }
        return values.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }
}
