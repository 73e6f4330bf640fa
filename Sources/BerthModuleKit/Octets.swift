public import CBerthModule

/// A run of octets in the host's memory, valid as long as the request it came from. Two words, copied freely.
@frozen
public struct Octets: RandomAccessCollection {
    public let start: UnsafePointer<UInt8>?
    public let count: Int

    @inlinable
    public init(_ octets: berth_octets) {
        start = octets.start
        count = Int(truncatingIfNeeded: octets.count)
    }

    @inlinable
    init(start: UnsafePointer<UInt8>?, count: Int) {
        self.start = start
        self.count = count
    }

    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { count }
    @inlinable
    public subscript(position: Int) -> UInt8 {
        precondition(position >= 0 && position < count)
        return start.unsafelyUnwrapped[position]
    }

    /// The same octets for a C function.
    @inlinable public var raw: berth_octets { berth_octets(start: start, count: UInt64(count)) }
    @inlinable public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// Octet by octet.
    @inlinable
    public static func == (octets: Octets, text: StaticString) -> Bool {
        guard octets.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<octets.count where octets.start.unsafelyUnwrapped[index] != text.utf8Start[index] {
            return false
        }
        return true
    }

    /// As `==`, with A...Z taken for a...z.
    @inlinable
    public func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count where Self.lowered(start.unsafelyUnwrapped[index]) != Self.lowered(text.utf8Start[index])
        {
            return false
        }
        return true
    }

    @inlinable
    public func hasPrefix(_ text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        return Octets(start: start, count: text.utf8CodeUnitCount) == text
    }

    @inlinable
    static func lowered(_ octet: UInt8) -> UInt8 { octet &- 0x41 < 26 ? octet | 0x20 : octet }
}

extension String {
    /// A copy; octets that are not UTF-8 become U+FFFD. May allocate.
    public init(_ octets: Octets) { self = String(decoding: octets.bytes, as: UTF8.self) }
}

/// The field lines of a request, in order.
@frozen
public struct FieldLines: RandomAccessCollection {
    /// One field line, in the host's memory.
    @frozen
    public struct Line {
        public let name: Octets
        public let value: Octets

        @inlinable
        init(name: Octets, value: Octets) {
            self.name = name
            self.value = value
        }
    }

    @usableFromInline let head: UnsafePointer<UInt8>?
    @usableFromInline let fields: UnsafePointer<berth_field>?
    public let count: Int

    @inlinable
    init(_ request: UnsafeMutablePointer<berth_request>) {
        head = request.pointee.head
        fields = request.pointee.fields
        count = head == nil || fields == nil ? 0 : Int(request.pointee.field_count)
    }

    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { count }
    @inlinable
    public subscript(position: Int) -> Line {
        precondition(position >= 0 && position < count)
        let field = fields.unsafelyUnwrapped[position]
        let head = head.unsafelyUnwrapped
        return Line(
            name: Octets(start: head + Int(field.name_offset), count: Int(field.name_length)),
            value: Octets(start: head + Int(field.value_offset), count: Int(field.value_length)))
    }
}
