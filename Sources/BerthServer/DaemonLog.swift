import CBerthSystem
import Glibc

/// The daemon's own log: lines on standard error, with the journal's priority prefix where standard error is the journal.
///
/// One call, one write. Any thread; not on the request path.
enum DaemonLog {
    private static let isJournal = cberth_standard_error_is_journal() != 0

    static func error(_ text: String) { write(priority: 3, text) }
    static func warning(_ text: String) { write(priority: 4, text) }
    static func notice(_ text: String) { write(priority: 5, text) }
    static func info(_ text: String) { write(priority: 6, text) }

    /// - Parameter priority: 0 through 7, as syslog counts them.
    static func write(priority: Int32, _ text: String) {
        var line = ""
        for part in text.split(separator: "\n", omittingEmptySubsequences: false) {
            line += isJournal ? "<\(min(max(priority, 0), 7))>" : "berthd: \(word(priority))"
            line += part
            line += "\n"
        }
        // A log that cannot be written has nobody to be told.
        _ = line.withUTF8 { Glibc.write(2, $0.baseAddress, $0.count) }
    }

    private static func word(_ priority: Int32) -> String {
        switch priority {
        case ...3: "error: "
        case 4: "warning: "
        default: ""
        }
    }
}
