/// The number of a known field name, so that nobody compares octets to find `Host`.
///
/// The numbers are part of the module ABI: a number that was given never changes its meaning, new names are appended.
/// 1 through 8 are the fields that decide framing, routing and persistence; the parsers look at those themselves.
public struct FieldID: RawRepresentable, Equatable, Hashable, Sendable, BitwiseCopyable {
    public var rawValue: UInt16

    @inlinable @inline(__always)
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Any name that is not listed here.
    @inlinable @inline(__always) public static var other: FieldID { FieldID(rawValue: 0) }

    @inlinable @inline(__always) public static var host: FieldID { FieldID(rawValue: 1) }
    @inlinable @inline(__always) public static var connection: FieldID { FieldID(rawValue: 2) }
    @inlinable @inline(__always) public static var contentLength: FieldID { FieldID(rawValue: 3) }
    @inlinable @inline(__always) public static var transferEncoding: FieldID { FieldID(rawValue: 4) }
    @inlinable @inline(__always) public static var expect: FieldID { FieldID(rawValue: 5) }
    @inlinable @inline(__always) public static var upgrade: FieldID { FieldID(rawValue: 6) }
    @inlinable @inline(__always) public static var te: FieldID { FieldID(rawValue: 7) }
    @inlinable @inline(__always) public static var trailer: FieldID { FieldID(rawValue: 8) }
    @inlinable @inline(__always) public static var keepAlive: FieldID { FieldID(rawValue: 9) }
    @inlinable @inline(__always) public static var proxyConnection: FieldID { FieldID(rawValue: 10) }
    @inlinable @inline(__always) public static var contentType: FieldID { FieldID(rawValue: 11) }
    @inlinable @inline(__always) public static var accept: FieldID { FieldID(rawValue: 12) }
    @inlinable @inline(__always) public static var acceptEncoding: FieldID { FieldID(rawValue: 13) }
    @inlinable @inline(__always) public static var acceptLanguage: FieldID { FieldID(rawValue: 14) }
    @inlinable @inline(__always) public static var acceptCharset: FieldID { FieldID(rawValue: 15) }
    @inlinable @inline(__always) public static var userAgent: FieldID { FieldID(rawValue: 16) }
    @inlinable @inline(__always) public static var referer: FieldID { FieldID(rawValue: 17) }
    @inlinable @inline(__always) public static var cookie: FieldID { FieldID(rawValue: 18) }
    @inlinable @inline(__always) public static var authorization: FieldID { FieldID(rawValue: 19) }
    @inlinable @inline(__always) public static var ifMatch: FieldID { FieldID(rawValue: 20) }
    @inlinable @inline(__always) public static var ifNoneMatch: FieldID { FieldID(rawValue: 21) }
    @inlinable @inline(__always) public static var ifModifiedSince: FieldID { FieldID(rawValue: 22) }
    @inlinable @inline(__always) public static var ifUnmodifiedSince: FieldID { FieldID(rawValue: 23) }
    @inlinable @inline(__always) public static var ifRange: FieldID { FieldID(rawValue: 24) }
    @inlinable @inline(__always) public static var range: FieldID { FieldID(rawValue: 25) }
    @inlinable @inline(__always) public static var xForwardedFor: FieldID { FieldID(rawValue: 26) }
    @inlinable @inline(__always) public static var xForwardedProto: FieldID { FieldID(rawValue: 27) }
    @inlinable @inline(__always) public static var xForwardedHost: FieldID { FieldID(rawValue: 28) }
    @inlinable @inline(__always) public static var forwarded: FieldID { FieldID(rawValue: 29) }
    @inlinable @inline(__always) public static var via: FieldID { FieldID(rawValue: 30) }
    @inlinable @inline(__always) public static var date: FieldID { FieldID(rawValue: 31) }
    @inlinable @inline(__always) public static var server: FieldID { FieldID(rawValue: 32) }
    @inlinable @inline(__always) public static var location: FieldID { FieldID(rawValue: 33) }
    @inlinable @inline(__always) public static var setCookie: FieldID { FieldID(rawValue: 34) }
    @inlinable @inline(__always) public static var etag: FieldID { FieldID(rawValue: 35) }
    @inlinable @inline(__always) public static var lastModified: FieldID { FieldID(rawValue: 36) }
    @inlinable @inline(__always) public static var cacheControl: FieldID { FieldID(rawValue: 37) }
    @inlinable @inline(__always) public static var vary: FieldID { FieldID(rawValue: 38) }
    @inlinable @inline(__always) public static var wwwAuthenticate: FieldID { FieldID(rawValue: 39) }
    @inlinable @inline(__always) public static var proxyAuthenticate: FieldID { FieldID(rawValue: 40) }
    @inlinable @inline(__always) public static var proxyAuthorization: FieldID { FieldID(rawValue: 41) }
    @inlinable @inline(__always) public static var proxyAuthenticationInfo: FieldID { FieldID(rawValue: 42) }
    @inlinable @inline(__always) public static var secWebSocketKey: FieldID { FieldID(rawValue: 43) }
    @inlinable @inline(__always) public static var secWebSocketVersion: FieldID { FieldID(rawValue: 44) }
    @inlinable @inline(__always) public static var secWebSocketProtocol: FieldID { FieldID(rawValue: 45) }
    @inlinable @inline(__always) public static var secWebSocketExtensions: FieldID { FieldID(rawValue: 46) }
    @inlinable @inline(__always) public static var secWebSocketAccept: FieldID { FieldID(rawValue: 47) }
    @inlinable @inline(__always) public static var contentEncoding: FieldID { FieldID(rawValue: 48) }
    @inlinable @inline(__always) public static var contentLanguage: FieldID { FieldID(rawValue: 49) }
    @inlinable @inline(__always) public static var contentLocation: FieldID { FieldID(rawValue: 50) }
    @inlinable @inline(__always) public static var contentRange: FieldID { FieldID(rawValue: 51) }
    @inlinable @inline(__always) public static var contentDisposition: FieldID { FieldID(rawValue: 52) }
    @inlinable @inline(__always) public static var acceptRanges: FieldID { FieldID(rawValue: 53) }
    @inlinable @inline(__always) public static var allow: FieldID { FieldID(rawValue: 54) }
    @inlinable @inline(__always) public static var age: FieldID { FieldID(rawValue: 55) }
    @inlinable @inline(__always) public static var expires: FieldID { FieldID(rawValue: 56) }
    @inlinable @inline(__always) public static var pragma: FieldID { FieldID(rawValue: 57) }
    @inlinable @inline(__always) public static var retryAfter: FieldID { FieldID(rawValue: 58) }
    @inlinable @inline(__always) public static var origin: FieldID { FieldID(rawValue: 59) }
    @inlinable @inline(__always) public static var from: FieldID { FieldID(rawValue: 60) }
    @inlinable @inline(__always) public static var maxForwards: FieldID { FieldID(rawValue: 61) }
    @inlinable @inline(__always) public static var prefer: FieldID { FieldID(rawValue: 62) }
    @inlinable @inline(__always) public static var link: FieldID { FieldID(rawValue: 63) }
    @inlinable @inline(__always) public static var altSvc: FieldID { FieldID(rawValue: 64) }
    @inlinable @inline(__always) public static var strictTransportSecurity: FieldID { FieldID(rawValue: 65) }
    @inlinable @inline(__always) public static var upgradeInsecureRequests: FieldID { FieldID(rawValue: 66) }
    @inlinable @inline(__always) public static var accessControlRequestMethod: FieldID { FieldID(rawValue: 67) }
    @inlinable @inline(__always) public static var accessControlRequestHeaders: FieldID { FieldID(rawValue: 68) }
    @inlinable @inline(__always) public static var http2Settings: FieldID { FieldID(rawValue: 69) }
    @inlinable @inline(__always) public static var xRealIP: FieldID { FieldID(rawValue: 70) }
    @inlinable @inline(__always) public static var xForwardedPrefix: FieldID { FieldID(rawValue: 71) }
    @inlinable @inline(__always) public static var xRequestID: FieldID { FieldID(rawValue: 72) }
    @inlinable @inline(__always) public static var traceparent: FieldID { FieldID(rawValue: 73) }
    @inlinable @inline(__always) public static var tracestate: FieldID { FieldID(rawValue: 74) }
    @inlinable @inline(__always) public static var msAspNetCoreToken: FieldID { FieldID(rawValue: 75) }
    @inlinable @inline(__always) public static var xPoweredBy: FieldID { FieldID(rawValue: 76) }
    @inlinable @inline(__always) public static var xRequestedWith: FieldID { FieldID(rawValue: 77) }
    @inlinable @inline(__always) public static var secFetchSite: FieldID { FieldID(rawValue: 78) }
    @inlinable @inline(__always) public static var translate: FieldID { FieldID(rawValue: 79) }
    @inlinable @inline(__always) public static var warning: FieldID { FieldID(rawValue: 80) }
    /// Any other name that begins with `MS-ASPNETCORE`: only the front may set those towards a worker.
    @inlinable @inline(__always) public static var msAspNetCoreOther: FieldID { FieldID(rawValue: 81) }

