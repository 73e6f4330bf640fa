import BerthControl

/// Helps somebody who named a site or pool that is not there.
package enum NameSuggestion {
    package enum Subject: Sendable { case site, pool }

    /// The failure with the nearest name that there is, when it says that a name was not found.
    static func improve(
        _ failure: CommandFailure, _ name: String, among subjects: [Subject], _ session: Session
    ) -> CommandFailure {
        guard failure.problem?.kind == .siteNotFound || failure.problem?.kind == .poolNotFound else { return failure }
        var improved = failure
        improved.hint = hint(name, names(subjects, session)) ?? failure.hint
        improved.problem?.nextStep = improved.hint
        return improved
    }

    package static func hint(_ name: String, _ names: [String]) -> String? {
        if let near = NearestName.of(name, among: names) { return "did you mean \(near)?" }
        guard !names.isEmpty else { return "there are none" }
        let shown = names.prefix(8).joined(separator: ", ")
        return "there are: \(shown)" + (names.count > 8 ? " and \(names.count - 8) more" : "")
    }

    /// The names that there are; none when the daemon does not tell.
    static func names(_ subjects: [Subject], _ session: Session) -> [String] {
        var names: [String] = []
        if subjects.contains(.site) {
            names += (try? session.fetch(.sites, as: ResourceList<SiteRecord>.self))?.items.map(\.name) ?? []
        }
        if subjects.contains(.pool) {
            let pools = (try? session.fetch(.pools, as: ResourceList<PoolRecord>.self))?.items.map(\.name) ?? []
            names += pools.filter { !names.contains($0) }
        }
        return names
    }
}
