internal import CBerthModule
internal import CBerthSystem
internal import Glibc

extension StaticFilesContext {
    /// Sends a file, or what the request's preconditions make of it.
    @inline(__always)
    func send(_ request: RequestPointer, _ entry: UnsafeMutablePointer<FileEntry>, isHead: Bool) -> Int32 {
        if Preconditions.mayHold(request) { return sendConditionally(request, entry, isHead: isHead) }
        return sendWhole(request, entry, isHead: isHead)
    }

    @inline(__always)
    private func sendWhole(_ request: RequestPointer, _ entry: UnsafeMutablePointer<FileEntry>, isHead: Bool) -> Int32 {
        hold(request, entry)
        if let content = entry.pointee.content {
            var piece = berth_octets(UnsafePointer(content), entry.pointee.size)
            return answer(host.pointee.respond(request, &entry.pointee.head, &piece, 1))
        }
        return sendLarge(request, &entry.pointee.head, entry.pointee.fd, 0, entry.pointee.size, isHead: isHead)
    }

    /// The entry stays until the end stage of this request.
    @inline(__always)
    private func hold(_ request: RequestPointer, _ entry: UnsafeMutablePointer<FileEntry>) {
        entry.pointee.references &+= 1
        host.pointee.slot(request).pointee = UnsafeMutableRawPointer(entry)
    }

    private func sendLarge(
        _ request: RequestPointer, _ head: UnsafePointer<berth_response_head>, _ fd: Int32, _ offset: Int, _ count: Int,
        isHead: Bool
    ) -> Int32 {
        let result = host.pointee.start_response(request, head)
        guard result == 0 else { return answer(result) }
        if isHead { return answer(host.pointee.finish_response(request)) }
        return answer(host.pointee.send_file(request, fd, UInt64(offset), UInt64(count)))
    }

    // MARK: Conditional and partial

    @inline(never)
    private func sendConditionally(
        _ request: RequestPointer, _ entry: UnsafeMutablePointer<FileEntry>, isHead: Bool
    ) -> Int32 {
        let etag = entry.pointee.etag
        let verdict = Preconditions(request, etag: etag).verdict(
            modified: entry.pointee.modified, etag: etag, size: entry.pointee.size, isHead: isHead,
            now: host.pointee.wall_seconds())
        switch verdict {
        case .whole: return sendWhole(request, entry, isHead: isHead)
        case .notModified:
            var head = entry.pointee.head
            head.status = 304
            head.fields = UnsafePointer(entry.pointee.fields + FileEntry.contentFieldCount)
            head.field_count = UInt32(entry.pointee.fieldCount - FileEntry.contentFieldCount)
            head.content_length = 0
            head.flags = 0
            return answer(host.pointee.respond(request, &head, nil, 0))
        case .failed:
            return host.refuse(request, 412, 0, "static-files: a precondition of the request failed")
        case .unsatisfiable: return refuseRange(request, entry)
        case .ranges(let ranges) where ranges.count == 1: return sendRange(request, entry, ranges[0])
        case .ranges(let ranges): return sendRanges(request, entry, ranges)
        }
    }

    private func refuseRange(_ request: RequestPointer, _ entry: UnsafeMutablePointer<FileEntry>) -> Int32 {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { room in
            guard let start = room.baseAddress else { return StageAnswer.error }
            var text = OctetWriter(end: start)
            text.put("bytes */")
            text.number(UInt64(entry.pointee.size))
            _ = host.pointee.add_response_field(
                request, berth_octets("Content-Range"), berth_octets(UnsafePointer(start), text.end - start))
            return host.refuse(request, 416, 0, "static-files: none of the ranges lies in the file")
        }
    }

