/// The methods that have a number of their own; every other token is `other` and told apart by its octets.
///
/// The numbers are part of the module ABI: new ones are appended.
public enum RequestMethod: UInt8, Sendable, BitwiseCopyable {
    case other = 0
    case get = 1
    case head = 2
    case post = 3
    case put = 4
    case delete = 5
    case connect = 6
    case options = 7
    case trace = 8
    case patch = 9
    case propfind = 10
    case proppatch = 11
    case mkcol = 12
    case copy = 13
    case move = 14
    case lock = 15
    case unlock = 16
    case search = 17

    /// The token as it goes over the wire; empty for `other`.
    public var token: StaticString {
        switch self {
        case .other: ""
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .connect: "CONNECT"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .patch: "PATCH"
        case .propfind: "PROPFIND"
        case .proppatch: "PROPPATCH"
        case .mkcol: "MKCOL"
        case .copy: "COPY"
        case .move: "MOVE"
        case .lock: "LOCK"
        case .unlock: "UNLOCK"
        case .search: "SEARCH"
        }
    }

    /// The number of a method token. Methods are case-sensitive (RFC 9110 §9.1).
    ///
    /// - Returns: the method, or nil for a listed method in other letter case, which HTTP.sys answers 400 `Verb`
    ///   (its switch `AllowCaseInsensitiveVerbs` is off).
    public static func of(_ token: UnsafePointer<UInt8>, _ length: Int) -> RequestMethod? {
        let candidate = caseInsensitive(token, length)
        if candidate == .other { return .other }
        let exact = candidate.token.utf8Start
        var index = 0
        while index < length {
            if token[index] != exact[index] { return nil }
            index &+= 1
        }
        return candidate
    }

    private static func caseInsensitive(_ token: UnsafePointer<UInt8>, _ length: Int) -> RequestMethod {
        switch length {
        case 3:
            if Lowercase.matches(token, "get") { return .get }
            if Lowercase.matches(token, "put") { return .put }
        case 4:
            if Lowercase.matches(token, "post") { return .post }
            if Lowercase.matches(token, "head") { return .head }
            if Lowercase.matches(token, "copy") { return .copy }
            if Lowercase.matches(token, "move") { return .move }
            if Lowercase.matches(token, "lock") { return .lock }
        case 5:
            if Lowercase.matches(token, "patch") { return .patch }
            if Lowercase.matches(token, "trace") { return .trace }
            if Lowercase.matches(token, "mkcol") { return .mkcol }
        case 6:
            if Lowercase.matches(token, "delete") { return .delete }
            if Lowercase.matches(token, "unlock") { return .unlock }
            if Lowercase.matches(token, "search") { return .search }
        case 7:
            if Lowercase.matches(token, "options") { return .options }
            if Lowercase.matches(token, "connect") { return .connect }
        case 8:
            if Lowercase.matches(token, "propfind") { return .propfind }
        case 9:
            if Lowercase.matches(token, "proppatch") { return .proppatch }
        default: break
        }
        return .other
    }
}
