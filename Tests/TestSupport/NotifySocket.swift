import Glibc

/// The end of `sd_notify` that systemd has: a datagram socket on which a service says how it is.
public final class NotifySocket: @unchecked Sendable {
    public let path: String
    private let fd: Int32
    /// Everything that was said so far.
    public private(set) var messages: [String] = []

    public init(in folder: TemporaryFolder) throws {
        path = folder.path + "/notify"
        fd = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw Failure.system("socket") }
        var address = sockaddr_un(path: path)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw Failure.system("bind \(path)") }
    }

    deinit { close(fd) }

    /// Waits until a line of a message is `line`, said after this call or waiting to be read.
    ///
    /// - Parameter process: who is expected to say it; when it ends, the wait ends.
    public func wait(for line: String, from process: ChildProcess, seconds: Double = Deadline.patience) throws {
        let deadline = Deadline(seconds: seconds)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            while !Deadline(seconds: min(0.2, seconds)).wait(for: POLLIN, of: fd) {
                if !process.isRunning {
                    throw Failure("the daemon ended before \(line): \(try process.wait())\n\(process.output.text)")
                }
                if deadline.hasPassed { throw Failure("no \(line) in \(seconds) s:\n\(process.output.text)") }
            }
            let count = recv(fd, &buffer, buffer.count, 0)
            if count <= 0 { continue }
            let message = String(decoding: buffer[..<count], as: UTF8.self)
            messages.append(message)
            if message.split(separator: "\n").contains(where: { $0 == line }) { return }
        }
    }
}

extension sockaddr_un {
    init(path: String) {
        self.init()
        sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &sun_path) { room in
            for (index, octet) in path.utf8.prefix(room.count - 1).enumerated() { room[index] = octet }
        }
    }
}
