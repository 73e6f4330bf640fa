/// What `berthctl` says to the program that called it.
package enum ExitStatus: Int32, Sendable, CaseIterable {
    case ok = 0
    case failed = 1
    case usage = 2
    case notReachable = 3
    case notPermitted = 4
    case notFound = 5
    case configurationHasErrors = 6

    /// For help and the manual page.
    package var meaning: String {
        switch self {
        case .ok: "done"
        case .failed: "the daemon refused, or something failed"
        case .usage: "the command line is wrong"
        case .notReachable: "the daemon does not answer"
        case .notPermitted: "the caller may not do this"
        case .notFound: "there is no such site, pool or file"
        case .configurationHasErrors: "configuration files have errors"
        }
    }
}
