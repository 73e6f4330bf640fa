import BerthConfiguration

/// A command line of `berthd`, understood.
struct ProgramInvocation: Sendable, Equatable {
    /// Where the configuration is.
    struct Place: Sendable, Equatable {
        /// Nil: the layers of an installed Berth.
        var directory: String?
        /// Nil: `sites.d` there.
        var sites: String?
    }

    struct Run: Sendable, Equatable {
        var place = Place()
        var controlSocket: String?
        var stateDirectory: String?
    }

    struct Serve: Sendable, Equatable {
        /// A folder, or a shared library.
        var target: String
        /// What stands after `--`: the program to start in the folder.
        var command: [String] = []
        /// Nil: a free one.
        var port: UInt16?
        var address = "127.0.0.1"
        var controlSocket: String?
    }

    enum Request: Sendable, Equatable {
        case run(Run)
        case serve(Serve)
        case check(Place)
        case version
        case help
    }

    /// Why a command line cannot be understood.
    struct Mistake: Error, Equatable {
        var message: String
        /// What was meant, or what to do.
        var advice: String
    }

    /// Understands the words behind the name of the program: options anywhere, `--name value` or `--name=value`; what
    /// stands behind `--` is a command for `serve`.
    static func parse(_ words: [String]) throws(Mistake) -> Request {
        var arguments: [String] = []
        var command: [String]?
        var values: [String: String] = [:]
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                command = Array(rest)
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                arguments.append(word)
                continue
            }
            let (option, attached) = try find(word)
            var value = ""
            if let name = option.value {
                guard let given = attached ?? rest.popFirst(), !given.isEmpty else {
                    throw Mistake(message: "--\(option.name) needs a value", advice: "write --\(option.name) \(name)")
                }
                value = given
            } else if attached != nil {
                throw Mistake(message: "--\(option.name) takes no value", advice: "write --\(option.name)")
            }
            guard values.updateValue(value, forKey: option.name) == nil else {
                throw Mistake(message: "--\(option.name) is given twice", advice: "leave one of them out")
            }
        }
        if values["help"] != nil { return .help }
        if values["version"] != nil { return .version }
        let verb = try takeVerb(&arguments)
        for option in ProgramOption.all where values[option.name] != nil && !option.verbs.contains(verb) {
            let verbs = option.verbs.map { $0 == .run ? "berthd" : "berthd \($0.rawValue)" }
            throw Mistake(
                message: "\(verb == .run ? "berthd" : verb.rawValue) has no use for --\(option.name)",
                advice: "it belongs to \(verbs.joined(separator: " and "))")
        }
        if let command, verb != .serve || command.isEmpty {
            throw Mistake(
                message: verb == .serve ? "no program stands behind --" : "only serve takes a program behind --",
                advice: "write berthd serve FOLDER -- PROGRAM")
        }
        if let extra = arguments.dropFirst(verb == .serve ? 1 : 0).first {
            throw Mistake(message: "\(extra) is one word too many", advice: "berthd --help shows what goes where")
        }
        let place = Place(directory: values["config"], sites: values["sites"])
        switch verb {
        case .run: return .run(Run(place: place, controlSocket: values["control"], stateDirectory: values["state"]))
        case .check: return .check(place)
        case .serve: return .serve(try serve(arguments.first, command ?? [], values))
        }
    }

    private static func find(_ word: String) throws(Mistake) -> (ProgramOption, attached: String?) {
        if word == "-h" { return try find("--help") }
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        if let option = ProgramOption.all.first(where: { "--" + $0.name == name }) {
            return (option, parts.count == 2 ? String(parts[1]) : nil)
        }
        let nearest = NearestName.among(ProgramOption.all.map(\.name), to: String(name.drop { $0 == "-" }))
        throw Mistake(
            message: "there is no option \(name)",
            advice: nearest.map { "did you mean --\($0)?" } ?? "berthd --help lists the options")
    }

    private static func takeVerb(_ arguments: inout [String]) throws(Mistake) -> ProgramVerb {
        guard let word = arguments.first else { return .run }
        if let verb = ProgramVerb(rawValue: word), verb != .run {
            arguments.removeFirst()
            return verb
        }
        let verbs = ProgramVerb.allCases.filter { $0 != .run }.map(\.rawValue)
        throw Mistake(
            message: "there is no command \(word)",
            advice: NearestName.among(verbs, to: word).map { "did you mean \($0)?" }
                ?? "berthd --help lists the commands; berthctl administers a daemon that runs")
    }

    private static func serve(
        _ target: String?, _ command: [String], _ values: [String: String]
    ) throws(Mistake) -> Serve {
        guard let target, !target.isEmpty else {
            throw Mistake(message: "serve needs a folder", advice: "write berthd serve . for the one you are in")
        }
        var serve = Serve(target: target, command: command)
        serve.controlSocket = values["control"]
        if let text = values["port"] {
            guard let port = UInt16(text), text.utf8.first != UInt8(ascii: "+"), port > 0 else {
                throw Mistake(message: "\(text) is no port", advice: "write 1 through 65535")
            }
            serve.port = port
        }
        if let text = values["address"] {
            guard let address = IPAddress(text) else {
                throw Mistake(message: "\(text) is no address", advice: "write one like 127.0.0.1, 0.0.0.0 or ::1")
            }
            serve.address = address.description
        }
        return serve
    }
}
