import BerthConfiguration

/// How a daemon is told to run: where its configuration is, or which configuration it is.
struct ServerOptions {
    enum Source {
        /// Files, read at start and on reload.
        case files(ConfigurationLoader)
        /// Made by the program (`berthd serve`): there is nothing to reload.
        case fixed(ConfigurationSnapshot)
    }

    var source: Source
    /// Overrides what berth.toml says.
    var controlSocket: String?
    var stateDirectory: String?
    /// Where it is no error that the control socket cannot be opened (`berthd serve`).
    var needsControlSocket = true
    /// Listening sockets that the program has opened itself.
    var descriptors: [Int32] = []
    /// Called once everything listens, with the addresses.
    var whenReady: ([String]) -> Void = { _ in }
}
