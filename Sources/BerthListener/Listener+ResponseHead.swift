import BerthHTTP
import BerthEventLoop
import CBerthBytes
import Glibc

/// Heads of responses: status line, Date, Server, the handler's fields, those that modules added, framing.
extension Listener {
    /// Longest head of a response, in octets. Ours: what the loop's scratch memory holds.
    public static let responseHeadMax = scratchSize

    /// Longest content that goes into the batch together with its head, in octets. Ours.
    static let contentWithHeadMax = 4096

    /// Octets of a head without its fields: the preamble (182 at most, see `kept`), Content-Length, Connection, line ends.
    private static let fixedHeadMax = 320

    /// Encodes the head of a response.
    ///
    /// - Parameter content: all content that follows, `contentLength` octets of it, to be taken along where that is cheap. It was
    ///   taken when the response has ended (`hasEnded`) afterwards; else it is written as any other.
    /// - Returns: nil, or why not.
    public func start(
        _ request: UnsafeMutablePointer<Request>, _ response: UnsafePointer<ResponseStart>,
        content: OctetRun = OctetRun(nil, 0)
    ) -> ResponseFailure? {
        if request.pointee.responseState != .none { return .alreadyStarted }
        let index = request.pointee.connection
        let c = connection(of: request)
        if c.pointee.fd < 0 || request.pointee.isBroken { return .gone }
        let fieldCount = response.pointee.fieldCount
        var bound = Self.fixedHeadMax &+ response.pointee.reason.length &+ Int(request.pointee.addedFieldsCount)
        if var field = response.pointee.fields {
            let end = field + fieldCount
            while field < end {
                bound &+= field.pointee.name.length &+ field.pointee.value.length &+ 4
                field += 1
            }
        }
        if bound > Self.responseHeadMax { return .tooLarge }
        let taken = content.count <= UInt64(Self.contentWithHeadMax) ? content.length : 0
        bound &+= taken
        if state.pointee.preambleSecond != loop.wallSeconds { refreshPreamble() }

        let direct = roomInBatch(index, c, bound)
        if c.pointee.fd < 0 { return .gone }
        request.pointee.status = response.pointee.status
        if let direct, isPlain(request, response) {
            let fieldsEnd = putPlainFields(response, direct)
            let end = putContentLength(UInt64(response.pointee.contentLength), fieldsEnd)
            let headLength = end - direct
            var count = headLength
            if taken > 0, let octets = content.start {
                cberth_copy(end, octets, taken)
                count &+= taken
                request.pointee.responseState = .ended
                state.pointee.preparedHeads.keep(
                    direct, fieldsEnd - direct, contentLength: UInt64(response.pointee.contentLength),
                    wholeLength: headLength, response.pointee.fields, fieldCount,
                    fieldsOffset: state.pointee.preambleLength, second: state.pointee.preambleSecond)
            } else {
                request.pointee.responseState = .length
                request.pointee.responseRemaining = UInt64(response.pointee.contentLength)
            }
            precondition(count <= bound, "the bound of a response head was computed too low")
            commitBatch(c, count)
            return nil
        }
        encode(request, response, c, direct, bound, content, taken)
        return nil
    }

    // MARK: The usual head

    /// Sends a whole response whose head is a usual one (200, no phrase of its own) with fields that another one had in this
    /// second: they are known to be good.
    ///
    /// - Returns: false when this is no such response. Then nothing has happened; `start` does it.
    public func respondAsBefore(
        _ request: UnsafeMutablePointer<Request>, fields: UnsafePointer<ResponseField>, fieldCount: Int,
        content: OctetRun
    ) -> Bool {
        let index = request.pointee.connection
        let c = connection(of: request)
        guard request.pointee.responseState == .none, c.pointee.fd >= 0, !request.pointee.isBroken,
            leavesHeadAlone(request), let octets = content.start, content.count &- 1 < UInt64(Self.contentWithHeadMax),
            let head = state.pointee.preparedHeads.find(fields, fieldCount, second: loop.wallSeconds)
        else { return false }
        // The number, and two line ends.
        let bound = head.pointee.length &+ 24 &+ content.length
        guard let start = roomInBatch(index, c, bound), c.pointee.fd >= 0 else { return false }
        let end: UnsafeMutablePointer<UInt8>
        if content.count == head.pointee.contentLength {
            cberth_copy(start, head.pointee.octets, head.pointee.wholeLength)
            end = start + head.pointee.wholeLength
        } else {
            cberth_copy(start, head.pointee.octets, head.pointee.length)
            end = putContentLength(content.count, start + head.pointee.length)
        }
        cberth_copy(end, octets, content.length)
        request.pointee.status = 200
        request.pointee.responseState = .ended
        commitBatch(c, end - start &+ content.length)
        return true
    }

