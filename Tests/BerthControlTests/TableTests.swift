import Testing
import berthctl

@Suite("tables")
struct TableTests {
    private var table: Table {
        var table = Table([.init("NAME", widthMin: 4), .init("N", isRight: true), .init("WHAT", widthMin: 6)])
        table.add("a", "1", "short")
        table.add("abcdefghij", "1000", "a longer text")
        return table
    }

    @Test("columns are as wide as their widest cell, numbers stand to the right, and nothing follows the last cell")
    func aligned() {
        #expect(
            table.lines(width: nil, usesColor: false) == [
                "NAME           N  WHAT", "a              1  short", "abcdefghij  1000  a longer text",
            ])
    }

    @Test("a table that fits exactly is not shortened; one column less, and its widest cell is")
    func fitted() {
        #expect(table.lines(width: 31, usesColor: false) == table.lines(width: nil, usesColor: false))
        #expect(table.lines(width: 30, usesColor: false)[2] == "abcdefghij  1000  a longer te…")
        for width in 18...31 {
            for line in table.lines(width: width, usesColor: false) { #expect(line.count <= width) }
        }
    }

    @Test("columns keep their least width, and those that have none stay whole, however narrow the terminal is")
    func narrow() {
        #expect(table.lines(width: 1, usesColor: false)[2] == "abc…  1000  a lon…")
    }

    @Test("colour surrounds the text and not the padding, and changes no width")
    func colored() {
        var table = Table([.init("A"), .init("B")])
        table.add(.init("x", .good), .init("y", .bad))
        table.add("long", "z")
        #expect(
            table.lines(width: nil, usesColor: true) == [
                "\u{1B}[1mA\u{1B}[0m     \u{1B}[1mB\u{1B}[0m", "\u{1B}[32mx\u{1B}[0m     \u{1B}[31my\u{1B}[0m",
                "long  z",
            ])
    }

    @Test("wide and combined characters take the columns that they take")
    func widths() {
        #expect(DisplayText.width("käse") == 4)
        #expect(DisplayText.width("ka\u{308}se") == 4)
        #expect(DisplayText.width("日本") == 4)
        #expect(DisplayText.width("🚢") == 2)
        #expect(DisplayText.shorten("日本語", to: 6) == "日本語")
        #expect(DisplayText.shorten("日本語", to: 5) == "日本…")
        #expect(DisplayText.shorten("日本語", to: 4) == "日…")
        #expect(DisplayText.shorten("abc", to: 1) == "…")
        #expect(DisplayText.shorten("abc", to: 0) == "")
    }

    @Test("what would steer a terminal, or turn the direction of writing, is made visible")
    func clean() {
        #expect(
            DisplayText.clean("a\u{1B}[31mb\nc\u{9B}\u{7F}\u{202E}d\u{2066}")
                == "a\u{FFFD}[31mb\u{FFFD}c\u{FFFD}\u{FFFD}\u{FFFD}d\u{FFFD}")
        #expect(DisplayText.clean("käse 日本 🚢") == "käse 日本 🚢")
        #expect(Table.Cell("a\tb").text == "a\u{FFFD}b")
    }

    @Test("times are shown by their two largest units")
    func times() {
        let cases: [(UInt64, String)] = [
            (0, "0 ms"), (999, "999 ms"), (1000, "1.0 s"), (9999, "9.9 s"), (10_000, "10 s"), (59_999, "59 s"),
            (60_000, "1 min"), (61_000, "1 min 1 s"), (3_599_000, "59 min 59 s"), (3_600_000, "1 h"),
            (7_260_000, "2 h 1 min"), (86_399_000, "23 h 59 min"), (86_400_000, "1 d"), (273_600_000, "3 d 4 h"),
            (UInt64.max, "213503982334 d 14 h"),
        ]
        for (milliseconds, text) in cases { #expect(Quantity.time(milliseconds: milliseconds) == text) }
        #expect(Quantity.time(seconds: 61) == "1 min 1 s")
        #expect(Quantity.time(seconds: .max) == Quantity.time(milliseconds: .max))
    }

    @Test("sizes are shown with three digits and their unit")
    func sizes() {
        let cases: [(UInt64, String)] = [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (102_400, "100 KiB"),
            (1_048_575, "1023 KiB"), (1_048_576, "1.0 MiB"), (14_900_000, "14.2 MiB"), (UInt64.max, "16777215 TiB"),
        ]
        for (octets, text) in cases { #expect(Quantity.size(octets: octets) == text) }
    }
}
