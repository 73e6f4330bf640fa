import BerthControl

/// `why SITE`: everything that decides whether a site answers, in the order in which a request meets it.
enum WhyCommand {
    static func run(_ session: Session) throws(CommandFailure) -> ExitStatus {
        let name = session.invocation.arguments[0]
        let site: SiteRecord
        do { site = try session.fetch(.site(name)) } catch {
            throw NameSuggestion.improve(error, name, among: [.site], session)
        }
        let info = try session.fetch(.info, as: DaemonInfo.self)
        let bindings = try session.fetch(.bindings, as: ResourceList<BindingRecord>.self).items
        let pools = try session.fetch(.pools, as: ResourceList<PoolRecord>.self).items
        let events = try session.fetch(.events(follow: false, after: nil), as: ResourceList<EventRecord>.self).items
        let explanation = Explanation(site: site, info: info, bindings: bindings, pools: pools, events: events)
        if session.wantsJSON {
            session.print(json: explanation)
        } else {
            session.print { render(explanation, &$0) }
        }
        return .ok
    }

    static func render(_ explanation: Explanation, _ page: inout Page) {
        let (text, style): (String, Style) =
            switch explanation.verdict {
            case .answers: ("answers", .good)
            case .answersInPart: ("answers, but not everything is well", .warning)
            case .doesNotAnswer: ("does not answer", .bad)
            }
        page.add([(explanation.site, .heading), (" ", nil), (text, style)])
        for finding in explanation.findings {
            let (mark, style): (String, Style?) =
                switch finding.level {
                case .well: ("  + ", .good)
                case .notable: ("  ! ", .warning)
                case .broken: ("  x ", .bad)
                }
            page.add([(mark, style), (finding.message, nil)])
            if let hint = finding.hint { page.add("    " + hint) }
        }
        for diagnostic in explanation.diagnostics {
            page.addBlank()
            page.add(diagnostic)
        }
        guard !explanation.events.isEmpty else { return }
        page.addBlank()
        page.add("what happened last", .heading)
        for event in explanation.events { page.add(StreamCommands.line(event)) }
    }
}
