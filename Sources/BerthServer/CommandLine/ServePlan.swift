import BerthConfiguration
import CBerthModule
import Glibc

/// What `berthd serve` found, and the configuration that serves it.
///
/// The configuration is text, read by the loader like any other, so that a folder means here what it means in a site file.
struct ServePlan: Equatable {
    /// For the line that says what is served: `static files`.
    var description: String
    /// Absolute, without links.
    var path: String
    /// Keys of `[[application]]`.
    private var keys: [String]

    /// The site's name in messages and logs.
    static let siteName = "serve"
    private static let folder = "/serve"

    /// Looks what there is to serve.
    ///
    /// - Parameter isModule: whether a shared library exports the module ABI.
    static func make(
        target: String, command: [String], files: FileAccess = .system, isModule: (String) -> Bool = exportsModule
    ) throws(ProgramFailure) -> ServePlan {
        guard let resolved = realpath(target, nil) else {
            throw ProgramFailure(.noFolder, "cannot serve \(target): \(String(cString: strerror(errno)))")
        }
        let path = String(cString: resolved)
        free(resolved)
        switch files.kind(path) {
        case .directory: return try folder(path, command, files, isModule)
        case .file where command.isEmpty:
            guard isModule(path) else {
                throw ProgramFailure(
                    .noFolder,
                    "\(target) is neither a folder nor a handler module: it exports no \(BERTH_MODULE_REGISTER_SYMBOL)")
            }
            return module(path, path: path)
        default: throw ProgramFailure(.noFolder, "\(target) is no folder")
        }
    }

    private static func folder(
        _ path: String, _ command: [String], _ files: FileAccess, _ isModule: (String) -> Bool
    ) throws(ProgramFailure) -> ServePlan {
        guard let names = try? files.list(path, 65536).sorted() else {
            throw ProgramFailure(.noFolder, "\(path) cannot be read, or holds more than 65536 names")
        }
        if !command.isEmpty {
            return program(command, path: path, description: command.joined(separator: " "))
        }
        if names.contains("web.config"), contains("<aspNetCore", path + "/web.config", files) {
            // Without a word about hosting, web.config decides, and the loader warns where it asks for what is not done.
            return ServePlan(
                description: "an ASP.NET Core application, out-of-process, as web.config says", path: path,
                keys: ["root = \(quoted(path))"])
        }
        let configurations = names.filter { $0.hasSuffix(".runtimeconfig.json") && $0.utf8.count > 19 }
        if let configuration = configurations.first {
            let name = String(configuration.dropLast(19))
            guard configurations.count == 1 else {
                throw ProgramFailure(
                    .noSite,
                    "\(path) holds \(configurations.joined(separator: ", ")): say which, with -- dotnet NAME.dll")
            }
            // A self-contained application brings its runtime, and a program of its own that finds it.
            let isSelfContained = contains("\"includedFrameworks\"", "\(path)/\(configuration)", files)
            let command = isSelfContained && names.contains(name) ? ["./\(name)"] : ["dotnet", "\(name).dll"]
            return program(
                command, path: path,
                description: "the ASP.NET Core application \(name), out-of-process")
        }
        let modules = names.filter { $0.hasSuffix(".so") && isModule("\(path)/\($0)") }
        if let library = modules.first {
            guard modules.count == 1 else {
                throw ProgramFailure(
                    .noSite, "\(path) holds the handler modules \(modules.joined(separator: ", ")): say which one")
            }
            return module("\(path)/\(library)", path: path)
        }
        return ServePlan(
            description: "static files", path: path, keys: ["hosting = \"static\"", "root = \(quoted(path))"])
    }

    private static func program(_ command: [String], path: String, description: String) -> ServePlan {
        ServePlan(
            description: description, path: path,
            keys: [
                "hosting = \"out-of-process\"", "root = \(quoted(path))",
                "command = [\(command.map(quoted).joined(separator: ", "))]",
            ])
    }

    private static func module(_ library: String, path: String) -> ServePlan {
        ServePlan(
            description: "the handler module \(library), in this process", path: path,
            keys: ["hosting = \"in-process\"", "module = \(quoted(library))", "isolation = \"none\""])
    }

    // MARK: The configuration

    /// Seconds that requests may go on after Ctrl-C. Ours: somebody sits before it.
    private static let drainSeconds = 2

    /// - Parameters:
    ///   - address: the one that is listened on, without brackets.
    ///   - scratch: the folder for everything that is written.
    func configuration(address: String, port: UInt16, scratch: String, files: FileAccess = .system)
        -> ConfigurationSnapshot
    {
        let daemon = """
            schema = 1
            [daemon]
            control_socket = \(Self.quoted(scratch + "/control.sock"))
            state_directory = \(Self.quoted(scratch + "/state"))
            runtime_directory = \(Self.quoted(scratch))
            log_directory = \(Self.quoted(scratch + "/log"))
            [timeouts]
            shutdown_drain = "\(Self.drainSeconds)s"
            """
        // All addresses have the wildcard for a prefix; an address stands for itself.
        let host = IPAddress(address)?.isUnspecified == true ? "*" : IPAddress(address)?.urlHost ?? address
        let site = """
            schema = 1
            [site]
            bindings = ["http://\(host):\(port)/"]
            [[application]]
            path = "/"
            \(keys.joined(separator: "\n"))
            """
        let loader = ConfigurationLoader(
            siteDirectories: ["\(Self.folder)/sites.d"], daemonFile: "\(Self.folder)/berth.toml",
            files: .over(
                files,
                texts: ["\(Self.folder)/berth.toml": daemon, "\(Self.folder)/sites.d/\(Self.siteName).toml": site]))
        return loader.load()
    }

    /// What a diagnostic says to somebody who wrote no site file.
    static func text(of diagnostic: ConfigurationDiagnostic) -> String {
        if diagnostic.severity == .error, !diagnostic.location.file.hasPrefix(folder + "/") {
            return diagnostic.rendered()
        }
        let place = diagnostic.location.file.hasPrefix(folder + "/") ? "" : "\(diagnostic.location): "
        return place + diagnostic.message
    }

    /// A string of TOML.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    // MARK: What files hold

    private static func contains(_ text: String, _ path: String, _ files: FileAccess) -> Bool {
        guard let octets = try? files.read(path, 1 << 20) else { return false }
        return octets.withUnsafeBytes { find(Array(text.utf8), in: $0) }
    }

    /// Whether a shared library exports the module ABI, without running any of its code.
    ///
    /// Looks for the name among its strings: one that only mentions it is refused when it is loaded.
    static func exportsModule(_ path: String) -> Bool {
        let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else { return false }
        defer { close(fd) }
        var status = stat()
        guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 4 else { return false }
        let size = Int(status.st_size)
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, fd, 0), start != MAP_FAILED else { return false }
        defer { munmap(start, size) }
        let octets = UnsafeRawBufferPointer(start: start, count: size)
        let isELF = octets.starts(with: [0x7F, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F")])
        return isELF && find([0] + Array(BERTH_MODULE_REGISTER_SYMBOL.utf8) + [0], in: octets)
    }

    private static func find(_ pattern: [UInt8], in octets: UnsafeRawBufferPointer) -> Bool {
        guard let base = octets.baseAddress, let first = pattern.first else { return false }
        var start = 0
        while start + pattern.count <= octets.count {
            guard let hit = memchr(base + start, Int32(first), octets.count - pattern.count - start + 1) else {
                return false
            }
            if memcmp(hit, pattern, pattern.count) == 0 { return true }
            start = UnsafeRawPointer(hit) - base + 1
        }
        return false
    }
}