    private func sendRange(
        _ request: RequestPointer, _ entry: UnsafeMutablePointer<FileEntry>, _ range: Range<Int>
    ) -> Int32 {
        hold(request, entry)
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 96) { room in
            guard let start = room.baseAddress else { return StageAnswer.error }
            var text = OctetWriter(end: start)
            text.contentRange(range, of: entry.pointee.size)
            let value = berth_octets(UnsafePointer(start), text.end - start)
            return withFields(of: entry, replacing: nil, adding: ("Content-Range", value)) { fields, count in
                var head = entry.pointee.head
                head.status = 206
                head.fields = fields
                head.field_count = count
                head.content_length = Int64(range.count)
                if let content = entry.pointee.content {
                    var piece = berth_octets(UnsafePointer(content + range.lowerBound), range.count)
                    return answer(host.pointee.respond(request, &head, &piece, 1))
                }
                return sendLarge(request, &head, entry.pointee.fd, range.lowerBound, range.count, isHead: false)
            }
        }
    }

    private func sendRanges(
        _ request: RequestPointer, _ entry: UnsafeMutablePointer<FileEntry>, _ ranges: [Range<Int>]
    ) -> Int32 {
        let isSmall = entry.pointee.content != nil
        // Put together in memory; where that is too much, the whole file is a correct answer (RFC 9110 §14.2).
        guard isSmall || ranges.reduce(0, { $0 + $1.count }) <= MultipartBody.octetsMax,
            let body = MultipartBody.make(entry, ranges)
        else { return sendWhole(request, entry, isHead: false) }
        entry.pointee.references += 1
        host.pointee.slot(request).pointee = UnsafeMutableRawPointer(body)
        if isSmall {
            body.fillFromMemory()
            return send(request, body)
        }
        let result = host.pointee.run_blocking(request, 2, MultipartBody.run, UnsafeMutableRawPointer(body))
        if result == 0 { return StageAnswer.pending }
        return host.refuse(request, 503, 0, "static-files: too many files are being read")
    }

    /// The parts are all there.
    func send(_ request: RequestPointer, _ body: UnsafeMutablePointer<MultipartBody>) -> Int32 {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 96) { room in
            guard let start = room.baseAddress else { return StageAnswer.error }
            var text = OctetWriter(end: start)
            text.put("multipart/byteranges; boundary=")
            text.copy(body.pointee.boundary, MultipartBody.boundaryLength)
            let type = berth_octets(UnsafePointer(start), text.end - start)
            return withFields(of: body.pointee.entry, replacing: type, adding: nil) { fields, count in
                var head = body.pointee.entry.pointee.head
                head.status = 206
                head.fields = fields
                head.field_count = count
                head.content_length = Int64(body.pointee.count)
                var piece = berth_octets(UnsafePointer(body.pointee.octets), body.pointee.count)
                return answer(host.pointee.respond(request, &head, &piece, 1))
            }
        }
    }

    /// The fields of the 200, with another Content-Type, or with one more.
    private func withFields(
        of entry: UnsafeMutablePointer<FileEntry>, replacing type: berth_octets?,
        adding field: (name: StaticString, value: berth_octets)?,
        _ body: (UnsafePointer<berth_response_field>, UInt32) -> Int32
    ) -> Int32 {
        withUnsafeTemporaryAllocation(of: berth_response_field.self, capacity: entry.pointee.fieldCount + 1) { room in
            guard let fields = room.baseAddress else { return StageAnswer.error }
            fields.initialize(from: entry.pointee.fields, count: entry.pointee.fieldCount)
            var count = entry.pointee.fieldCount
            if let type { fields[0].value = type }
            if let field {
                fields.advanced(by: count).initialize(
                    to: berth_response_field(name: berth_octets(field.name), value: field.value))
                count += 1
            }
            return body(fields, UInt32(count))
        }
    }

    // MARK: Redirecting

    /// `/dir` to `/dir/`, with the query it came with.
    ///
    /// The place is made from the cooked path, never from the target: a target of `//evil.example` would lead away.
    func redirect(_ request: RequestPointer) -> Int32 {
        let (path, query) = (request.pointee.path, request.pointee.query)
        guard let start = path.start else { return StageAnswer.error }
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: 3 * path.length + query.length + 2)
        defer { room.deallocate() }
        var text = OctetWriter(end: room)
        for index in 0..<path.length {
            let octet = start[index]
            if octet == 0x2f, index > 0, start[index - 1] == 0x2f { continue }
            if Self.isPathOctet(octet) {
                text.put(octet)
            } else {
                text.put(0x25)
                text.put(OctetWriter.hexDigit(octet >> 4))
                text.put(OctetWriter.hexDigit(octet & 15))
            }
        }
        text.put(0x2f)
        if query.count > 0, let queryStart = query.start {
            text.put(0x3f)
            text.copy(queryStart, query.length)
        }
        var field = berth_response_field(
            name: berth_octets("Location"), value: berth_octets(UnsafePointer(room), text.end - room))
        return withUnsafePointer(to: &field) { field in
            var head = berth_response_head()
            head.size = UInt32(MemoryLayout<berth_response_head>.size)
            head.status = 301
            head.fields = field
            head.field_count = 1
            return answer(host.pointee.respond(request, &head, nil, 0))
        }
    }

    /// pchar and "/" of RFC 3986 §3.3, less the percent sign.
    private static func isPathOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        case 0x2d, 0x2e, 0x5f, 0x7e: true  // - . _ ~
        case 0x21, 0x24, 0x26...0x2c, 0x3b, 0x3d: true  // ! $ & ' ( ) * + , ; =
        case 0x3a, 0x40, 0x2f: true  // : @ /
        default: false
        }
    }
}
