import BerthActivation
import BerthHosting

/// `app_offline.htm` in an application's root: its workers are stopped, its requests get that page with 503 until it is
/// removed. Source: ANCM §9.1 of its behaviour (file watcher, polling application).
extension ActivationBridge {
    /// The control loop has found the watch ready.
    func offlineChanged() {
        for number in offline.changes() {
            // A folder that was replaced has lost its watch.
            if let root = applications[number]?.root { offline.follow(number, root: root) }
            lookForOffline(number)
        }
    }

    func lookForOffline(_ number: UInt32) {
        guard let known = applications[number] else { return }
        let page = offline.page(of: number)
        if page == known.offlinePage { return }
        applications[number]?.offlinePage = page
        let id = ApplicationID(rawValue: number)
        if let page {
            if known.offlinePage == nil {
                DaemonLog.notice("\(known.name): \(OfflineWatch.fileName) is there: its workers are stopped")
                if known.isManaged { service.setOffline(true, id) }
                takeEvents()
            }
            server.post { Forwarder.offlineMessage(application: number, page: page) }
        } else {
            DaemonLog.notice("\(known.name): \(OfflineWatch.fileName) is gone: the next request finds the application")
            if known.isManaged { service.setOffline(false, id) }
            takeEvents()
            let workers = applications[number]?.workers ?? []
            server.post { Forwarder.workersMessage(application: number, workers) }
        }
    }

    /// The root of an application that is about to be configured, and the page there.
    func followRoot(_ root: String?, _ number: UInt32) -> [UInt8]? {
        guard let root else {
            offline.forget(number)
            return nil
        }
        offline.follow(number, root: root)
        return offline.page(of: number)
    }

    func isOffline(_ application: ApplicationID) -> Bool { applications[application.rawValue]?.offlinePage != nil }
}
