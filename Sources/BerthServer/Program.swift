import BerthConfiguration
import BerthEventLoop
import CBerthSystem
import Glibc

/// The command line of `berthd`, and what its exit status means.
public enum Program {
    /// Exit statuses, documented in `berthd --help`.
    enum Status {
        static let ok: Int32 = 0
        static let failed: Int32 = 1
        static let usage: Int32 = 2
        static let noSite: Int32 = 3
        static let portUnavailable: Int32 = 4
        static let notAFolder: Int32 = 5
        static let configuration: Int32 = 6
    }

    /// Runs the program; the result is its exit status.
    public static func main(_ arguments: [String]) -> Int32 {
        cberth_signals_block()
        return run(directory: arguments.count > 2 ? arguments[2] : "/etc/berth")
    }

    private static func run(directory: String) -> Int32 {
        let options = ServerOptions(source: .files(ConfigurationLoader(configurationDirectory: directory)))
        do {
            let server = try Server(options)
            try server.start()
            server.run()
            return Status.ok
        } catch {
            DaemonLog.error("\(error)")
            return Status.failed
        }
    }
}
