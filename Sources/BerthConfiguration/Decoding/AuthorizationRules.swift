/// Reads the rules of `url-authorization`: `allow` and `deny`, each a list of lines.
///
/// A line is words: `users=alice,bob`, `roles=staff`, `verbs=GET,HEAD`, `path=/admin/`; a word without `=` is a list of
/// users. `*` is everybody, `?` who has not logged in. Source: IIS `<authorization>` (pipeline-and-modules §4).
enum AuthorizationRules {
    static func read(_ key: String, _ reader: TableReader) -> [ModuleSetting] {
        (reader.strings(key) ?? []).compactMap { line in
            if let problem = problem(inLine: line.value) {
                reader.diagnostics.error(
                    .wrongValue, at: line.location, "\(quoted(line.value)) is no rule: \(problem)",
                    "write it like \"users=alice,bob verbs=GET\"")
                return nil
            }
            return ModuleSetting(name: key, value: line.value, location: line.location)
        }
    }

    /// What is wrong with a line; nil where nothing is.
    static func problem(inLine line: String) -> String? {
        var namesSomebody = false
        for word in line.split(separator: " ") {
            let equals = word.firstIndex(of: "=")
            let list = equals.map { String(word[..<$0]) } ?? "users"
            let values = equals.map { word[word.index(after: $0)...] } ?? word
            guard ["users", "roles", "verbs", "path"].contains(list) else {
                return "\(quoted(list)) is none of users, roles, verbs and path"
            }
            namesSomebody = namesSomebody || list == "users" || list == "roles"
            if list == "path" {
                if let problem = URLPath.problem(in: String(values)) { return "its path is wrong: \(problem)" }
                continue
            }
            for value in values.split(separator: ",", omittingEmptySubsequences: false) {
                if value.isEmpty { return "a name is empty" }
                if list == "verbs", !ModuleKeys.isToken(String(value)) {
                    return "\(quoted(String(value))) is no request method"
                }
            }
        }
        return namesSomebody ? nil : "it names neither users nor roles"
    }
}
