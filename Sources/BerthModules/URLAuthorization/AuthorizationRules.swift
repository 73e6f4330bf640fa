internal import CBerthModule
internal import Glibc

/// The rules of one instance, in plain memory.
///
/// A rule is written as words: `users=alice,bob`, `roles=staff`, `verbs=GET,HEAD`, `path=/admin/`; a word without `=`
/// is a list of users. `*` is everybody, `?` who has not logged in. Roles are names of a group file (`name: user user`),
/// read when the module is made; a rule keeps the users they stand for.
struct AuthorizationRules {
    /// Longest group file that is read, in octets. Ours.
    static let groupFileMax = 1 << 20

    /// A rule as it was read.
    struct Rule {
        var denies: Bool
        var everybody = false
        var anonymous = false
        var users: [String] = []
        var verbs: [String] = []
        var path = ""
    }

    private struct FlatRule {
        let denies: Bool
        let everybody: Bool
        let anonymous: Bool
        let anyVerb: Bool
        let users: NameSet
        let verbs: NameSet
        let path: berth_octets
    }

    private let rules: UnsafeMutablePointer<FlatRule>
    private let count: Int

    init(_ all: [Rule]) {
        count = all.count
        rules = .allocate(capacity: max(1, count))
        for (index, rule) in all.enumerated() {
            rules.advanced(by: index).initialize(
                to: FlatRule(
                    denies: rule.denies, everybody: rule.everybody, anonymous: rule.anonymous,
                    anyVerb: rule.verbs.isEmpty, users: NameSet(rule.users, ignoresCase: false),
                    verbs: NameSet(rule.verbs, ignoresCase: false), path: .copy(of: rule.path)))
        }
    }

    func deallocate() {
        for index in 0..<count {
            rules[index].users.deallocate()
            rules[index].verbs.deallocate()
            rules[index].path.deallocate()
        }
        rules.deallocate()
    }

    /// Whether the caller may do what the request asks for.
    func allow(_ request: RequestPointer) -> Bool {
        let user = request.pointee.user
        var isAllowed = false
        for index in 0..<count {
            let rule = rules.advanced(by: index)
            guard isAllowed == false || rule.pointee.denies else { continue }
            guard rule.pointee.anyVerb || rule.pointee.verbs.contains(request.pointee.method) else { continue }
            guard Self.covers(rule.pointee.path, request.pointee.path) else { continue }
            let names =
                rule.pointee.everybody
                || (user.count == 0 ? rule.pointee.anonymous : rule.pointee.users.contains(user))
            guard names else { continue }
            if rule.pointee.denies { return false }
            isAllowed = true
        }
        return isAllowed
    }

    /// Whether `path` is `prefix` or below it: whole segments, without regard to case, as applications are selected.
    static func covers(_ prefix: berth_octets, _ path: berth_octets) -> Bool {
        guard prefix.count > 0, let wanted = prefix.start, let start = path.start else { return prefix.count == 0 }
        var length = prefix.length
        if wanted[length - 1] == 0x2f { length -= 1 }
        guard path.length >= length else { return false }
        for index in 0..<length where lowered(start[index]) != lowered(wanted[index]) { return false }
        return path.length == length || start[length] == 0x2f
    }
}

// MARK: Reading

extension AuthorizationRules {
    static func read(_ reader: inout SettingsReader) -> [Rule] {
        var groups: [String: [String]] = [:]
        if let file = reader.file("groups") {
            groups = readGroups(file.path, location: file.location, &reader)
        }
        var rules: [Rule] = []
        for denies in [true, false] {
            for setting in reader.list(denies ? "deny" : "allow") {
                if let rule = rule(setting, denies: denies, groups, &reader) { rules.append(rule) }
            }
        }
        return rules
    }

    private static func rule(
        _ setting: SettingsReader.Setting, denies: Bool, _ groups: [String: [String]], _ reader: inout SettingsReader
    ) -> Rule? {
        var rule = Rule(denies: denies)
        var namesSomebody = false
        for word in setting.value.split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = parts.count == 2 ? String(parts[0]) : "users"
            let values = parts[parts.count - 1].split(separator: ",").map(String.init)
            switch key {
            case "users":
                namesSomebody = true
                rule.everybody = rule.everybody || values.contains("*")
                rule.anonymous = rule.anonymous || values.contains("?")
                rule.users += values.filter { $0 != "*" && $0 != "?" }
            case "roles":
                namesSomebody = true
                for role in values {
                    guard let users = groups[role] else {
                        reader.problem("there is no role '\(role)' in the group file", at: setting)
                        continue
                    }
                    rule.users += users
                }
            case "verbs": rule.verbs += values
            case "path":
                rule.path = String(parts[parts.count - 1])
                if !rule.path.hasPrefix("/") {
                    reader.problem("'\(word)' is no path; write one that begins with a slash", at: setting)
                }
            default:
                reader.problem("'\(key)' is unknown here; write users=, roles=, verbs= or path=", at: setting)
            }
        }
        if !namesSomebody { reader.problem("the rule names nobody; write users= or roles=", at: setting) }
        return namesSomebody ? rule : nil
    }

    /// A line a group, `name: user user`; `#` begins a comment.
    private static func readGroups(
        _ path: String, location: String, _ reader: inout SettingsReader
    ) -> [String: [String]] {
        var groups: [String: [String]] = [:]
        let text: String
        switch SmallFile.read(path, octetsMax: groupFileMax) {
        case .success(let octets): text = String(decoding: octets, as: UTF8.self)
        case .failure(let error):
            reader.problem("cannot read '\(path)': \(error.reason)", at: location)
            return [:]
        }
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = line.prefix { $0 != "#" }
            if content.allSatisfy({ $0 == " " || $0 == "\t" || $0 == "\r" }) { continue }
            guard let colon = content.firstIndex(of: ":"), colon != content.startIndex else {
                reader.problem("write 'name: user user'", at: "\(path):\(index + 1)")
                continue
            }
            let users = content[content.index(after: colon)...].split {
                $0 == " " || $0 == "\t" || $0 == "\r" || $0 == ","
            }
            groups[String(content[..<colon]), default: []] += users.map(String.init)
        }
        return groups
    }
}
