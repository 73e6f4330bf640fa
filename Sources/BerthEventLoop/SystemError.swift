import CBerthSystem
import Glibc

/// A call to the kernel that failed: which one, and the errno it answered.
public struct SystemError: Error, Equatable, Sendable {
    /// "bind", "epoll_create1": what was tried.
    public let operation: StaticString
    /// Positive errno.
    public let code: Int32

    public init(_ operation: StaticString, _ code: Int32) {
        self.operation = operation
        self.code = code
    }

    public static func == (a: Self, b: Self) -> Bool { a.code == b.code && "\(a.operation)" == "\(b.operation)" }

    /// "Address already in use".
    public var reason: String { String(cString: strerror(code)) }
}

extension SystemError: CustomStringConvertible {
    public var description: String { "\(operation): \(reason)" }
}

/// Turns the door's convention (negated errno) into a thrown error. Control plane only.
@discardableResult
public func checked(_ operation: StaticString, _ result: Int32) throws(SystemError) -> Int32 {
    if result < 0 { throw SystemError(operation, -result) }
    return result
}
