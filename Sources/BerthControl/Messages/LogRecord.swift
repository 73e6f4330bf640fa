/// One line that a worker wrote to its standard output or error: `GET /v1/logs/SITE`.
///
/// Logs travel as text, a line a record: `2026-11-21T09:30:00.125Z 4711 out Now listening on: http://...`, so that
/// `curl` and `grep` need nothing else.
public struct LogRecord: Codable, Sendable, Equatable {
    public enum Stream: String, WireChoice {
        case out
        case err
        /// Berth's own words about the worker: started, ended, lines left out.
        case host
        case unknown
    }

    public var time: Timestamp
    public var pid: Int32
    public var stream: Stream
    /// Without the end of the line.
    public var text: String

    public init(time: Timestamp, pid: Int32, stream: Stream, text: String) {
        (self.time, self.pid, self.stream, self.text) = (time, pid, stream, text)
    }

    /// The record as a line of the answer, without its end. A line feed within the text would forge a second record:
    /// the caller splits at line feeds first, and one that is left is written as a space.
    public var line: String {
        let lineFeed = UInt8(ascii: "\n")
        let oneLine =
            text.utf8.contains(lineFeed)
            ? String(decoding: text.utf8.map { $0 == lineFeed ? UInt8(ascii: " ") : $0 }, as: UTF8.self) : text
        return "\(time) \(pid) \(stream.rawValue) \(oneLine)"
    }

    /// Reads a line as `line` writes it, without its end; `nil` for everything else.
    public init?(line: String) {
        let parts = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let time = Timestamp(String(parts[0])), let pid = Int32(parts[1]) else { return nil }
        self.init(time: time, pid: pid, stream: Stream(rawValue: String(parts[2])) ?? .unknown, text: String(parts[3]))
    }
}
