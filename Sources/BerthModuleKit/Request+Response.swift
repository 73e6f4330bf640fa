public import CBerthModule

// MARK: Answering at once

extension Request {
    /// Answers with content in memory, and is done. The host copies it.
    ///
    /// Content over the host's window (256 KiB) is sent with `start` and `write`. A refusal by the host (a status outside
    /// 200...999, an answer that was begun before) is answered 500; a client that left is no error.
    @inlinable @inline(__always)
    public func respond(
        status: UInt16 = 200, contentType: StaticString = "text/plain", _ content: StaticString
    ) -> Outcome {
        respond(
            status: status, contentType: contentType,
            UnsafeRawBufferPointer(start: content.utf8Start, count: content.utf8CodeUnitCount))
    }

    /// The same for text made for this request.
    @_disfavoredOverload
    public func respond(
        status: UInt16 = 200, contentType: StaticString = "text/plain; charset=utf-8", _ content: String
    ) -> Outcome {
        var content = content
        return content.withUTF8 { respond(status: status, contentType: contentType, UnsafeRawBufferPointer($0)) }
    }

    /// The same for octets.
    @inlinable @inline(__always)
    public func respond(
        status: UInt16 = 200, contentType: StaticString = "application/octet-stream", _ content: UnsafeRawBufferPointer
    ) -> Outcome {
        var field = Self.contentTypeField(contentType)
        return withUnsafePointer(to: &field) { field in
            var head = Self.head(status: status, length: -1)
            head.fields = field
            head.field_count = 1
            var piece = berth_octets(
                start: content.baseAddress?.assumingMemoryBound(to: UInt8.self), count: UInt64(content.count))
            let result = host.pointee.respond(raw, &head, &piece, 1)
            return result == 0 || result == Int32(BERTH_GONE) ? .finish : .error
        }
    }

    /// Adds a field to the response that is not begun yet.
    ///
    /// Throws `.invalid` for CR, LF or NUL, `.tooLarge` over 4 KiB in all.
    @inlinable
    public func addField(_ name: StaticString, _ value: Octets) throws(RequestError) {
        let name = berth_octets(start: name.utf8Start, count: UInt64(name.utf8CodeUnitCount))
        let result = host.pointee.add_response_field(raw, name, value.raw)
        if result != 0 { throw RequestError(code: Int64(result)) }
    }

    /// The same for a literal.
    @inlinable
    public func addField(_ name: StaticString, _ value: StaticString) throws(RequestError) {
        try addField(name, Octets(start: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    /// The same for text made for this request.
    @_disfavoredOverload
    public func addField(_ name: StaticString, _ value: String) throws(RequestError) {
        var value = value
        let result = value.withUTF8 { utf8 in
            host.pointee.add_response_field(
                raw, berth_octets(start: name.utf8Start, count: UInt64(name.utf8CodeUnitCount)),
                berth_octets(start: utf8.baseAddress, count: UInt64(utf8.count)))
        }
        if result != 0 { throw RequestError(code: Int64(result)) }
    }
}

// MARK: Answering in pieces

extension Request {
    /// Begins a response whose content follows with `write`. `length` nil: not known, the host frames it.
    @inlinable
    public func start(
        status: UInt16 = 200, contentType: StaticString = "text/plain", length: Int? = nil
    ) throws(RequestError) {
        var field = Self.contentTypeField(contentType)
        let result = withUnsafePointer(to: &field) { field in
            var head = Self.head(status: status, length: Int64(length ?? -1))
            head.fields = field
            head.field_count = 1
            return host.pointee.start_response(raw, &head)
        }
        if result != 0 { throw RequestError(code: Int64(result)) }
    }

    /// Gives the host content, and answers how many octets it took: as many as its window had room for.
    ///
    /// Fewer than offered: answer `.pending`, wait for `.writable`, and go on with the rest.
    @inlinable
    public func write(_ content: UnsafeRawBufferPointer) throws(RequestError) -> Int {
        guard let start = content.baseAddress else { return 0 }
        let count = host.pointee.write_response(raw, start.assumingMemoryBound(to: UInt8.self), UInt64(content.count))
        if count < 0 { throw RequestError(code: count) }
        return Int(count)
    }

    /// Pushes what was written to the client now, as for server-sent events.
    @inlinable public func flush() { _ = host.pointee.flush_response(raw) }

    /// Ends the content. Answering `.continue` does it too.
    @inlinable public func finishResponse() { _ = host.pointee.finish_response(raw) }
}

// MARK: Inside

extension Request {
    @inlinable @inline(__always)
    static func contentTypeField(_ value: StaticString) -> berth_response_field {
        let name: StaticString = "Content-Type"
        return berth_response_field(
            name: berth_octets(start: name.utf8Start, count: 12),
            value: berth_octets(start: value.utf8Start, count: UInt64(value.utf8CodeUnitCount)))
    }

    @inlinable @inline(__always)
    static func head(status: UInt16, length: Int64) -> berth_response_head {
        berth_response_head(
            size: UInt32(MemoryLayout<berth_response_head>.size), status: status, substatus: 0,
            reason: berth_octets(start: nil, count: 0), fields: nil, field_count: 0, flags: 0, content_length: length)
    }
}
