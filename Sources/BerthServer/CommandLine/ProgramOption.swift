/// An option of `berthd`, as parser and help know it.
struct ProgramOption: Sendable {
    /// Without the hyphens.
    var name: String
    /// The name of its value in help; nil for a switch.
    var value: String?
    /// The verbs that know it.
    var verbs: [ProgramVerb]
    /// For help.
    var summary: String

    init(_ name: String, _ value: String? = nil, of verbs: [ProgramVerb], _ summary: String) {
        (self.name, self.value, self.verbs, self.summary) = (name, value, verbs, summary)
    }

    /// `--config DIR`
    var usage: String { "--\(name)" + (value.map { " \($0)" } ?? "") }

    static let all = [
        ProgramOption(
            "config", "DIR", of: [.run, .check],
            "the folder with berth.toml and sites.d, in place of /etc/berth and its two layers"),
        ProgramOption("sites", "DIR", of: [.run, .check], "the folder with the site files, in place of sites.d"),
        ProgramOption("control", "PATH", of: [.run, .serve], "the control socket, whatever berth.toml says"),
        ProgramOption("state", "DIR", of: [.run], "what outlives a restart, whatever berth.toml says"),
        ProgramOption("foreground", of: [.run], "what the daemon does anyway; for scripts that insist on saying so"),
        ProgramOption("port", "N", of: [.serve], "the port to serve on; a free one is taken otherwise"),
        ProgramOption("address", "A", of: [.serve], "the address to serve on; 127.0.0.1 otherwise"),
        ProgramOption("version", of: ProgramVerb.allCases, "the release of this program"),
        ProgramOption("help", of: ProgramVerb.allCases, "this text"),
    ]
}
