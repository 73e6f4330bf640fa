import Synchronization
import berthctl

/// A terminal that keeps what was written to it.
final class CapturedTerminal: Sendable {
    private let out = Mutex("")
    private let err = Mutex("")

    var output: String { out.withLock { $0 } }
    var errors: String { err.withLock { $0 } }

    /// - Parameter isInteractive: Control characters would steer it.
    func terminal(width: Int? = nil, usesColor: Bool = false, isInteractive: Bool = false) -> Terminal {
        Terminal(
            width: width, usesColor: usesColor, isInteractive: isInteractive,
            out: { text in
                self.out.withLock { $0 += text }
                return true
            },
            err: { text in
                self.err.withLock { $0 += text }
                return true
            })
    }
}
