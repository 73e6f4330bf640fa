@testable import BerthConfiguration

/// Configuration files: whatever stands in them, the outcome is a snapshot that can be run, or errors that can be found.
enum ConfigurationProperties {
    private static let siteFile = "/s/shop.toml"
    private static let daemonFile = "/b.toml"
    private static let webConfigFile = "/srv/shop/web.config"
    private static let plainSite = Array(
        "[site]\nbindings = [\"http://*:8080/\"]\n[[application]]\nroot = \"/srv/shop\"\n".utf8)

    /// The text as a site's file, and as the daemon's beside a plain site.
    static func checkTOML(_ input: [UInt8]) throws {
        try check([siteFile: input])
        try check([siteFile: plainSite, daemonFile: input])
    }

    static func checkWebConfig(_ input: [UInt8]) throws {
        try check([siteFile: plainSite, webConfigFile: input])
    }

    private static func check(_ texts: [String: [UInt8]]) throws {
        let snapshot = load(texts)
        let names = snapshot.sites.map(\.name) + snapshot.rejected.map(\.name)
        try require(names == ["shop"], "the sites are \(names)")
        let errors = snapshot.diagnostics.filter { $0.severity == .error && $0.location.file != daemonFile }
        try require(
            snapshot.rejected.isEmpty == errors.isEmpty,
            snapshot.rejected.isEmpty ? "taken in spite of \(errors)" : "rejected without an error")
        for diagnostic in snapshot.diagnostics { try check(diagnostic, texts) }
        for site in snapshot.sites { try check(site, snapshot) }
        // Nothing but the files decides. Looked at for some inputs only: it doubles the cost.
        if let text = texts.values.first, Pieces.hash(of: text) % 8 == 0 {
            try require(load(texts).diagnostics == snapshot.diagnostics, "read again, something else is wrong")
        }
    }

    private static func load(_ texts: [String: [UInt8]]) -> ConfigurationSnapshot {
        let files = FileAccess(
            read: { (path, limit) throws(FileAccess.Failure) in
                guard let text = texts[path] else { throw .notFound }
                if text.count > limit { throw .tooLarge }
                return text
            },
            list: { (folder, _) throws(FileAccess.Failure) in
                if folder != "/s" { throw .notFound }
                return ["shop.toml"]
            },
            kind: { path in texts[path] != nil ? .file : path == "/srv/shop" ? .directory : .absent })
        var loader = ConfigurationLoader(siteDirectories: ["/s"], daemonFile: daemonFile, files: files)
        loader.variable = { $0 == "HOME" ? "/home/x" : nil }
        return loader.load()
    }

    /// It names a file that is there, and a place in it: a line that the file has, and a column on that line or at its end.
    private static func check(_ diagnostic: ConfigurationDiagnostic, _ texts: [String: [UInt8]]) throws {
        let place = diagnostic.location
        try require(!diagnostic.message.isEmpty, "nothing said at \(place)")
        let rendered = diagnostic.rendered()
        try require(rendered.hasPrefix(diagnostic.description), "rendered as \(rendered)")
        try require(
            !rendered.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" && $0 != "\t" || $0.value == 0x7f },
            "a control character reaches the terminal: \(diagnostic.kind)")
        guard let text = texts[place.file] else {
            throw Violation(description: "at \(place), which is not there: \(diagnostic.message)")
        }
        if place.line == 0 { return }
        try require(place.line >= 1 && place.column >= 1, "no place: \(diagnostic.description)")
        // UTF-16: lines are not to be told by octets.
        if text.contains(0) { return }
        let lines = lines(of: text, isXML: place.file == webConfigFile)
        try require(place.line <= lines.count, "line \(place.line) of \(lines.count): \(diagnostic.description)")
        // A column counts characters; octets that are none count one each at most.
        let length = lines[place.line - 1].count
        try require(
            place.column <= length + 1, "column \(place.column) of \(length): \(diagnostic.description)")
    }

    /// XML knows three ends of a line (XML 1.0 §2.11), TOML two of them.
    private static func lines(of text: [UInt8], isXML: Bool) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        for (index, octet) in text.enumerated() {
            let isEnd = octet == 0x0a || isXML && octet == 0x0d && text[(index + 1)...].first != 0x0a
            if !isEnd { continue }
            lines.append(text[start..<index])
            start = index + 1
        }
        return lines + [text[start...]]
    }

    private static func check(_ site: Site, _ snapshot: ConfigurationSnapshot) throws {
        try require(!site.bindings.isEmpty && site.id > 0, "a site without a binding, or without a number")
        try require(site.applications.contains { $0.path == "/" }, "no application for /")
        for application in site.applications {
            try require(snapshot.pool(named: application.pool) != nil, "the pool \(application.pool) is missing")
            try require(application.path.utf8.first == 0x2f, "an application at \(application.path)")
        }
        for binding in site.bindings { try PrefixProperties.check(Array(binding.text.utf8)) }
        try require(Set(site.bindings.map(\.key)).count == site.bindings.count, "one binding twice")
    }
}
