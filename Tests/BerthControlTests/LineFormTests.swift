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

@Suite("cutting streams into lines and events")
struct StreamTests {
    @Test("lines come out whole however the stream is cut, with LF or CR LF, the last one only at the end")
    func lines() throws {
        let text = Array("one\r\ntwo\n\nthr\u{e9}e\rx\nrest".utf8)
        for size in [1, 2, 3, text.count] {
            var splitter = LineSplitter(sizeMax: 10)
            var lines: [String] = []
            for start in stride(from: 0, to: text.count, by: size) {
                lines += try splitter.read(Array(text[start..<min(start + size, text.count)]))
            }
            #expect(lines == ["one", "two", "", "thr\u{e9}e\rx"])
            #expect(splitter.end() == "rest")
            #expect(splitter.end() == nil)
        }
    }

    @Test("a line of the largest size is read, one octet more is refused, ended or not")
    func lineLimit() throws {
        var splitter = LineSplitter(sizeMax: 3)
        #expect(try splitter.read(Array("abc\r\nabc\n".utf8)) == ["abc", "abc"])
        #expect(throws: LineSplitter.Overflow.self) { try splitter.read(Array("abcd\n".utf8)) }
        var endless = LineSplitter(sizeMax: 3)
        #expect(try endless.read(Array("abcd".utf8)).isEmpty)
        #expect(throws: LineSplitter.Overflow.self) { try endless.read(Array("e".utf8)) }
    }

    @Test("events come out as they were sent, comments and unknown fields are passed over")
    func events() throws {
        let sent = [
            ServerSentEvent(id: "1", event: "a", data: "x"), ServerSentEvent(id: "2", event: "b", data: "y\n\nz"),
        ]
        let text =
            sent[0].octets + ServerSentEvent.keepAlive + Array("retry: 5\ndata\n\n".utf8) + sent[1].octets
            + Array("data: unfinished".utf8)
        for size in [1, 7, text.count] {
            var parser = ServerSentEventParser()
            var events: [ServerSentEvent] = []
            for start in stride(from: 0, to: text.count, by: size) {
                events += try parser.read(Array(text[start..<min(start + size, text.count)]))
            }
            #expect(events == [sent[0], ServerSentEvent(id: "1", data: ""), sent[1]])
        }
    }

    @Test("an event that never ends is refused at the limit")
    func eventLimit() throws {
        var parser = ServerSentEventParser()
        let half = Array("data:\(String(repeating: "x", count: ServerSentEventParser.sizeMax / 2))\n".utf8)
        #expect(try parser.read(half + half).isEmpty)
        #expect(throws: LineSplitter.Overflow.self) { try parser.read(Array("data:x\n".utf8)) }
    }
}
