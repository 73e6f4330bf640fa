import Glibc

extension FileAccess.Failure {
    /// For an administrator.
    var sentence: String { sentence(of: "file") }

    func sentence(of thing: String) -> String {
        switch self {
        case .notFound: "the \(thing) does not exist"
        case .notAFile: "this is not a regular file"
        case .tooLarge: "the \(thing) is larger than 1 MiB"
        case .system(let code): "the \(thing) cannot be read: \(String(cString: strerror(code)))"
        }
    }

    var kind: ConfigurationDiagnostic.Kind { self == .tooLarge ? .fileTooLarge : .unreadable }
}
