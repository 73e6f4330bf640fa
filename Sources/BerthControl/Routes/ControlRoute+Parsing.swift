extension ControlRoute {
    /// Finds the resource that a request line names.
    ///
    /// - Parameters:
    ///   - method: As sent; `HEAD` finds what `GET` finds.
    ///   - target: As sent, not cooked: the names of pools contain slashes, which arrive encoded.
    /// - Throws: the problem to answer with: 400 for a target that cannot be read, 404, or 405 with what is allowed.
    public init(method: String, target: String) throws(ProblemDocument) {
        guard target.utf8.count <= Self.targetSizeMax else {
            throw ProblemDocument(.badRequest, detail: "the request target is longer than \(Self.targetSizeMax) octets")
        }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.first, path.utf8.first == UInt8(ascii: "/") else {
            throw ProblemDocument(.badRequest, detail: "the request target is not in origin form, such as /v1/info")
        }
        var segments: [String] = []
        for segment in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let decoded = PercentCoding.decode(segment) else {
                throw ProblemDocument(.badRequest, detail: "the request target is not percent-encoded UTF-8 text")
            }
            segments.append(decoded)
        }
        var query = try ControlQuery(parts.count == 2 ? parts[1] : "")
        let choices = try Self.choices(segments, &query)
        guard !choices.isEmpty else {
            throw ProblemDocument(
                .resourceNotFound, detail: "\(path) is no resource of the control socket",
                nextStep: "The resources are listed in docs/control.md; /v1/info is a good first one.")
        }
        let wanted = method == "HEAD" ? "GET" : method
        guard let choice = choices.first(where: { $0.method == wanted }) else {
            let allowed = choices.map(\.method)
            throw ProblemDocument(
                .methodNotAllowed, detail: "\(path) does not know the method \(method)",
                nextStep: "Use \(allowed.joined(separator: " or ")).",
                allow: allowed.contains("GET") ? allowed + ["HEAD"] : allowed)
        }
        if let left = query.unread.first {
            throw ProblemDocument(.badRequest, detail: "\(path) does not know the query parameter \(left)")
        }
        self = choice
    }

    /// The routes of a path, one for each method it knows; none for a path that is no resource.
    private static func choices(
        _ segments: [String], _ query: inout ControlQuery
    ) throws(ProblemDocument) -> [ControlRoute] {
        guard segments.count >= 2, segments[0] == version, !segments.contains("") else { return [] }
        switch (segments[1], segments.count) {
        case ("info", 2): return [.info]
        case ("sites", 2): return [.sites]
        case ("sites", 3): return [.site(segments[2])]
        case ("sites", 4) where segments[3] == "start": return [.startSite(segments[2])]
        case ("sites", 4) where segments[3] == "stop": return [.stopSite(segments[2])]
        case ("applications", 2): return [.applications]
        case ("pools", 2): return [.pools]
        case ("pools", 3): return [.pool(segments[2])]
        case ("pools", 4) where segments[3] == "start": return [.startPool(segments[2])]
        case ("pools", 4) where segments[3] == "stop": return [.stopPool(segments[2])]
        case ("pools", 4) where segments[3] == "recycle": return [.recyclePool(segments[2])]
        case ("workers", 2): return [.workers]
        case ("bindings", 2): return [.bindings]
        case ("modules", 2): return [.modules]
        case ("requests", 2):
            let filter = RequestFilter(
                site: query.text("site"), pool: query.text("pool"),
                elapsedMillisecondsMin: try query.number("elapsed", max: UInt64.max))
            return [.requests(filter)]
        case ("events", 2):
            return [.events(follow: try query.flag("follow"), after: try query.number("after", max: UInt64.max))]
        case ("metrics", 2): return [.metrics]
        case ("logs", 3):
            let lines = try query.number("lines", max: UInt64(logLinesMax)).map { Int($0) } ?? logLinesDefault
            return [.logs(site: segments[2], follow: try query.flag("follow"), lines: lines)]
        case ("check", 2): return [.check]
        case ("reload", 2): return [.reload(wait: try query.flag("wait"))]
        default: return []
        }
    }
}
