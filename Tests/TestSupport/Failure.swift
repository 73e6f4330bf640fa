import Glibc

/// Why a test could not go on: something did not happen in time, or could not be done at all.
public struct Failure: Error, CustomStringConvertible {
    public let description: String
    /// The errno it came from; 0: none.
    public let code: Int32

    public init(_ description: String, code: Int32 = 0) { (self.description, self.code) = (description, code) }

    /// With the reason that `errno` holds.
    public static func system(_ what: String, _ code: Int32? = nil) -> Failure {
        let code = code ?? errno
        return Failure("\(what): \(String(cString: strerror(code)))", code: code)
    }
}
