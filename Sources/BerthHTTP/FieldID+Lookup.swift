extension FieldID {
    /// The number of a field name, compared without case.
    ///
    /// The name must hold token octets only (RFC 9110 §5.6.2): then lowering by setting bit 5 confuses no octet of a listed
    /// name with another. Cost: a jump by length, then two or three words compared per name of that length.
    public static func of(_ name: UnsafePointer<UInt8>, _ length: Int) -> FieldID {
        switch length {
        case 2:
            if Lowercase.matches(name, "te") { return .te }
        case 3:
            if Lowercase.matches(name, "via") { return .via }
            if Lowercase.matches(name, "age") { return .age }
        case 4:
            if Lowercase.matches(name, "host") { return .host }
            if Lowercase.matches(name, "date") { return .date }
            if Lowercase.matches(name, "etag") { return .etag }
            if Lowercase.matches(name, "vary") { return .vary }
            if Lowercase.matches(name, "from") { return .from }
            if Lowercase.matches(name, "link") { return .link }
        case 5:
            if Lowercase.matches(name, "range") { return .range }
            if Lowercase.matches(name, "allow") { return .allow }
        case 6:
            if Lowercase.matches(name, "accept") { return .accept }
            if Lowercase.matches(name, "cookie") { return .cookie }
            if Lowercase.matches(name, "expect") { return .expect }
            if Lowercase.matches(name, "server") { return .server }
            if Lowercase.matches(name, "pragma") { return .pragma }
            if Lowercase.matches(name, "origin") { return .origin }
            if Lowercase.matches(name, "prefer") { return .prefer }
        case 7:
            if Lowercase.matches(name, "upgrade") { return .upgrade }
            if Lowercase.matches(name, "trailer") { return .trailer }
            if Lowercase.matches(name, "referer") { return .referer }
            if Lowercase.matches(name, "expires") { return .expires }
            if Lowercase.matches(name, "alt-svc") { return .altSvc }
            if Lowercase.matches(name, "warning") { return .warning }
        case 8:
            if Lowercase.matches(name, "if-match") { return .ifMatch }
            if Lowercase.matches(name, "if-range") { return .ifRange }
            if Lowercase.matches(name, "location") { return .location }
        case 9:
            if Lowercase.matches(name, "forwarded") { return .forwarded }
            if Lowercase.matches(name, "x-real-ip") { return .xRealIP }
            if Lowercase.matches(name, "translate") { return .translate }
        case 10:
            if Lowercase.matches(name, "connection") { return .connection }
            if Lowercase.matches(name, "keep-alive") { return .keepAlive }
            if Lowercase.matches(name, "user-agent") { return .userAgent }
            if Lowercase.matches(name, "set-cookie") { return .setCookie }
            if Lowercase.matches(name, "tracestate") { return .tracestate }
        case 11:
            if Lowercase.matches(name, "retry-after") { return .retryAfter }
            if Lowercase.matches(name, "traceparent") { return .traceparent }
        case 12:
            if Lowercase.matches(name, "content-type") { return .contentType }
            if Lowercase.matches(name, "max-forwards") { return .maxForwards }
            if Lowercase.matches(name, "x-request-id") { return .xRequestID }
            if Lowercase.matches(name, "x-powered-by") { return .xPoweredBy }
        case 13:
            if Lowercase.matches(name, "authorization") { return .authorization }
            if Lowercase.matches(name, "if-none-match") { return .ifNoneMatch }
            if Lowercase.matches(name, "last-modified") { return .lastModified }
            if Lowercase.matches(name, "cache-control") { return .cacheControl }
            if Lowercase.matches(name, "content-range") { return .contentRange }
            if Lowercase.matches(name, "accept-ranges") { return .acceptRanges }
        case 14:
            if Lowercase.matches(name, "content-length") { return .contentLength }
            if Lowercase.matches(name, "accept-charset") { return .acceptCharset }
            if Lowercase.matches(name, "http2-settings") { return .http2Settings }
            if Lowercase.matches(name, "sec-fetch-site") { return .secFetchSite }
        case 15:
            if Lowercase.matches(name, "accept-encoding") { return .acceptEncoding }
            if Lowercase.matches(name, "accept-language") { return .acceptLanguage }
            if Lowercase.matches(name, "x-forwarded-for") { return .xForwardedFor }
        case 16:
            if Lowercase.matches(name, "proxy-connection") { return .proxyConnection }
            if Lowercase.matches(name, "x-forwarded-host") { return .xForwardedHost }
            if Lowercase.matches(name, "www-authenticate") { return .wwwAuthenticate }
            if Lowercase.matches(name, "content-encoding") { return .contentEncoding }
            if Lowercase.matches(name, "content-language") { return .contentLanguage }
            if Lowercase.matches(name, "content-location") { return .contentLocation }
            if Lowercase.matches(name, "x-requested-with") { return .xRequestedWith }
        case 17:
            if Lowercase.matches(name, "transfer-encoding") { return .transferEncoding }
            if Lowercase.matches(name, "if-modified-since") { return .ifModifiedSince }
            if Lowercase.matches(name, "x-forwarded-proto") { return .xForwardedProto }
            if Lowercase.matches(name, "sec-websocket-key") { return .secWebSocketKey }
        case 18:
            if Lowercase.matches(name, "proxy-authenticate") { return .proxyAuthenticate }
            if Lowercase.matches(name, "x-forwarded-prefix") { return .xForwardedPrefix }
        case 19:
            if Lowercase.matches(name, "if-unmodified-since") { return .ifUnmodifiedSince }
            if Lowercase.matches(name, "proxy-authorization") { return .proxyAuthorization }
            if Lowercase.matches(name, "content-disposition") { return .contentDisposition }
            if Lowercase.matches(name, "ms-aspnetcore-token") { return .msAspNetCoreToken }
        case 20:
            if Lowercase.matches(name, "sec-websocket-accept") { return .secWebSocketAccept }
        case 21:
            if Lowercase.matches(name, "sec-websocket-version") { return .secWebSocketVersion }
        case 22:
            if Lowercase.matches(name, "sec-websocket-protocol") { return .secWebSocketProtocol }
        case 24:
            if Lowercase.matches(name, "sec-websocket-extensions") { return .secWebSocketExtensions }
        case 25:
            if Lowercase.matches(name, "proxy-authentication-info") { return .proxyAuthenticationInfo }
            if Lowercase.matches(name, "strict-transport-security") { return .strictTransportSecurity }
            if Lowercase.matches(name, "upgrade-insecure-requests") { return .upgradeInsecureRequests }
        case 29:
            if Lowercase.matches(name, "access-control-request-method") { return .accessControlRequestMethod }
        case 30:
            if Lowercase.matches(name, "access-control-request-headers") { return .accessControlRequestHeaders }
        default: break
        }
        if length >= 13, Lowercase.matches(name, "ms-aspnetcore") { return .msAspNetCoreOther }
        return .other
    }
}
