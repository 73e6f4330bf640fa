/// What a request head says, and how far its parser has come. Offsets count from the first octet of the buffer.
///
/// A new one is `RequestHead()`: all zero. It holds no pointer, so the octets may move between two calls of the parser.
public struct RequestHead: Sendable, BitwiseCopyable {
    /// The forms of a request target (RFC 9112 §3.2).
    public enum TargetForm: UInt8, Sendable, BitwiseCopyable {
        case origin = 0
        case absolute = 1
        /// Goes with CONNECT only, which the parser refuses; never seen in a complete head.
        case authority = 2
        case asterisk = 3
    }

    /// What the fields said, gathered while they were read.
    public struct Flags: OptionSet, Sendable, BitwiseCopyable {
        public var rawValue: UInt32
        @inlinable @inline(__always)
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        @inlinable @inline(__always) public static var connectionClose: Flags { Flags(rawValue: 1 << 0) }
        @inlinable @inline(__always) public static var connectionKeepAlive: Flags { Flags(rawValue: 1 << 1) }
        /// `Connection: upgrade` was there; only together with `upgradePresent` it means something.
        @inlinable @inline(__always) public static var connectionUpgrade: Flags { Flags(rawValue: 1 << 2) }
        /// Connection names something besides close, keep-alive and upgrade: a forwarder has fields to remove.
        @inlinable @inline(__always) public static var connectionHasOtherOptions: Flags { Flags(rawValue: 1 << 3) }
        /// `Expect: 100-continue` in an HTTP/1.1 request; only together with `hasContent` is there anything to wait for.
        @inlinable @inline(__always) public static var expectContinue: Flags { Flags(rawValue: 1 << 4) }
        /// Expect holds something else: 417.
        @inlinable @inline(__always) public static var expectOther: Flags { Flags(rawValue: 1 << 5) }
        @inlinable @inline(__always) public static var hasHost: Flags { Flags(rawValue: 1 << 6) }
        @inlinable @inline(__always) public static var hasContentLength: Flags { Flags(rawValue: 1 << 7) }
        @inlinable @inline(__always) public static var hasTransferEncoding: Flags { Flags(rawValue: 1 << 8) }
        /// An Upgrade field in an HTTP/1.1 request (RFC 9110 §7.8: ignored in HTTP/1.0).
        @inlinable @inline(__always) public static var upgradePresent: Flags { Flags(rawValue: 1 << 9) }
        /// TE lists `trailers`.
        @inlinable @inline(__always) public static var teTrailers: Flags { Flags(rawValue: 1 << 10) }
        @inlinable @inline(__always) public static var trailerPresent: Flags { Flags(rawValue: 1 << 11) }
        /// A field name holds `_`, which gateways of the CGI kind take for `-`: a forwarder leaves such fields out.
        @inlinable @inline(__always) public static var underscoreInName: Flags { Flags(rawValue: 1 << 12) }
        /// The absolute-form target says https. The listener refuses it on a connection without TLS.
        @inlinable @inline(__always) public static var schemeIsHTTPS: Flags { Flags(rawValue: 1 << 13) }
        /// There is content to read: a Content-Length above 0, or chunks.
        @inlinable @inline(__always) public static var hasContent: Flags { Flags(rawValue: 1 << 14) }
    }

    /// The length from Content-Length; 0 without content, -1 when chunked.
    public internal(set) var contentLength: Int64 = 0
    /// Where the next line begins; after the head is complete, the same as `headLength`.
    var lineOffset: UInt32 = 0
    /// Octets up to and including the empty line, empty lines before the request line included. 0 until complete.
    public internal(set) var headLength: UInt32 = 0
    public internal(set) var flags = Flags(rawValue: 0)
    /// Where the method begins: 0 unless empty lines came before it.
    public internal(set) var methodOffset: UInt32 = 0
    /// The request target as received.
    public internal(set) var targetOffset: UInt32 = 0
    public internal(set) var targetLength: UInt32 = 0
    /// The path, raw; at least one octet: `/`, or `*` in asterisk-form.
    public internal(set) var pathOffset: UInt32 = 0
    public internal(set) var pathLength: UInt32 = 0
    /// The query without its `?`, raw; length 0 when there is none. It always ends where the target ends.
    public internal(set) var queryOffset: UInt32 = 0
    public internal(set) var queryLength: UInt32 = 0
    /// Host and port as received: of an absolute-form target, which wins (RFC 9112 §3.2.2), else of the Host field.
    public internal(set) var hostOffset: UInt32 = 0
    public internal(set) var hostLength: UInt16 = 0
    /// The part of it before the colon of the port.
    public internal(set) var hostNameLength: UInt16 = 0
    /// 1 through 65 535; 0 when no port was given.
    public internal(set) var hostPort: UInt16 = 0
    /// Field lines read so far, one `FieldSlice` each.
    public internal(set) var fieldCount: UInt16 = 0
    public internal(set) var methodLength: UInt8 = 0
    public internal(set) var method: RequestMethod = .other
    public internal(set) var targetForm: TargetForm = .origin
    /// 0 or 1.
    public internal(set) var versionMinor: UInt8 = 0
    public internal(set) var framing: ContentFraming = .none
    /// Whether the request line has been read.
    var inFields = false
    /// Empty lines before the request line so far.
    var emptyLines: UInt8 = 0
    private var reserved: UInt8 = 0

    public init() {}

    /// Whether the request line is complete, so that method, target and version may be read (for a log, say).
    public var hasRequestLine: Bool { inFields }

    /// Whether the client lets the connection be used again after this request (RFC 9112 §9.3).
    @inlinable @inline(__always)
    public var isPersistent: Bool {
        if flags.contains(.connectionClose) { return false }
        return versionMinor == 1 || flags.contains(.connectionKeepAlive)
    }

    /// Whether the client asks for another protocol in a way that counts: both Upgrade and `Connection: upgrade`, in 1.1.
    @inlinable @inline(__always)
    public var wantsUpgrade: Bool { flags.contains([.upgradePresent, .connectionUpgrade]) }
}
