import BerthControl

/// The commands that show one collection as a table.
enum ListCommands {
    static func sites(_ session: Session) throws(CommandFailure) -> ExitStatus {
        guard let name = session.invocation.arguments.first else {
            _ = try session.show(.sites, as: ResourceList<SiteRecord>.self) { list, page in
                render(list.items, &page)
                addTruncation(list.truncated, &page)
            }
            return .ok
        }
        do {
            _ = try session.show(.site(name), as: SiteRecord.self) { site, page in render(site, &page) }
        } catch { throw NameSuggestion.improve(error, name, among: [.site], session) }
        return .ok
    }

    static func applications(_ session: Session) throws(CommandFailure) -> ExitStatus {
        try list(session, .applications) { (items: [ApplicationRecord], page) in render(items, &page) }
    }

    static func pools(_ session: Session) throws(CommandFailure) -> ExitStatus {
        try list(session, .pools) { (items: [PoolRecord], page) in render(items, &page) }
    }

    static func workers(_ session: Session) throws(CommandFailure) -> ExitStatus {
        try list(session, .workers) { (items: [WorkerRecord], page) in render(items, now: session.now, &page) }
    }

    static func bindings(_ session: Session) throws(CommandFailure) -> ExitStatus {
        try list(session, .bindings) { (items: [BindingRecord], page) in render(items, &page) }
    }

    static func modules(_ session: Session) throws(CommandFailure) -> ExitStatus {
        try list(session, .modules) { (items: [ModuleRecord], page) in render(items, &page) }
    }

    static func requests(_ session: Session) throws(CommandFailure) -> ExitStatus {
        let filter = RequestFilter(
            site: session.invocation.text("site"), pool: session.invocation.text("pool"),
            elapsedMillisecondsMin: try session.invocation.milliseconds("slower-than"))
        return try list(session, .requests(filter)) { (items: [RequestRecord], page) in render(items, &page) }
    }

    private static func list<Item: Codable & Sendable>(
        _ session: Session, _ route: ControlRoute, _ render: ([Item], inout Page) -> Void
    ) throws(CommandFailure) -> ExitStatus {
        _ = try session.show(route, as: ResourceList<Item>.self) { list, page in
            render(list.items, &page)
            addTruncation(list.truncated, &page)
        }
        return .ok
    }

    private static func addTruncation(_ isTruncated: Bool, _ page: inout Page) {
        if isTruncated { page.add("there are more than the daemon shows at once", .faint) }
    }
}
