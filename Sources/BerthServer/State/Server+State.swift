import BerthConfiguration
import BerthListener

/// What outlives the process.
extension Server {
    /// Where the state is, before the configuration was read as a whole.
    static func stateFile(_ options: ServerOptions) -> StateFile? {
        guard case .files(var loader) = options.source else { return nil }
        if let directory = options.stateDirectory { return StateFile(directory: directory) }
        loader.siteDirectories = []
        return StateFile(directory: loader.load().daemon.stateDirectory)
    }

    /// Reads the configuration, with the numbers that sites had before.
    func load(_ loader: ConfigurationLoader) -> ConfigurationSnapshot { Self.load(loader, state) }

    static func load(_ loader: ConfigurationLoader, _ state: DaemonState) -> ConfigurationSnapshot {
        var loader = loader
        loader.rememberedSiteIDs = state.siteIDs
        return loader.load()
    }

    /// Sites and pools that were stopped stay stopped, and those that do not start by themselves; once, before anything is served.
    func applyRemembered() {
        for site in sites where !site.autoStart || state.sites[site.name]?.isStopped == true {
            registry.counters(of: site).isStarted = false
        }
        for pool in configuration.pools where !pool.autoStart || stoppedPools.contains(pool.name) {
            registry.queue(of: pool).state = .disabled
        }
    }

    /// Writes the state down where it has changed.
    func saveState() {
        guard let stateFile else { return }
        var next = state
        next.remember(Dictionary(sites.map { ($0.name, $0.id) }, uniquingKeysWith: { first, _ in first }))
        let isNew = next != savedState
        state = next
        guard isNew else { return }
        if savedState == nil { makeDirectories(stateFile.directory) }
        if let error = stateFile.write(next) {
            DaemonLog.warning(
                "the state cannot be kept in \(stateFile.path): \(error.reason); a restart forgets numbers of sites and what was stopped"
            )
            return
        }
        savedState = next
    }
}
