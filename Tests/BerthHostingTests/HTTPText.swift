/// A message as a test sees it: start line, fields, content with the chunked coding taken off.
struct HTTPText {
    var startLine: String
    var fields: [(name: String, value: String)]
    var content: [UInt8] = []
    var isChunked = false
    /// The content came as announced.
    var isComplete = true

    var text: String { String(decoding: content, as: UTF8.self) }
    var status: Int { Int(startLine.split(separator: " ").dropFirst().first ?? "") ?? 0 }
    var target: String { String(startLine.split(separator: " ").dropFirst().first ?? "") }

    func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }
    subscript(name: String) -> String? { values(name).first }

    init?(head: String) {
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: true).map(String.init)
        guard !lines.isEmpty else { return nil }
        startLine = lines.removeFirst()
        fields = lines.map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            var value = line[colon...].dropFirst()
            while value.first == " " { value.removeFirst() }
            return (String(line[..<colon]), String(value))
        }
    }
}

extension Wire {
    func head() -> HTTPText? { read(through: "\r\n\r\n").flatMap { HTTPText(head: $0) } }

    /// A request with its content.
    func request() -> HTTPText? {
        guard var message = head() else { return nil }
        readContent(&message, untilClose: false)
        return message
    }

    /// A response with its content; interim ones are skipped.
    func response(to method: String = "GET") -> HTTPText? {
        while true {
            guard var message = head() else { return nil }
            if message.status < 200 && message.status != 101 { continue }
            if method == "HEAD" || message.status == 101 || message.status == 204 || message.status == 304 {
                return message
            }
            readContent(&message, untilClose: true)
            return message
        }
    }

    private func readContent(_ message: inout HTTPText, untilClose: Bool) {
        if message["Transfer-Encoding"] == "chunked" {
            message.isChunked = true
            while true {
                guard let line = read(through: "\r\n"), let size = Int(line.dropLast(1), radix: 16) else {
                    message.isComplete = false
                    return
                }
                if size == 0 {
                    message.isComplete = read(through: "\r\n") == "\r\n"
                    return
                }
                message.content += read(size)
                if text(2) != "\r\n" {
                    message.isComplete = false
                    return
                }
            }
        } else if let length = message["Content-Length"].flatMap({ Int($0) }) {
            message.content = read(length)
            message.isComplete = message.content.count == length
        } else if untilClose {
            message.isComplete = waitForEnd() == .finished
            message.content = read(buffer.count)
        }
    }
}
