import BerthListener
import Testing

@Suite("Request queues and the counters of sites")
struct RequestQueueTests {
    @Test("a queue takes as many waiting requests as its length and refuses the next", arguments: [10, 1000])
    func length(_ length: UInt64) {
        let queue = RequestQueue(name: "shop", lengthMax: length)
        for _ in 0..<length { #expect(queue.enter()) }
        #expect(!queue.enter())
        #expect(queue.waiting == length, "a refused request does not wait")
        #expect(queue.refused == 1)
        queue.leave()
        #expect(queue.enter())
    }

    @Test("each state has the reason that HTTPERR writes for it")
    func reasons() {
        let queue = RequestQueue(name: "shop", lengthMax: 10)
        #expect(queue.isStarted)
        for (state, reason) in [
            (RequestQueue.State.disabled, "Disabled"), (.appOffline, "AppOffline"), (.appShutdown, "AppShutdown"),
            (.unavailable, "N/A"),
        ] {
            queue.state = state
            #expect(!queue.isStarted)
            #expect("\(queue.state.reason)" == reason)
        }
        queue.state = .started
        #expect(queue.isStarted)
    }

    @Test("what a 503 tells is as little as IIS tells, until somebody says otherwise")
    func verbosity() {
        let queue = RequestQueue(name: "shop", lengthMax: 10)
        #expect(queue.verbosity == .limited)
        for verbosity in [RequestQueue.Verbosity.basic, .full, .limited] {
            queue.verbosity = verbosity
            #expect(queue.verbosity == verbosity)
        }
    }

    @Test("a queue keeps its name for the logs")
    func name() { #expect(RequestQueue(name: "shop/äpi", lengthMax: 10).name.text == "shop/äpi") }

    @Test("the switch of a site is seen at once")
    func siteSwitch() {
        let site = SiteCounters()
        #expect(site.isStarted)
        site.isStarted = false
        #expect(!site.isStarted)
        #expect(site.connectionsMax == .max)
    }
}
