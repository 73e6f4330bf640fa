import Glibc

/// Why a test could not go on: something did not happen in time, or could not be done at all.
public struct Failure: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }

    /// With the reason that `errno` holds.
    public static func system(_ what: String, _ code: Int32? = nil) -> Failure {
        let code = code ?? errno
        return Failure("\(what): \(String(cString: strerror(code)))")
    }
}