    /// The highest number in use.
    @inlinable public static var last: FieldID { FieldID(rawValue: 81) }
    /// The highest number of a field that the parsers themselves look at.
    @inlinable @inline(__always) static var lastOfMessage: UInt16 { 8 }
}

extension FieldID {
    /// The name as it is usually written; empty for `other`, the common beginning for `msAspNetCoreOther`.
    public var name: StaticString {
        switch rawValue {
        case 1: "Host"
        case 2: "Connection"
        case 3: "Content-Length"
        case 4: "Transfer-Encoding"
        case 5: "Expect"
        case 6: "Upgrade"
        case 7: "TE"
        case 8: "Trailer"
        case 9: "Keep-Alive"
        case 10: "Proxy-Connection"
        case 11: "Content-Type"
        case 12: "Accept"
        case 13: "Accept-Encoding"
        case 14: "Accept-Language"
        case 15: "Accept-Charset"
        case 16: "User-Agent"
        case 17: "Referer"
        case 18: "Cookie"
        case 19: "Authorization"
        case 20: "If-Match"
        case 21: "If-None-Match"
        case 22: "If-Modified-Since"
        case 23: "If-Unmodified-Since"
        case 24: "If-Range"
        case 25: "Range"
        case 26: "X-Forwarded-For"
        case 27: "X-Forwarded-Proto"
        case 28: "X-Forwarded-Host"
        case 29: "Forwarded"
        case 30: "Via"
        case 31: "Date"
        case 32: "Server"
        case 33: "Location"
        case 34: "Set-Cookie"
        case 35: "ETag"
        case 36: "Last-Modified"
        case 37: "Cache-Control"
        case 38: "Vary"
        case 39: "WWW-Authenticate"
        case 40: "Proxy-Authenticate"
        case 41: "Proxy-Authorization"
        case 42: "Proxy-Authentication-Info"
        case 43: "Sec-WebSocket-Key"
        case 44: "Sec-WebSocket-Version"
        case 45: "Sec-WebSocket-Protocol"
        case 46: "Sec-WebSocket-Extensions"
        case 47: "Sec-WebSocket-Accept"
        case 48: "Content-Encoding"
        case 49: "Content-Language"
        case 50: "Content-Location"
        case 51: "Content-Range"
        case 52: "Content-Disposition"
        case 53: "Accept-Ranges"
        case 54: "Allow"
        case 55: "Age"
        case 56: "Expires"
        case 57: "Pragma"
        case 58: "Retry-After"
        case 59: "Origin"
        case 60: "From"
        case 61: "Max-Forwards"
        case 62: "Prefer"
        case 63: "Link"
        case 64: "Alt-Svc"
        case 65: "Strict-Transport-Security"
        case 66: "Upgrade-Insecure-Requests"
        case 67: "Access-Control-Request-Method"
        case 68: "Access-Control-Request-Headers"
        case 69: "HTTP2-Settings"
        case 70: "X-Real-IP"
        case 71: "X-Forwarded-Prefix"
        case 72: "X-Request-ID"
        case 73: "Traceparent"
        case 74: "Tracestate"
        case 75: "MS-ASPNETCORE-TOKEN"
        case 76: "X-Powered-By"
        case 77: "X-Requested-With"
        case 78: "Sec-Fetch-Site"
        case 79: "Translate"
        case 80: "Warning"
        case 81: "MS-ASPNETCORE"
        default: ""
        }
    }
}
