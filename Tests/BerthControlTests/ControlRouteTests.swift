import BerthControl
import Testing

@Suite("routes of the control socket")
struct ControlRouteTests {
    private static let all: [ControlRoute] = [
        .info, .sites, .site("shop"), .applications, .pools, .pool("shop/api"), .workers, .bindings, .modules,
        .requests(.init()), .requests(.init(site: "a b", pool: "shop/api", elapsedMillisecondsMin: 500)),
        .events(follow: false, after: nil), .events(follow: true, after: 12), .metrics,
        .logs(site: "shop", follow: true, lines: 7),
        .logs(site: "shop", follow: false, lines: ControlRoute.logLinesDefault), .check, .reload(wait: true),
        .reload(wait: false), .startSite("shop"), .stopSite("käse&=?#%"), .startPool("shop/api"), .stopPool("."),
        .recyclePool("shop/api"),
    ]

    @Test("the request line of a route finds the route again", arguments: all)
    func roundTrip(route: ControlRoute) throws {
        #expect(try ControlRoute(method: route.method, target: route.target) == route)
    }

    @Test("a slash within a name is encoded, so that it stays one segment")
    func slash() {
        #expect(ControlRoute.recyclePool("shop/api").target == "/v1/pools/shop%2Fapi/recycle")
    }

    @Test("HEAD finds what GET finds")
    func head() throws {
        #expect(try ControlRoute(method: "HEAD", target: "/v1/info") == .info)
    }

    @Test(
        "a path that is no resource is not found",
        arguments: [
            "/", "/v1", "/v1/", "/v2/info", "/v1/info/", "/v1/info/x", "/v1//info", "/v1/sites/", "/v1/sites/a/b",
            "/v1/sites/a/recycle", "/v1/logs", "/V1/info", "/v1/Info", "/v1/sites/shop/start/now",
        ])
    func notFound(target: String) {
        #expect(problem("GET", target)?.kind == .resourceNotFound)
    }

    @Test("a wrong method is refused with those that are allowed")
    func method() {
        #expect(problem("DELETE", "/v1/info")?.kind == .methodNotAllowed)
        #expect(problem("DELETE", "/v1/info")?.allow == ["GET", "HEAD"])
        #expect(problem("GET", "/v1/reload")?.allow == ["POST"])
        #expect(problem("get", "/v1/info")?.kind == .methodNotAllowed)
    }

    @Test(
        "a target that cannot be read is a bad request",
        arguments: [
            "", "v1/info", "http://x/v1/info", "*", "/v1/sites/%", "/v1/sites/%4", "/v1/sites/%zz", "/v1/sites/%00",
            "/v1/sites/%0A", "/v1/sites/%FF", "/v1/info?x", "/v1/events?follow=maybe", "/v1/events?after=-1",
            "/v1/events?after=+1", "/v1/events?after=1&after=2", "/v1/events?after=18446744073709551616",
            "/v1/logs/shop?lines=x",
        ])
    func badRequest(target: String) {
        #expect(problem("GET", target)?.kind == .badRequest)
    }

    @Test("the length of a target and the number of log lines end at their limits")
    func limits() {
        let name = String(repeating: "a", count: ControlRoute.targetSizeMax - "/v1/sites/".utf8.count)
        #expect(problem("GET", "/v1/sites/" + name) == nil)
        #expect(problem("GET", "/v1/sites/" + name + "a")?.kind == .badRequest)
        #expect(problem("GET", "/v1/logs/shop?lines=\(ControlRoute.logLinesMax)") == nil)
        #expect(problem("GET", "/v1/logs/shop?lines=\(ControlRoute.logLinesMax + 1)")?.kind == .badRequest)
    }

    @Test("what only looks may be done by everyone; what changes the configuration by administrators")
    func roles() {
        for route in Self.all where route.method == "GET" { #expect(route.requiredRole == .view) }
        #expect(ControlRoute.check.requiredRole == .view)
        #expect(ControlRoute.recyclePool("a").requiredRole == .operate)
        #expect(ControlRoute.reload(wait: false).requiredRole == .administer)
        #expect(ControlRole.view < .operate && ControlRole.operate < .administer)
    }

    @Test("a filter keeps requests that meet all of its conditions")
    func filter() {
        let request = RequestRecord(
            id: 1, connection: 1, method: "GET", url: "/", host: "a", site: "shop", pool: "api", localAddress: "::1",
            localPort: 80, clientAddress: "::1", elapsedMilliseconds: 500, stage: "queued", stageMilliseconds: 1)
        #expect(RequestFilter().matches(request))
        #expect(RequestFilter(site: "shop", pool: "api", elapsedMillisecondsMin: 500).matches(request))
        #expect(!RequestFilter(elapsedMillisecondsMin: 501).matches(request))
        #expect(!RequestFilter(site: "other").matches(request))
        #expect(!RequestFilter(pool: "other").matches(request))
    }

    private func problem(_ method: String, _ target: String) -> ProblemDocument? {
        do throws(ProblemDocument) {
            _ = try ControlRoute(method: method, target: target)
            return nil
        } catch { return error }
    }
}
