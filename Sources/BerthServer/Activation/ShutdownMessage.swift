import BerthActivation
import BerthEventLoop
import CBerthSystem
import Glibc

/// The message that asks an ASP.NET Core application to stop: POST .../iisintegration with its pairing token.
///
/// Blocking work, done on the blocking pool: one connection, one request, the status of the answer. 202 is yes.
/// Source: ANCM, graceful stop of a backend.
final class ShutdownMessage: @unchecked Sendable {
    /// Kind of work in the blocking pool.
    private static let kind: UInt32 = 2

    private let endpoint: cberth_endpoint
    private let octets: [UInt8]
    private let timeLimit: UInt64
    /// At an address that stays: the pool keeps it in its list.
    private let job = UnsafeMutablePointer<BlockingPool.Job>.allocate(capacity: 1)
    private let message: UnsafeMutablePointer<Message>

    private init(endpoint: cberth_endpoint, octets: [UInt8], timeLimit: UInt64, message: UnsafeMutablePointer<Message>)
    {
        (self.endpoint, self.octets, self.timeLimit, self.message) = (endpoint, octets, timeLimit, message)
    }

    deinit { job.deallocate() }

    /// Sends it; a message of kind `ControlMessage.shutdownAnswered` follows. False: it could not even be tried.
    static func send(
        to ready: ReadyEndpoint, path: String, worker: UInt32, timeLimit: UInt64, pool: BlockingPool, mailbox: Mailbox
    ) -> Bool {
        guard let endpoint = ready.endpoint.systemEndpoint, let token = ready.token else { return false }
        let prefix = path == "/" ? "" : path
        let request =
            "POST \(prefix)/iisintegration HTTP/1.1\r\nHost: \(ready.endpoint)\r\nMS-ASPNETCORE-EVENT: shutdown\r\n"
            + "MS-ASPNETCORE-TOKEN: \(token.text)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        let message = Message.make(kind: ControlMessage.shutdownAnswered, a: UInt64(worker))
        let exchange = ShutdownMessage(
            endpoint: endpoint, octets: Array(request.utf8), timeLimit: max(timeLimit, 1), message: message)
        let argument = Unmanaged.passRetained(exchange)
        exchange.job.initialize(
            to: BlockingPool.Job(
                kind: kind, mailbox: mailbox, message: message, argument: argument.toOpaque(),
                work: { argument in
                    guard let argument else { return 0 }
                    let exchange = Unmanaged<ShutdownMessage>.fromOpaque(argument).takeUnretainedValue()
                    exchange.message.pointee.b = exchange.isAccepted() ? 1 : 0
                    return 0
                }))
        message.pointee.c = UInt64(UInt(bitPattern: argument.toOpaque()))
        if pool.submit(exchange.job) { return true }
        argument.release()
        Message.free(message)
        return false
    }

    /// The exchange whose message arrived ends its life.
    static func finished(_ message: UnsafeMutablePointer<Message>) {
        if let pointer = UnsafeRawPointer(bitPattern: UInt(message.pointee.c)) {
            Unmanaged<ShutdownMessage>.fromOpaque(pointer).release()
        }
    }

    private func isAccepted() -> Bool {
        let system = cberth_system_linux()
        var endpoint = endpoint
        let fd = system.pointee.connect_to(system, &endpoint)
        if fd < 0 { return false }
        defer { _ = system.pointee.close(system, fd) }
        let deadline = system.pointee.monotonic_nanoseconds(system) &+ timeLimit &* 1_000_000_000
        func wait(_ events: Int32) -> Bool {
            let now = system.pointee.monotonic_nanoseconds(system)
            if now >= deadline { return false }
            var entry = pollfd(fd: fd, events: Int16(events), revents: 0)
            return poll(&entry, 1, Int32(min((deadline - now) / 1_000_000 + 1, 60_000))) > 0
        }
        var sent = 0
        while sent < octets.count {
            if !wait(POLLOUT) { return false }
            let count = octets.withUnsafeBytes { bytes in
                bytes.baseAddress.map { system.pointee.send(system, fd, $0 + sent, octets.count - sent, 0) } ?? -1
            }
            if count < 0 && count != -Int(EAGAIN) { return false }
            sent += max(count, 0)
        }
        // "HTTP/1.1 202" is all there is to know.
        var answer = [UInt8](repeating: 0, count: 12)
        var received = 0
        while received < answer.count {
            if !wait(POLLIN) { return false }
            let count = answer.withUnsafeMutableBytes { bytes in
                bytes.baseAddress.map { system.pointee.receive(system, fd, $0 + received, 12 - received) } ?? -1
            }
            if count == 0 || count < 0 && count != -Int(EAGAIN) { return false }
            received += max(count, 0)
        }
        return answer[9...] == [0x32, 0x30, 0x32]
    }
}
