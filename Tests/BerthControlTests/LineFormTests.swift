import BerthControl
import Testing

@Suite("the line forms: log lines and server-sent events")
struct LineFormTests {
    private let time = Timestamp(millisecondsSinceEpoch: 1_795_253_400_125)

    @Test("a log line carries time, pid and stream before the text, whatever the text is")
    func logLine() {
        let record = LogRecord(time: time, pid: 4711, stream: .out, text: "Now listening  on: 1 ")
        #expect(record.line == "2026-11-21T09:30:00.125Z 4711 out Now listening  on: 1 ")
        #expect(LogRecord(line: record.line) == record)
        let empty = LogRecord(time: time, pid: 1, stream: .err, text: "")
        #expect(LogRecord(line: empty.line) == empty)
    }

    @Test("text with a line feed stays one record")
    func forgedLogLine() {
        #expect(LogRecord(time: time, pid: 1, stream: .out, text: "a\nb\r\nc").line.hasSuffix(" out a b\r c"))
    }

    @Test(
        "what is no log line is not taken for one", arguments: ["", "x", "2026-11-21T09:30:00.125Z 1 out", "a b c d"])
    func noLogLine(line: String) { #expect(LogRecord(line: line) == nil) }

    @Test("an event is sent with its number, kind and JSON, and ends with an empty line")
    func event() throws {
        let record = EventRecord(number: 7, time: time, kind: .siteStarted, site: "shop", message: "a\nb\u{2028}c")
        let text = String(decoding: try ServerSentEvent(record).octets, as: UTF8.self)
        #expect(text.hasPrefix("id: 7\nevent: site-started\ndata: {"))
        #expect(text.hasSuffix("}\n\n"))
        #expect(text.utf8.filter { $0 == 10 }.count == 4)
    }

    @Test("line ends within an event forge no field")
    func forgedEvent() {
        let event = ServerSentEvent(id: "1\nid: 2", event: "x\revent: y", data: "a\r\nid: 3")
        #expect(String(decoding: event.octets, as: UTF8.self) == "id: 1\nevent: x\ndata: a\ndata: \ndata: id: 3\n\n")
    }
}
