import BerthControl
import Testing

@Suite("timestamps")
struct TimestampTests {
    @Test(
        "a moment is written in UTC with milliseconds",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_795_253_400_125, "2026-11-21T09:30:00.125Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ])
    func form(milliseconds: Int64, text: String) {
        #expect(Timestamp(millisecondsSinceEpoch: milliseconds).description == text)
        #expect(Timestamp(text)?.millisecondsSinceEpoch == milliseconds)
    }

    @Test(
        "what is no moment is refused",
        arguments: [
            "", "2026-11-21", "2026-11-21T09:30:00Z", "2026-11-21t09:30:00.125Z", "2026-11-21T09:30:00.125+00",
            "2026-13-21T09:30:00.125Z", "2026-00-21T09:30:00.125Z", "2026-02-29T09:30:00.125Z",
            "2026-11-21T24:30:00.125Z", "2026-11-21T09:60:00.125Z", "2026-11-21T09:30:60.125Z",
            "-026-11-21T09:30:00.125Z", "2026-11-00T09:30:00.125Z",
        ])
    func refused(text: String) { #expect(Timestamp(text) == nil) }
}
