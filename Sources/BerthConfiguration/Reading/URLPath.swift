/// Paths of URLs as site files write them: of bindings, applications, virtual directories and modules.
enum URLPath {
    /// Octets in one.
    static let lengthMax = 2048

    /// What is wrong with a path that is to begin with a slash; nil where nothing is.
    ///
    /// Requests are matched after percent-decoding and the removal of dot segments, so neither may stand here.
    static func problem(in path: String) -> String? {
        guard path.hasPrefix("/") else { return "it does not begin with /" }
        guard path.utf8.count <= lengthMax else { return "it is longer than \(lengthMax) octets" }
        for scalar in path.unicodeScalars {
            switch scalar {
            case "?", "#", "*", "\\": return "it holds \(scalar)"
            case "%": return "it holds %, and is compared with decoded paths"
            case _ where scalar.value <= 0x20 || (0x7F...0x9F).contains(scalar.value):
                return "it holds a blank or a control character"
            default: break
            }
        }
        // By octets, as requests are: a combining mark must not hide a slash.
        let segments = path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            if segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8) { return "it holds a dot segment" }
            if segment.isEmpty, index < segments.count - 1 { return "it holds two slashes in a row" }
        }
        return nil
    }
}
