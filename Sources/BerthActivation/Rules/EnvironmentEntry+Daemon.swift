import CBerthSystem

extension EnvironmentEntry {
    /// What the daemon was started with, for `ActivationService.init`. Call it before another thread runs.
    public static func ofDaemon() -> [EnvironmentEntry] {
        var entries: [EnvironmentEntry] = []
        var next = cberth_environment()
        while let text = next.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { entries.append(EnvironmentEntry(String(parts[0]), String(parts[1]))) }
            next += 1
        }
        return entries
    }
}
