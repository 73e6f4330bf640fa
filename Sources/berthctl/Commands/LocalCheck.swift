import BerthConfiguration
import BerthControl
import Glibc

/// Looks for errors in configuration files without the daemon, by the code that the daemon reads them with.
enum LocalCheck {
    /// The installed configuration, read with the rights of the caller.
    static func installed() -> CheckResult {
        result(of: ConfigurationLoader().load(), files: nil)
    }

    /// A folder with a `berth.toml` and a `sites.d`.
    static func directory(_ path: String) -> CheckResult {
        result(of: ConfigurationLoader(configurationDirectory: path).load(), files: nil)
    }

    /// Site files, as if they were the only ones, with the defaults of the installed `berth.toml`.
    static func files(_ paths: [String]) throws(CommandFailure) -> CheckResult {
        var texts: [String: String] = [:]
        var layers: [String] = []
        var named: [String: String] = [:]
        for path in paths {
            guard path.hasSuffix(".toml"), path.split(separator: "/").last != ".toml" else {
                throw CommandFailure(
                    usage: "\(path) is no site file and no folder: a site file is named after its site, SITE.toml")
            }
            let (layer, name) = split(path)
            texts["\(layer)/\(name)"] = try TextFile.read(path)
            named["\(layer)/\(name)"] = path
            if !layers.contains(layer) { layers.append(layer) }
        }
        let installed = ConfigurationLoader().daemonFile
        let loader = ConfigurationLoader(
            siteDirectories: layers,
            // A berth.toml that the caller may not read is no fault of the files he wrote. /nonexistent is what Debian
            // promises never to be there.
            daemonFile: access(installed, R_OK) == 0 ? installed : "/nonexistent/berth.toml",
            files: .over(.system, texts: texts))
        var checked = result(of: loader.load(), files: paths.count)
        for index in checked.diagnostics.indices {
            guard let file = checked.diagnostics[index].file, let path = named[file] else { continue }
            checked.diagnostics[index].file = path
        }
        return checked
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The folder and the name of a file; the folder never ends with a slash.
    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = path[..<slash]
        return (folder.isEmpty ? "/." : String(folder), String(path[path.index(after: slash)...]))
    }

    private static func result(of snapshot: ConfigurationSnapshot, files: Int?) -> CheckResult {
        CheckResult(
            // The loader counts what it looked for, too.
            filesChecked: files ?? snapshot.files.count { access($0, F_OK) == 0 },
            sitesChecked: snapshot.sites.count + snapshot.rejected.count,
            diagnostics: snapshot.diagnostics.map { diagnostic in
                let (location, isPlace) = (diagnostic.location, diagnostic.location.line > 0)
                return DiagnosticRecord(
                    severity: diagnostic.severity == .error ? .error : .warning, kind: diagnostic.kind.rawValue,
                    file: location.file, line: isPlace ? location.line : nil, column: isPlace ? location.column : nil,
                    message: diagnostic.message, hint: diagnostic.advice, sourceLine: diagnostic.sourceLine)
            })
    }
}
