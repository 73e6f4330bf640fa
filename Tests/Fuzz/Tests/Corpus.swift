import TestSupport

/// The inputs kept beside the tests: seeds, and everything that ever broke a property.
enum Corpus {
    /// `Tests/Fuzz`.
    static let folder = "\(#filePath)".split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        .joined(separator: "/")

    /// Names and octets for a target, in the order of their names.
    static func inputs(of target: FuzzTarget) -> [(name: String, octets: [UInt8])] {
        let place = "\(folder)/corpus/\(target.rawValue)"
        return Files.names(in: place).sorted().compactMap { name in
            Files.octets("\(place)/\(name)").map { (name, $0) }
        }
    }
}
