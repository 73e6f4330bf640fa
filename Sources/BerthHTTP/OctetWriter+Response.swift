extension OctetWriter {
    /// `HTTP/1.1 200 OK` and its line end. The version of a response is 1.1 whatever the request said (RFC 9110 §6.2).
    @inlinable @inline(__always)
    public mutating func putStatusLine(_ code: UInt16) {
        if code == 200 { put("HTTP/1.1 200 OK\r\n") } else { putOtherStatusLine(code) }
    }

    @usableFromInline @inline(never)
    mutating func putOtherStatusLine(_ code: UInt16) {
        switch code {
        case 100: put("HTTP/1.1 100 Continue\r\n")
        case 204: put("HTTP/1.1 204 No Content\r\n")
        case 206: put("HTTP/1.1 206 Partial Content\r\n")
        case 301: put("HTTP/1.1 301 Moved Permanently\r\n")
        case 302: put("HTTP/1.1 302 Found\r\n")
        case 304: put("HTTP/1.1 304 Not Modified\r\n")
        case 401: put("HTTP/1.1 401 Unauthorized\r\n")
        case 403: put("HTTP/1.1 403 Forbidden\r\n")
        case 404: put("HTTP/1.1 404 Not Found\r\n")
        default:
            let reason = StatusCode.reasonPhrase(code)
            putStatusLine(code, reason: reason.utf8Start, reason.utf8CodeUnitCount)
        }
    }

    /// A status line with a reason phrase of the caller's, already checked.
    public mutating func putStatusLine(_ code: UInt16, reason: UnsafePointer<UInt8>, _ length: Int) {
        put("HTTP/1.1 ")
        if let place = claim(3) {
            place[0] = 0x30 &+ UInt8(truncatingIfNeeded: code / 100 % 10)
            place[1] = 0x30 &+ UInt8(truncatingIfNeeded: code / 10 % 10)
            place[2] = 0x30 &+ UInt8(truncatingIfNeeded: code % 10)
        }
        put(0x20)
        put(reason, length)
        putLineEnd()
    }

    /// The size line of a chunk. Its content and a CR LF follow; a size of 0 is not a chunk but the end, see `putLastChunk`.
    @inlinable @inline(__always)
    public mutating func putChunkHeader(_ length: Int) {
        putHex(UInt64(truncatingIfNeeded: length))
        putLineEnd()
    }

    /// The last chunk, and an empty trailer section.
    @inlinable @inline(__always)
    public mutating func putLastChunk() { put("0\r\n\r\n") }

    /// Most octets of a chunk header: 16 digits and CR LF.
    @inlinable @inline(__always)
    public static var chunkHeaderLengthMax: Int { 18 }

    /// `Date: …` and its line end, for a time in seconds since 1970. The listener keeps a prebuilt one a second.
    public mutating func putDateField(_ unixSeconds: Int64) {
        put("Date: ")
        if let place = claim(HTTPDate.length) { HTTPDate.write(unixSeconds, to: place) }
        putLineEnd()
    }
}
