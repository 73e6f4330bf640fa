import Testing

@testable import BerthConfiguration

@Suite("Durations and sizes are written with their units")
struct QuantityTests {
    @Test(
        "durations",
        arguments: [
            ("20min", 1_200_000), ("120s", 120_000), ("1h30min", 5_400_000), ("1h 30min", 5_400_000), ("500ms", 500),
            ("2d", 172_800_000), ("0s", 0), ("1d2h3min4s5ms", 93_784_005), ("1s500ms", 1500),
        ] as [(String, UInt64)])
    func durations(_ text: String, _ milliseconds: UInt64) throws {
        let duration = try #require(DurationText.parse(text))
        #expect(duration.wholeMilliseconds == milliseconds)
        #expect(DurationText.parse(DurationText.describe(duration)) == duration)
    }

    @Test(
        "no durations",
        arguments: [
            "", " ", "20", "min", "20 min", "1.5h", "-1s", "1s1s", "1s1min", "1m", "1H", "1h ", "999999999999d",
            "9999999999999s", "١s", "1s\0",
        ])
    func noDurations(_ text: String) {
        // A blank at the end is forgiven, as one between is.
        #expect(DurationText.parse(text) == (text == "1h " ? .seconds(3600) : nil))
    }

    @Test(
        "sizes",
        arguments: [
            ("64MiB", 64 << 20), ("30000000", 30_000_000), ("1KiB", 1024), ("1 GiB", 1 << 30), ("2kB", 2000),
            ("3MB", 3_000_000),
            ("4GB", 4_000_000_000), ("7B", 7), ("0", 0),
        ])
    func sizes(_ text: String, _ octets: Int) throws {
        #expect(SizeText.parse(text) == octets)
        #expect(SizeText.parse(SizeText.describe(octets)) == octets)
    }

    @Test(
        "no sizes",
        arguments: ["", "MiB", "1mib", "1TiB", "-1", "1.5MiB", "1MiB ", "9999999999999", "999999999999GiB", "٣"])
    func noSizes(_ text: String) { #expect(SizeText.parse(text) == nil) }

    @Test(
        "the nearest name",
        arguments: [
            ("idle_timout", "idle_timeout"), ("idleTimeout", "idle_timeout"), ("queue-length", "queue_length"),
            ("queue_lenght", "queue_length"), ("xyzzy", nil), ("", nil),
        ] as [(String, String?)])
    func nearest(_ name: String, _ expected: String?) {
        #expect(NearestName.among(["idle_timeout", "queue_length", "user"], to: name) == expected)
    }

    @Test("a name too long to be a slip has no neighbour")
    func nearestLimit() {
        let name = String(repeating: "a", count: 64)
        #expect(NearestName.among([name + "b"], to: name) == name + "b")
        #expect(NearestName.among([name + "b"], to: name + "a") == nil)
    }
}
