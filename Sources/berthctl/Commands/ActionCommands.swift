import BerthControl

/// `start`, `stop` and `recycle`.
enum ActionCommands {
    static func start(_ session: Session) throws(CommandFailure) -> ExitStatus {
        try act(session, site: ControlRoute.startSite, pool: ControlRoute.startPool)
    }

    static func stop(_ session: Session) throws(CommandFailure) -> ExitStatus {
        try act(session, site: ControlRoute.stopSite, pool: ControlRoute.stopPool)
    }

    static func recycle(_ session: Session) throws(CommandFailure) -> ExitStatus {
        let name = session.invocation.arguments[0]
        do { try perform(.recyclePool(name), session) } catch {
            guard error.problem?.kind == .poolNotFound else { throw error }
            // A site's pools bear other names than the site as often as not.
            if let site = try? session.fetch(.site(name), as: SiteRecord.self) {
                var pools: [String] = []
                for case let pool? in site.applications.map(\.pool) where !pools.contains(pool) { pools.append(pool) }
                var failure = error
                failure.hint =
                    pools.isEmpty
                    ? "\(name) is a site without a pool"
                    : "\(name) is a site; its pools: \(pools.joined(separator: ", "))"
                failure.problem?.nextStep = failure.hint
                throw failure
            }
            throw NameSuggestion.improve(error, name, among: [.pool], session)
        }
        return .ok
    }

    /// Does to a site what is asked, or to a pool when no site bears the name or `--pool` says so.
    private static func act(
        _ session: Session, site: (String) -> ControlRoute, pool: (String) -> ControlRoute
    ) throws(CommandFailure) -> ExitStatus {
        let name = session.invocation.arguments[0]
        do throws(CommandFailure) {
            if session.invocation.has("pool") {
                try perform(pool(name), session)
                return .ok
            }
            do { try perform(site(name), session) } catch {
                guard error.problem?.kind == .siteNotFound, !session.invocation.has("site") else { throw error }
                do { try perform(pool(name), session) } catch {
                    guard error.problem?.kind == .poolNotFound else { throw error }
                    throw CommandFailure(
                        .refused(ProblemDocument(.siteNotFound, detail: "there is no site and no pool named \(name)")))
                }
            }
        } catch {
            let subjects: [NameSuggestion.Subject] =
                session.invocation.has("pool") ? [.pool] : session.invocation.has("site") ? [.site] : [.site, .pool]
            throw NameSuggestion.improve(error, name, among: subjects, session)
        }
        return .ok
    }

    private static func perform(_ route: ControlRoute, _ session: Session) throws(CommandFailure) {
        _ = try session.show(route, as: ActionResult.self) { result, page in
            render(result, isRecycle: route.isRecycle, &page)
        }
    }

    static func render(_ result: ActionResult, isRecycle: Bool, _ page: inout Page) {
        let subject = "\(result.subject.rawValue) \(result.name)"
        if isRecycle {
            page.add("\(subject): its workers are being replaced", .good)
        } else if result.previousState == result.state {
            page.add("\(subject): was \(result.state.rawValue) already")
        } else {
            page.add("\(subject): \(result.previousState.rawValue) → \(result.state.rawValue)", .good)
        }
    }
}

extension ControlRoute {
    fileprivate var isRecycle: Bool {
        if case .recyclePool = self { true } else { false }
    }
}
