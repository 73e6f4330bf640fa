/// What a response head says, and how far its parser has come. Offsets count from the first octet of the buffer.
public struct ResponseHead: Sendable, BitwiseCopyable {
    /// What the fields said, gathered while they were read.
    public typealias Flags = RequestHead.Flags

    /// The length from Content-Length; -1 when there is none.
    public internal(set) var contentLength: Int64 = -1
    /// Where the next line begins.
    var lineOffset: UInt32 = 0
    /// Octets up to and including the empty line; 0 until complete.
    public internal(set) var headLength: UInt32 = 0
    /// Of use here: the Connection bits, hasContentLength, hasTransferEncoding, upgradePresent, trailerPresent.
    public internal(set) var flags = Flags(rawValue: 0)
    public internal(set) var reasonOffset: UInt32 = 0
    /// Octets of the reason phrase, which may be none.
    public internal(set) var reasonLength: UInt16 = 0
    /// 100 through 999.
    public internal(set) var status: UInt16 = 0
    public internal(set) var fieldCount: UInt16 = 0
    /// 0 or 1.
    public internal(set) var versionMinor: UInt8 = 0
    /// Whether the status line has been read.
    var inFields = false

    public init() {}

    /// Whether another head follows on the same exchange: 1xx except 101 (RFC 9110 §15.2).
    @inlinable
    public var isInterim: Bool { status < 200 && status != 101 }

    /// Whether a response with this status has no content whatever its fields say (RFC 9112 §6.3).
    @inlinable
    public var statusForbidsContent: Bool { status < 200 || status == 204 || status == 304 }

    /// How the content ends, given the method of the request (RFC 9112 §6.3).
    @inlinable
    public func framing(requestMethod: RequestMethod) -> ContentFraming {
        if requestMethod == .head || statusForbidsContent { return .none }
        if flags.contains(.hasTransferEncoding) { return .chunked }
        return flags.contains(.hasContentLength) ? .contentLength : .untilClose
    }

    /// Whether the connection can carry another exchange once this response is read to its end (RFC 9112 §9.3).
    ///
    /// A 1xx or 204 that announces content is answered no: nobody can tell whether that content comes.
    @inlinable
    public func isPersistent(requestMethod: RequestMethod) -> Bool {
        if flags.contains(.connectionClose) || status == 101 { return false }
        if versionMinor == 0, !flags.contains(.connectionKeepAlive) { return false }
        if framing(requestMethod: requestMethod) == .untilClose { return false }
        if status < 200 || status == 204 {
            return !flags.contains(.hasTransferEncoding) && contentLength <= 0
        }
        return true
    }
}
