import Glibc

/// A named pipe: whoever opens it to read waits until the test opens it to write. An event a test sends to any program.
public struct Pipe {
    private let path: String

    public init(at path: String) throws {
        self.path = path
        guard mkfifo(path, 0o600) == 0 else { throw Failure.system("mkfifo \(path)") }
    }

    /// Waits for a reader, gives it `text`, and ends.
    public func open(_ text: String) throws {
        let fd = try Deadline().look("a reader of \(path)") { () -> Int32? in
            let fd = Glibc.open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            return fd >= 0 ? fd : nil
        }
        _ = text.withCString { write(fd, $0, strlen($0)) }
        close(fd)
    }
}
