import Testing

@testable import BerthServer

@Suite("Metrics")
struct ControlMetricsTests {
    @Test(
        "a label value cannot end early",
        arguments: [("shop", "shop"), ("a\"b", "a\\\"b"), ("a\\", "a\\\\"), ("a\nb", "a\\nb"), ("", "")])
    func labels(value: String, escaped: String) {
        #expect(ControlMetrics.escaped(value) == escaped)
    }
}
