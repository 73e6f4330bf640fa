internal import CBerthModule

/// What a request demands of the state of the file, and which part of it it wants (RFC 9110 §13, §14.2).
struct Preconditions {
    enum Verdict: Equatable {
        /// 200 with everything.
        case whole
        case notModified
        case failed
        case unsatisfiable
        case ranges([Range<Int>])
    }

    private var ifMatch: (isThere: Bool, matches: Bool) = (false, false)
    private var ifNoneMatch: (isThere: Bool, matches: Bool) = (false, false)
    private var ifModifiedSince = berth_octets(nil, 0)
    private var ifUnmodifiedSince = berth_octets(nil, 0)
    private var ifRange = berth_octets(nil, 0)
    private var range = berth_octets(nil, 0)
    /// A field that may be there once is there twice.
    private var isAmbiguous = false

    /// Whether any field of the request may be one of those read here, told by length and first letter.
    @inline(__always)
    static func mayHold(_ request: RequestPointer) -> Bool {
        guard let fields = request.pointee.fields, let head = request.pointee.head else { return false }
        // Range 5, If-Match and If-Range 8, If-None-Match 13, If-Modified-Since 17, If-Unmodified-Since 19.
        let lengths: UInt64 = 1 << 5 | 1 << 8 | 1 << 13 | 1 << 17 | 1 << 19
        var field = fields
        let last = fields + Int(request.pointee.field_count)
        while field < last {
            let length = UInt64(field.pointee.name_length)
            if length < 64, lengths &>> length & 1 != 0 {
                let first = head[Int(field.pointee.name_offset)] | 0x20
                if first == 0x69 || first == 0x72 { return true }
            }
            field += 1
        }
        return false
    }

    /// Collects the fields, and compares entity tags with `etag` (count 0: the file has none).
    init(_ request: RequestPointer, etag: berth_octets) {
        guard let fields = request.pointee.fields else { return }
        for index in 0..<Int(request.pointee.field_count) {
            let name = request.fieldName(fields[index])
            let value = request.fieldValue(fields[index])
            switch name.length {
            case 5 where name.equalsLowered("range"): Self.keep(value, in: &range, &isAmbiguous)
            case 8 where name.equalsLowered("if-range"): Self.keep(value, in: &ifRange, &isAmbiguous)
            case 8 where name.equalsLowered("if-match"):
                ifMatch = (true, ifMatch.matches || Self.list(value, holds: etag, weakly: false))
            case 13 where name.equalsLowered("if-none-match"):
                ifNoneMatch = (true, ifNoneMatch.matches || Self.list(value, holds: etag, weakly: true))
            case 17 where name.equalsLowered("if-modified-since"): Self.keep(value, in: &ifModifiedSince, &isAmbiguous)
            case 19 where name.equalsLowered("if-unmodified-since"):
                Self.keep(value, in: &ifUnmodifiedSince, &isAmbiguous)
            default: break
            }
        }
    }

    /// Keeps the first of several, and makes the whole field ignored: nothing good can come of guessing.
    private static func keep(_ value: berth_octets, in field: inout berth_octets, _ isAmbiguous: inout Bool) {
        if field.start == nil { field = value } else { isAmbiguous = true }
    }

    /// The order is that of RFC 9110 §13.2.2.
    func verdict(modified: Int64, etag: berth_octets, size: Int, isHead: Bool, now: Int64) -> Verdict {
        if ifMatch.isThere {
            if !ifMatch.matches { return .failed }
        } else if ifUnmodifiedSince.start != nil, !isAmbiguous, let date = HTTPDate.read(ifUnmodifiedSince, now: now),
            modified > date
        {
            return .failed
        }
        if ifNoneMatch.isThere {
            if ifNoneMatch.matches { return .notModified }
        } else if ifModifiedSince.start != nil, !isAmbiguous, let date = HTTPDate.read(ifModifiedSince, now: now),
            modified <= date
        {
            return .notModified
        }
        guard range.start != nil, !isHead, !isAmbiguous else { return .whole }
        if ifRange.start != nil {
            let isTag = ifRange.start.map { $0.pointee == 0x22 || $0.pointee == 0x57 } ?? false
            // A weak tag never matches here, and a date only exactly.
            guard isTag ? etag.count > 0 && ifRange.equals(etag) : HTTPDate.read(ifRange, now: now) == modified else {
                return .whole
            }
        }
        switch ByteRanges.read(range, size: size) {
        case .whole: return .whole
        case .unsatisfiable: return .unsatisfiable
        case .ranges(let ranges): return .ranges(ranges)
        }
    }

    /// Whether a list of entity tags holds this one, or is `*`. Strong comparison unless `weakly` (RFC 9110 §8.8.3.2).
    static func list(_ value: berth_octets, holds etag: berth_octets, weakly: Bool) -> Bool {
        let list = value.trimmed
        guard let start = list.start else { return false }
        if list.count == 1, start.pointee == 0x2a { return true }
        guard etag.count > 0 else { return false }
        var position = 0
        while position < list.length {
            let octet = start[position]
            if octet == 0x2c || octet == 0x20 || octet == 0x09 {
                position += 1
                continue
            }
            var isWeak = false
            if octet == 0x57, position + 1 < list.length, start[position + 1] == 0x2f {
                isWeak = true
                position += 2
            }
            guard position < list.length, start[position] == 0x22 else { return false }
            guard let close = list.dropFirst(position + 1).index(of: 0x22) else { return false }
            let tag = berth_octets(start + position, close + 2)
            if tag.equals(etag), weakly || !isWeak { return true }
            position += close + 2
        }
        return false
    }
}
