import BerthConfiguration
import BerthEventLoop
import CBerthSystem

/// Reading the configuration again when its files change (`[daemon] watch`).
extension Server {
    /// Begins, goes on or ends, as berth.toml says now. After each load.
    func updateWatch() {
        guard case .files(let loader) = options.source else { return }
        guard configuration.daemon.watch else {
            endWatch()
            return
        }
        if watch == nil {
            do throws(SystemError) {
                let fresh = try ConfigurationWatch(system)
                let result = loop.register(
                    fresh.descriptor, EPOLLIN.rawValue, EventToken(kind: TokenKind.watch, index: 0, generation: 1))
                if result < 0 {
                    fresh.close()
                    throw SystemError("epoll_ctl", -result)
                }
                watch = fresh
            } catch {
                DaemonLog.warning("the configuration is not watched: \(error.reason); berthctl reload reads it")
                return
            }
        }
        for sentence in watch?.watch(loader) ?? [] { DaemonLog.warning(sentence) }
    }

    private func endWatch() {
        guard let old = watch else { return }
        _ = loop.deregister(old.descriptor)
        old.close()
        watch = nil
        forgetChanges()
    }

    /// What has changed so far is being read.
    func forgetChanges() {
        loop.cancel(watchTimer)
        (watchTimer, firstChange) = (.none, nil)
    }

    /// Something has happened in a watched folder.
    func watchReady() {
        guard let watch, watch.takeEvents(), !isStopping else { return }
        loop.updateTime()
        let first = firstChange ?? loop.now
        firstChange = first
        loop.cancel(watchTimer)
        watchTimer = loop.schedule(
            at: ConfigurationWatch.deadline(first: first, now: loop.now),
            EventToken(kind: TokenKind.watchTimer, index: 0, generation: 1))
    }

    /// The files have been left alone for a moment.
    func watchTimerFired() {
        forgetChanges()
        if isStopping { return }
        DaemonLog.notice("reloading the configuration (its files have changed)")
        reload()
    }
}
