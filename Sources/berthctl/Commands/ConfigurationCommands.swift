import BerthControl

/// `check` and `reload`.
enum ConfigurationCommands {
    /// Files and folders that are named are checked here, with the rights of the caller; without any, the daemon checks
    /// what it would read, and where it does not answer, the installed configuration is checked here, too.
    static func check(_ session: Session) throws(CommandFailure) -> ExitStatus {
        let paths = session.invocation.arguments
        let result: CheckResult
        if paths.isEmpty {
            do throws(ControlFailure) { result = try session.client.fetch(.check, as: CheckResult.self) } catch {
                switch error {
                case .notReachable, .notPermitted: break
                default: throw CommandFailure(error)
                }
                result = LocalCheck.installed()
                if !session.wantsJSON {
                    session.terminal.writeError(
                        "\(DisplayText.clean(error.message)): checked the installed files without it\n")
                }
            }
        } else if paths.count == 1, LocalCheck.isDirectory(paths[0]) {
            result = LocalCheck.directory(paths[0])
        } else {
            result = try LocalCheck.files(paths)
        }
        if session.wantsJSON { session.print(json: result) } else { session.print { render(result, &$0) } }
        return result.isValid ? .ok : .configurationHasErrors
    }

    static func reload(_ session: Session) throws(CommandFailure) -> ExitStatus {
        let result = try session.show(.reload(wait: session.invocation.has("wait")), as: ReloadResult.self) {
            render($0, &$1)
        }
        return result.diagnostics.contains { $0.severity == .error } ? .configurationHasErrors : .ok
    }

    static func render(_ result: CheckResult, _ page: inout Page) {
        for diagnostic in result.diagnostics { page.add(diagnostic) }
        if result.filesChecked == 0, result.isValid {
            page.add("there is nothing to check: no berth.toml, and no file in sites.d", .warning)
            return
        }
        let files = Quantity.count(result.filesChecked, "file")
        let sites = Quantity.count(result.sitesChecked, "site")
        let warnings = result.diagnostics.count { $0.severity == .warning }
        if result.isValid {
            let also = warnings == 0 ? "" : ", with \(Quantity.count(warnings, "warning"))"
            page.add("\(files) with \(sites): no errors\(also)", warnings == 0 ? .good : .warning)
        } else {
            let errors = result.diagnostics.count { $0.severity == .error }
            page.add("\(files) with \(sites): \(Quantity.count(errors, "error"))", .bad)
        }
    }

    static func render(_ result: ReloadResult, _ page: inout Page) {
        guard result.isComplete else {
            page.add("the configuration is being read; berthctl status says how it went")
            return
        }
        for diagnostic in result.diagnostics { page.add(diagnostic) }
        page.add("generation \(result.generation) of the configuration is in use", .good)
        for (label, names, style) in [
            ("added", result.added, Style.good), ("changed", result.changed, .good), ("removed", result.removed, .good),
            ("stale", result.stale, .warning), ("rejected", result.rejected, .bad),
        ] where !names.isEmpty {
            page.add(label: label, names.joined(separator: ", "), style)
        }
    }
}
