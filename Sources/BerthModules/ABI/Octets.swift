internal import CBerthModule
internal import Glibc

extension berth_octets {
    @inline(__always)
    init(_ text: StaticString) {
        self.init(start: text.utf8Start, count: UInt64(text.utf8CodeUnitCount))
    }

    @inline(__always)
    init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        self.init(start: start, count: UInt64(count))
    }

    @inline(__always) var length: Int { Int(truncatingIfNeeded: count) }

    /// Octet by octet.
    @inline(__always)
    func equals(_ other: berth_octets) -> Bool {
        guard count == other.count else { return false }
        guard let start, let otherStart = other.start, count > 0 else { return count == 0 }
        return memcmp(start, otherStart, length) == 0
    }

    /// `name` is in lower case. A...Z are taken for a...z.
    @inline(__always)
    func equalsLowered(_ name: StaticString) -> Bool {
        guard length == name.utf8CodeUnitCount, let start else { return false }
        let expected = name.utf8Start
        for index in 0..<length where lowered(start[index]) != expected[index] { return false }
        return true
    }

    func hasLoweredPrefix(_ name: StaticString) -> Bool {
        guard length >= name.utf8CodeUnitCount else { return false }
        return berth_octets(start, name.utf8CodeUnitCount).equalsLowered(name)
    }

    /// The octets from `index` on, which is not past the end.
    @inline(__always)
    func dropFirst(_ index: Int) -> berth_octets {
        guard let start, index <= length else { return berth_octets(nil, 0) }
        return berth_octets(start + index, length - index)
    }

    @inline(__always)
    func prefix(_ length: Int) -> berth_octets { berth_octets(start, min(length, self.length)) }

    /// Without spaces and tabs at both ends.
    var trimmed: berth_octets {
        guard var first = start else { return self }
        var end = first + length
        while first < end, first.pointee == 0x20 || first.pointee == 0x09 { first += 1 }
        while end > first, (end - 1).pointee == 0x20 || (end - 1).pointee == 0x09 { end -= 1 }
        return berth_octets(first, end - first)
    }

    /// The place of the first such octet.
    func index(of octet: UInt8) -> Int? {
        guard let start, count > 0, let found = memchr(start, Int32(octet), length) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(start)
    }
}

/// A...Z as a...z; any other octet as it is.
@inline(__always)
func lowered(_ octet: UInt8) -> UInt8 { octet &- 0x41 < 26 ? octet | 0x20 : octet }

extension String {
    /// A copy; octets that are not UTF-8 become U+FFFD.
    init(_ octets: berth_octets) {
        self = String(decoding: UnsafeBufferPointer(start: octets.start, count: octets.length), as: UTF8.self)
    }
}

extension berth_octets {
    /// A copy that ends in NUL and lives until `deallocate`. For what an instance keeps.
    static func copy(of text: String) -> berth_octets {
        let utf8 = Array(text.utf8)
        let start = UnsafeMutablePointer<UInt8>.allocate(capacity: utf8.count + 1)
        for (index, octet) in utf8.enumerated() { start[index] = octet }
        start[utf8.count] = 0
        return berth_octets(UnsafePointer(start), utf8.count)
    }

    /// Gives back what `copy` made.
    func deallocate() { start?.deallocate() }

    /// The same memory for a C function, which reads up to the NUL that `copy` put there.
    var cString: UnsafePointer<CChar>? {
        start.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
    }
}

extension UnsafeMutablePointer<berth_request> {
    /// The value of the field line at `index`.
    @inline(__always)
    func fieldValue(_ field: berth_field) -> berth_octets {
        guard let head = pointee.head else { return berth_octets(nil, 0) }
        return berth_octets(head + Int(field.value_offset), Int(field.value_length))
    }

    @inline(__always)
    func fieldName(_ field: berth_field) -> berth_octets {
        guard let head = pointee.head else { return berth_octets(nil, 0) }
        return berth_octets(head + Int(field.name_offset), Int(field.name_length))
    }

    /// The method is this one, compared as RFC 9110 §9.1 wants it: with case.
    @inline(__always)
    func isMethod(_ name: StaticString) -> Bool { pointee.method.equals(berth_octets(name)) }

    /// The path behind the application's own, beginning with a slash where anything is left.
    var pathInApplication: berth_octets {
        let path = pointee.path
        var length = min(Int(pointee.application_path_length), path.length)
        // The application "/" is selected by that slash, which is the path's own first octet too.
        if length > 0, let start = path.start, start[length - 1] == 0x2f { length -= 1 }
        return path.dropFirst(length)
    }
}
