/// `berthd --help`, from the tables of options and exit statuses.
enum ProgramHelp {
    static var text: String {
        var lines = [
            "berthd is the Berth daemon: it owns the ports, and serves a site for each file in sites.d.", "", "Usage:",
            "  berthd [--config DIR] [--sites DIR] [--control PATH] [--state DIR]",
            "      serve what is configured; berthctl administers it",
            "  berthd serve FOLDER [--port N] [--address A] [-- PROGRAM ARGUMENTS...]",
            "      serve one folder, without configuration: its files; the application that was published into it",
            "      (web.config or NAME.runtimeconfig.json); the handler module in it; or the program behind --, which",
            "      learns its port from the variable PORT",
            "  berthd serve FILE.so", "      serve one handler module, in this very process",
            "  berthd check [--config DIR] [--sites DIR]",
            "      read the configuration, say everything that is wrong with it, and serve nothing", "", "Options:",
        ]
        let width = ProgramOption.all.map { $0.usage.count }.max() ?? 0
        for option in ProgramOption.all {
            lines.append("  " + option.usage + blanks(width - option.usage.count + 2) + option.summary)
        }
        lines += ["", "Exit status:"]
        for status in ProgramStatus.allCases { lines.append("  \(status.rawValue)  \(status.meaning)") }
        lines += [
            "", "Signals: TERM and INT let requests finish and end the daemon, a second one at once; HUP reads the",
            "configuration again.",
        ]
        return lines.map { $0 + "\n" }.joined()
    }

    private static func blanks(_ count: Int) -> String { String(repeating: " ", count: max(count, 0)) }
}
