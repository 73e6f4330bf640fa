/// The head of a request, read leniently: the host in front is the one that must be strict.
struct RequestHead {
    let method: String
    let target: String
    let version: String
    /// In order, as they came.
    let fields: [(name: String, value: String)]
    /// 0 when there is none or the content is chunked.
    let contentLength: Int
    let isChunked: Bool

    /// Nil for what isn't HTTP/1.x.
    init?(_ octets: ArraySlice<UInt8>) {
        var lines = String(decoding: octets, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: true)
        guard !lines.isEmpty else { return nil }
        let parts = lines.removeFirst().split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2] == "HTTP/1.1" || parts[2] == "HTTP/1.0" else { return nil }
        (method, target, version) = (String(parts[0]), String(parts[1]), String(parts[2]))

        var fields: [(name: String, value: String)] = []
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...]
            fields.append((String(line[..<colon]), String(value.drop { $0 == " " }.trimmedEnd())))
        }
        self.fields = fields
        isChunked = fields.contains {
            $0.name.lowercased() == "transfer-encoding" && $0.value.lowercased() == "chunked"
        }
        let length = fields.first { $0.name.lowercased() == "content-length" }
        if isChunked || length == nil {
            contentLength = 0
        } else if let length, let count = Int(length.value), count >= 0 {
            contentLength = count
        } else {
            return nil
        }
    }

    /// The first value of this name, given in lower case.
    subscript(_ name: String) -> String? { fields.first { $0.name.lowercased() == name }?.value }

    var hasContent: Bool { isChunked || contentLength > 0 }
    var expectsContinue: Bool { self["expect"]?.lowercased() == "100-continue" }

    var keepsConnection: Bool {
        let connection = self["connection"]?.lowercased() ?? ""
        return version == "HTTP/1.1" ? !connection.contains("close") : connection.contains("keep-alive")
    }

    /// The target without its query.
    var path: String { String(target.prefix { $0 != "?" }) }

    /// A number from the query: 250 of `?ms=250`.
    func number(_ name: String, default value: Int) -> Int {
        for pair in target.drop(while: { $0 != "?" }).dropFirst().split(separator: "&") where pair.hasPrefix(name + "=")
        {
            return Int(pair.dropFirst(name.count + 1)) ?? value
        }
        return value
    }
}

extension Substring {
    fileprivate func trimmedEnd() -> Substring {
        var text = self
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