    /// Whether nothing about the request adds to the head or takes from it: 1.1, no HEAD, the connection goes on.
    @inline(__always)
    private func leavesHeadAlone(_ request: UnsafeMutablePointer<Request>) -> Bool {
        request.pointee.keepsAlive && request.pointee.head.versionMinor == 1 && request.pointee.head.method != .head
            && request.pointee.addedFields == nil
    }

    /// Whether the head is of the kind that nearly all are: 200, a known length, nothing about the connection.
    @inline(__always)
    private func isPlain(
        _ request: UnsafeMutablePointer<Request>, _ response: UnsafePointer<ResponseStart>
    ) -> Bool {
        response.pointee.status == 200 && response.pointee.reason.count == 0 && response.pointee.flags.rawValue == 0
            && response.pointee.contentLength >= 0 && leavesHeadAlone(request)
    }

    /// The head up to the number of Content-Length: the same octets as `encode` makes, in a third of the instructions. Room and
    /// cases were looked at before, so nothing is asked on the way. Answers where it ended.
    @inline(__always)
    private func putPlainFields(
        _ response: UnsafePointer<ResponseStart>, _ start: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        cberth_copy(start, state.pointee.preamble, state.pointee.preambleLength)
        var end = start + state.pointee.preambleLength
        if var field = response.pointee.fields {
            let last = field + response.pointee.fieldCount
            while field < last {
                if let name = field.pointee.name.start {
                    cberth_copy(end, name, field.pointee.name.length)
                    end += field.pointee.name.length
                    Self.store(end, 0x203a)
                    end += 2
                    if let value = field.pointee.value.start {
                        cberth_copy(end, value, field.pointee.value.length)
                        end += field.pointee.value.length
                    }
                    Self.store(end, 0x0a0d)
                    end += 2
                }
                field += 1
            }
        }
        let name: StaticString = "Content-Length: "
        cberth_copy(end, name.utf8Start, 16)
        return end + 16
    }

    /// The number, and the end of the head. Answers where that is.
    @inline(__always)
    private func putContentLength(
        _ length: UInt64, _ start: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var end = start
        if length < 10 {
            end[0] = 0x30 &+ UInt8(truncatingIfNeeded: length)
            end += 1
        } else if length < 100 {
            let tens = UInt8(truncatingIfNeeded: length) / 10
            end[0] = 0x30 &+ tens
            end[1] = 0x30 &+ (UInt8(truncatingIfNeeded: length) &- tens &* 10)
            end += 2
        } else {
            var out = OctetWriter(end, capacity: 20)
            out.putDecimal(length)
            end += out.count
        }
        UnsafeMutableRawPointer(end).storeBytes(of: UInt32(littleEndian: 0x0a0d_0a0d), as: UInt32.self)
        return end + 4
    }

    @inline(__always)
    private static func store(_ place: UnsafeMutablePointer<UInt8>, _ pair: UInt16) {
        UnsafeMutableRawPointer(place).storeBytes(of: UInt16(littleEndian: pair), as: UInt16.self)
    }

    // MARK: Any head

