import Glibc

/// Where the output goes, and what it can show.
package struct Terminal: Sendable {
    /// The columns of a line; `nil` where lines may have any length (a file, a pipe).
    package var width: Int?
    package var usesColor: Bool
    /// Output goes to a terminal, which control characters would steer.
    package var isInteractive: Bool
    private let out: @Sendable (String) -> Bool
    private let err: @Sendable (String) -> Bool

    package init(
        width: Int? = nil, usesColor: Bool = false, isInteractive: Bool = false,
        out: @escaping @Sendable (String) -> Bool, err: @escaping @Sendable (String) -> Bool
    ) {
        (self.width, self.usesColor, self.isInteractive) = (width, usesColor, isInteractive)
        (self.out, self.err) = (out, err)
    }

    package static func standard(_ environment: ProcessEnvironment) -> Terminal {
        let isInteractive = isatty(STDOUT_FILENO) == 1
        return Terminal(
            width: isInteractive ? environment.columns ?? columns() : nil,
            usesColor: isInteractive && !environment.refusesColor, isInteractive: isInteractive,
            out: { writeAll($0, to: STDOUT_FILENO) }, err: { writeAll($0, to: STDERR_FILENO) })
    }

    /// Returns `false` when nobody reads any more.
    @discardableResult
    package func write(_ text: String) -> Bool { out(text) }

    package func writeError(_ text: String) { _ = err(text) }

    package func complain(_ message: String, hint: String?) {
        writeError("berthctl: " + DisplayText.clean(message) + "\n")
        if let hint { writeError("  " + DisplayText.clean(hint) + "\n") }
    }

    private static func columns() -> Int? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    private static func writeAll(_ text: String, to fd: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                // Somebody else made the descriptor non-blocking, and it is ours no less.
                var entry = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
