import Glibc

/// The variables that change what `berthctl` does.
package struct ProcessEnvironment: Sendable {
    /// `BERTH_CONTROL_SOCKET`, when it is not empty.
    package var socketPath: String?
    /// `NO_COLOR` is set and not empty (no-color.org), or the terminal is a dumb one.
    package var refusesColor: Bool
    /// `COLUMNS`, when it is a number.
    package var columns: Int?

    package init(socketPath: String? = nil, refusesColor: Bool = false, columns: Int? = nil) {
        (self.socketPath, self.refusesColor, self.columns) = (socketPath, refusesColor, columns)
    }

    static var current: ProcessEnvironment {
        func value(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        return ProcessEnvironment(
            socketPath: value("BERTH_CONTROL_SOCKET"),
            refusesColor: value("NO_COLOR") != nil || value("TERM") == "dumb",
            columns: value("COLUMNS").flatMap { Int($0) })
    }
}