    @inline(never)
    private func encode(
        _ request: UnsafeMutablePointer<Request>, _ response: UnsafePointer<ResponseStart>,
        _ c: UnsafeMutablePointer<Connection>, _ direct: UnsafeMutablePointer<UInt8>?, _ bound: Int,
        _ content: OctetRun, _ taken: Int
    ) {
        var out = OctetWriter(direct ?? state.pointee.scratch, capacity: bound)
        let status = response.pointee.status
        if response.pointee.flags.contains(.close) { request.pointee.keepsAlive = false }
        if status == 200 && response.pointee.reason.count == 0 && !response.pointee.flags.contains(.noServerField) {
            out.put(state.pointee.preamble, state.pointee.preambleLength)
        } else {
            putStatusLine(&out, status, response.pointee.reason)
            // The preamble is "HTTP/1.1 200 OK\r\n" (17), the Date field (37), the Server field.
            let date = state.pointee.preamble + 17
            out.put(date, response.pointee.flags.contains(.noServerField) ? 37 : state.pointee.preambleLength &- 17)
        }
        var i = 0
        while i < response.pointee.fieldCount {
            if let field = response.pointee.fields?[i], let name = field.name.start {
                let value = field.value.start
                out.putField(name, field.name.length, value ?? name, value == nil ? 0 : field.value.length)
            }
            i &+= 1
        }
        if let added = request.pointee.addedFields { out.put(added, Int(request.pointee.addedFieldsCount)) }
        frame(request, response, &out)
        out.put("\r\n")
        if direct != nil {
            if taken > 0, request.pointee.responseState == .length, let octets = content.start {
                out.put(octets, taken)
                request.pointee.responseRemaining = 0
                request.pointee.responseState = .ended
            }
            precondition(!out.overflowed, "the bound of a response head was computed too low")
            commitBatch(c, out.count)
        } else {
            precondition(!out.overflowed, "the bound of a response head was computed too low")
            append(request.pointee.connection, c, state.pointee.scratch, out.count)
        }
    }

    /// Decides the framing of the content and writes its fields (RFC 9112 §6.3, §9.3).
    private func frame(
        _ request: UnsafeMutablePointer<Request>, _ response: UnsafePointer<ResponseStart>, _ out: inout OctetWriter
    ) {
        let status = response.pointee.status
        let length = response.pointee.contentLength
        let versionMinor = request.pointee.head.versionMinor
        let isHead = request.pointee.head.method == .head
        if response.pointee.flags.contains(.tunnel) {
            request.pointee.responseState = .tunnel
            request.pointee.keepsAlive = false
            return
        }
        let bodiless = status == 204 || status == 304 || status < 200
        if bodiless || isHead {
            request.pointee.responseState = .bodiless
            // A 304 without content says nothing about the length of what it stands for (RFC 9110 section 8.6).
            if length >= 0 && status != 204 && !(status == 304 && length == 0) {
                out.put("Content-Length: ")
                out.putDecimal(UInt64(length))
                out.put("\r\n")
            } else if isHead && !bodiless && versionMinor == 1 {
                out.put("Transfer-Encoding: chunked\r\n")
            }
        } else if length >= 0 {
            request.pointee.responseState = .length
            request.pointee.responseRemaining = UInt64(length)
            out.put("Content-Length: ")
            out.putDecimal(UInt64(length))
            out.put("\r\n")
        } else if versionMinor == 1 {
            request.pointee.responseState = .chunked
            out.put("Transfer-Encoding: chunked\r\n")
        } else {
            request.pointee.responseState = .untilClose
            request.pointee.keepsAlive = false
        }
        if !request.pointee.keepsAlive {
            out.put("Connection: close\r\n")
        } else if versionMinor == 0 {
            out.put("Connection: keep-alive\r\n")
        }
    }

    private func putStatusLine(_ out: inout OctetWriter, _ status: UInt16, _ reason: OctetRun) {
        guard let text = reason.start, reason.count > 0 else {
            out.putStatusLine(status)
            return
        }
        out.put("HTTP/1.1 ")
        out.putDecimal(UInt64(status))
        out.put(" ")
        out.put(text, reason.length)
        out.put("\r\n")
    }

    /// "HTTP/1.1 200 OK", Date and Server, made anew once a second.
    @inline(never)
    private func refreshPreamble() {
        let now = loop.wallSeconds
        state.pointee.preambleSecond = now
        var out = OctetWriter(state.pointee.preamble, capacity: 256)
        out.put("HTTP/1.1 200 OK\r\nDate: ")
        if let place = out.claim(29) { HTTPDate.write(now, to: place) }
        out.put("\r\n")
        if let server = state.pointee.serverField.start { out.put(server, state.pointee.serverField.length) }
        state.pointee.preambleLength = out.count
    }
}
