import Glibc
import Synchronization

/// A Unix-socket server on a thread of its own that answers each connection by a script.
///
/// It stops when it goes away: every wait of its thread ends with the pipe that `deinit` closes.
final class ScriptedServer: Sendable {
    /// What happens on a connection once its request has arrived.
    struct Reply: Sendable {
        var octets: [UInt8]
        /// Octets sent at once; all of them where it is `nil`.
        var pieceSize: Int?
        /// The connection stays open after the octets until the client closes it.
        var holdsOpen = false
        /// Answers without waiting for the request to arrive, and reads none of it.
        var isEager = false

        init(_ text: String, pieceSize: Int? = nil, holdsOpen: Bool = false, isEager: Bool = false) {
            octets = Array(text.utf8)
            (self.pieceSize, self.holdsOpen, self.isEager) = (pieceSize, holdsOpen, isEager)
        }

        /// A complete response with a Content-Length.
        static func response(_ status: String, type: String = "application/json", _ content: String) -> Reply {
            Reply(
                "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(content.utf8.count)\r\n\r\n\(content)"
            )
        }
    }

    let path: String
    private let directory: String
    private let listener: Int32
    private let stopper: (read: Int32, write: Int32)
    private let thread: pthread_t
    private let received: Received

    fileprivate final class Received: Sendable {
        let requests = Mutex<[String]>([])
    }

    fileprivate struct Job {
        var listener: Int32
        var stop: Int32
        var reply: @Sendable (String) -> Reply
        var received: Received
    }

    /// - Parameter reply: Gets the request as it was sent, its head and what came with it; called on the thread.
    init(reply: @escaping @Sendable (String) -> Reply) throws {
        struct SetupFailed: Error { var errno: Int32 }
        var template = Array("/tmp/berth-control-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SetupFailed(errno: errno) }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        path = directory + "/s"
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { [path] in $0.copyBytes(from: Array(path.utf8)) }
        let status = withUnsafePointer(to: &address) { [listener] in
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0, listen(listener, 16) == 0 else { throw SetupFailed(errno: errno) }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SetupFailed(errno: errno) }
        stopper = (ends[0], ends[1])
        received = Received()
        let job = Unmanaged.passRetained(
            Box(Job(listener: listener, stop: ends[0], reply: reply, received: received)))
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, scriptedServerThread, job.toOpaque())
        guard code == 0 else { throw SetupFailed(errno: code) }
        self.thread = thread
    }

    deinit {
        close(stopper.write)
        pthread_join(thread, nil)
        close(stopper.read)
        close(listener)
        unlink(path)
        rmdir(directory)
    }

    /// The requests that have arrived, as they were sent.
    var requests: [String] { received.requests.withLock { $0 } }

    fileprivate final class Box {
        private let job: Job
        fileprivate init(_ job: Job) { self.job = job }

        /// Serves one connection after the other until told to stop.
        func run() {
            while waits(job.listener) {
                let fd = accept(job.listener, nil, nil)
                guard fd >= 0 else { return }
                serve(fd)
                close(fd)
            }
        }

        private func serve(_ fd: Int32) {
            var request = ""
            var reply = job.reply("")
            if !reply.isEager {
                guard let arrived = read(fd) else { return }
                request = arrived
                reply = job.reply(request)
            }
            job.received.requests.withLock { $0.append(request) }
            var rest = reply.octets[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(reply.pieceSize ?? rest.count))
                let count = send(fd, piece, piece.count, Int32(MSG_NOSIGNAL))
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
            guard reply.holdsOpen else { return }
            var octet: UInt8 = 0
            while waits(fd), recv(fd, &octet, 1, 0) > 0 {}
        }

        /// A request head, with its content where it says how long that is.
        private func read(_ fd: Int32) -> String? {
            var octets: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while waits(fd) {
                let count = recv(fd, &buffer, buffer.count, 0)
                guard count > 0 else { return nil }
                octets += buffer[..<count]
                let text = String(decoding: octets, as: UTF8.self)
                let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2 else { continue }
                let field = parts[0].split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
                let length = field.flatMap { Int($0.dropFirst("Content-Length: ".count)) } ?? 0
                if parts[1].utf8.count >= length { return text }
            }
            return nil
        }

        /// Waits until `fd` can be read; `false` when the server is to stop.
        private func waits(_ fd: Int32) -> Bool {
            var entries = [
                pollfd(fd: fd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: job.stop, events: Int16(POLLIN), revents: 0),
            ]
            while poll(&entries, 2, -1) < 0, errno == EINTR {}
            return entries[1].revents == 0
        }
    }
}

private func scriptedServerThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<ScriptedServer.Box>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
