import BerthHTTP
import Testing

@Suite("dates (RFC 9110 §5.6.7)")
struct HTTPDateTests {
    private func write(_ seconds: Int64) -> String {
        var place = [UInt8](repeating: 0, count: HTTPDate.length + 1)
        HTTPDate.write(seconds, to: &place)
        #expect(place[HTTPDate.length] == 0)
        return latin1(place.dropLast())
    }

    private func parse(_ text: String) -> Int64? {
        let memory = octets(text)
        return memory.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return nil }
            return HTTPDate.parse(start, buffer.count)
        }
    }

    @Test("seconds become IMF-fixdate")
    func writing() {
        let cases: [(Int64, String)] = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"), (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ]
        for (seconds, text) in cases {
            #expect(write(seconds) == text)
            #expect(parse(text) == seconds)
        }
        #expect(write(-1) == write(0))
        #expect(write(.max) == write(HTTPDate.latest))
        #expect(write(.min) == write(0))
    }

    @Test("every day from 1970 to 2105 comes back")
    func days() {
        for day: Int64 in 0..<49_500 { #expect(parse(write(day * 86_400 + 45_296)) == day * 86_400 + 45_296) }
    }

    @Test("the two old formats are read")
    func oldFormats() {
        #expect(parse("Sunday, 06-Nov-94 08:49:37 GMT") == 784_111_777)
        #expect(parse("Sun Nov  6 08:49:37 1994") == 784_111_777)
        #expect(parse("Wed Nov 16 08:49:37 1994") == 784_975_777)
        #expect(parse("Thursday, 01-Jan-70 00:00:00 GMT") == 0)
        #expect(parse("Tuesday, 31-Dec-69 23:59:59 GMT") == 3_155_759_999, "69 is 2069")
        #expect(parse("Fri, 30 Jun 1972 23:59:60 GMT") == 78_796_800, "a leap second is the next second")
        #expect(parse("Wed, 31 Dec 1969 23:59:59 GMT") == -1)
    }

    @Test("anything else is no date")
    func malformed() {
        for text in [
            "", "not a date", "0", "784111777", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "sun, 06 nov 1994 08:49:37 gmt", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 29 Feb 2023 08:49:37 GMT", "Sun, 29 Feb 2100 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
            "Xyz, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06-Nov-1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMTx", "Sunday, 06-Nov-94 08:49:37",
            "Sun Nov 06 08:49:37 1994 ",
            "Sun Nov  x 08:49:37 1994", "Sun Nov  6 08:49:37 94", "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov -994 08:49:37 GMT",
            "Caturday, 06-Nov-94 08:49:37 GMT", "Sun", "Sun,", "Sun, 06 Nov 1994 08:49",
        ] {
            #expect(parse(text) == nil, "\(text)")
        }
    }

    @Test("mutated dates never trap (fixed seed)")
    func mutated() {
        var random = SeededRandom(seed: 0xBE27_0006)
        let seeds = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        for round in 0..<20_000 {
            let input = random.mutate(octets(seeds[round % seeds.count]))
            guard let seconds = parse(latin1(input)), seconds >= 0 else { continue }
            #expect(parse(write(seconds)) == seconds, "seed 0xBE270006 round \(round): \(latin1(input))")
        }
    }
}
