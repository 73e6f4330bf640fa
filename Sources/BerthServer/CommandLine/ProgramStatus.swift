/// What the exit status of `berthd` says.
enum ProgramStatus: Int32, Sendable, CaseIterable {
    case ok = 0
    case failed = 1
    case usage = 2
    case noSite = 3
    case addressUnavailable = 4
    case noFolder = 5
    case configurationHasErrors = 6

    /// For help.
    var meaning: String {
        switch self {
        case .ok: "done; the daemon was told to stop and has stopped"
        case .failed: "the daemon cannot run: its log says why"
        case .usage: "the command line is wrong"
        case .noSite: "serve: nothing there can be served"
        case .addressUnavailable: "serve: the port is taken, or not allowed"
        case .noFolder: "serve: there is no such folder or file"
        case .configurationHasErrors: "check: configuration files have errors"
        }
    }
}
