import Testing

@testable import BerthActivation

@Suite("A worker's output")
struct OutputTests {
    private func feed(_ splitter: inout LineSplitter, _ text: String) -> [String] {
        Array(text.utf8).withUnsafeBytes { splitter.append($0) }
    }

    @Test("lines are the same however they arrive")
    func pieces() {
        let text = "one\r\ntwo\n\nthrée\n"
        var whole = LineSplitter()
        #expect(feed(&whole, text) == ["one", "two", "", "thrée"])
        var single = LineSplitter()
        let octets = Array(text.utf8)
        let lines = octets.flatMap { octet in withUnsafeBytes(of: octet) { single.append($0) } }
        #expect(lines == ["one", "two", "", "thrée"])
        #expect(single.finish() == nil)
    }

    @Test("a last line without an end is a line")
    func unfinished() {
        var splitter = LineSplitter()
        #expect(feed(&splitter, "a\nb").count == 1)
        #expect(splitter.finish() == "b")
        #expect(splitter.finish() == nil)
    }

    @Test("a line is cut at 8 KiB", arguments: [8191, 8192, 8193])
    func longLine(count: Int) {
        var splitter = LineSplitter()
        let lines = feed(&splitter, String(repeating: "x", count: count) + "\n")
        #expect(lines.map(\.utf8.count) == (count > 8192 ? [8192, count - 8192] : [count]))
    }

    @Test("a cut goes before a character, not through it", arguments: 0..<4)
    func cut(shift: Int) {
        var splitter = LineSplitter()
        let text = String(repeating: "x", count: shift) + String(repeating: "\u{1F600}", count: 3000)
        let lines = feed(&splitter, text + "\n")
        #expect(lines.joined() == text)
        #expect(lines.allSatisfy { $0.utf8.count <= LineSplitter.lineMax })
    }

    @Test("octets that are no text become U+FFFD")
    func invalid() {
        var splitter = LineSplitter()
        #expect([0x61, 0xff, 0x62, 0x0a].map { UInt8($0) }.withUnsafeBytes { splitter.append($0) } == ["a\u{FFFD}b"])
    }

    @Test("only octets that continue a character are cut somewhere")
    func continuations() {
        var splitter = LineSplitter()
        let lines = [UInt8](repeating: 0x80, count: 20_000).withUnsafeBytes { splitter.append($0) }
        #expect(lines.count == 2)
    }

    @Test("64 KiB of the latest lines are kept")
    func ring() throws {
        var log = OutputLog()
        let cost = 100 + OutputLog.lineOverhead
        let fits = OutputLog.octetsMax / cost
        for number in 0..<fits { log.append(line(number)) }
        #expect(log.lines.count == fits)
        log.append(line(fits))
        #expect(log.lines.count == fits)
        #expect(log.lines.first?.text.hasPrefix("1 ") == true)
        for number in 0..<10_000 { log.append(line(number)) }
        #expect(log.lines.count == fits)
        #expect(log.octets <= OutputLog.octetsMax)
        #expect(log.lines.last?.text.hasPrefix("9999 ") == true)
    }

    private func line(_ number: Int) -> OutputLine {
        let head = "\(number) "
        return OutputLine(
            stream: .standardOutput, pid: 1, wallNanoseconds: 0,
            text: head + String(repeating: "x", count: 100 - head.utf8.count))
    }

    @Test("the first 30 000 octets are kept for the report", arguments: [29_999, 30_000, 30_001])
    func capture(count: Int) {
        var capture = StartCapture()
        let half = count / 2
        for part in [half, count - half] {
            [UInt8](repeating: 0x61, count: part).withUnsafeBytes { capture.append($0) }
        }
        #expect(capture.text.utf8.count == min(count, 30_000))
    }
}
