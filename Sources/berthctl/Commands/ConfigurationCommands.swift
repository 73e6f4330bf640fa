import BerthControl

/// `check` and `reload`.
enum ConfigurationCommands {
    static func check(_ session: Session) throws(CommandFailure) -> ExitStatus {
        let paths = session.invocation.arguments
        var content: [UInt8]?
        if !paths.isEmpty {
            var files: [CheckRequest.File] = []
            for path in paths { files.append(.init(path: path, content: try TextFile.read(path))) }
            content = try? ControlJSON.encode(CheckRequest(files: files))
        }
        let result = try session.show(.check, as: CheckResult.self, content: content) { render($0, &$1) }
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
