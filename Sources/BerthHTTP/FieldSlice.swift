/// Where one field line lies, as offsets from the start of the head; 16 octets, laid out like `berth_field` of the module ABI.
///
/// The value has no whitespace around it; it may be empty.
public struct FieldSlice: Equatable, Sendable, BitwiseCopyable {
    public var nameOffset: UInt32
    public var valueOffset: UInt32
    public var nameLength: UInt16
    public var valueLength: UInt16
    /// `FieldID.rawValue`; 0 for a name that is not listed.
    public var id: UInt16
    public var reserved: UInt16

    @inlinable @inline(__always)
    public init(nameOffset: UInt32, valueOffset: UInt32, nameLength: UInt16, valueLength: UInt16, id: UInt16) {
        self.nameOffset = nameOffset
        self.valueOffset = valueOffset
        self.nameLength = nameLength
        self.valueLength = valueLength
        self.id = id
        self.reserved = 0
    }

    @inlinable @inline(__always)
    public init() { self.init(nameOffset: 0, valueOffset: 0, nameLength: 0, valueLength: 0, id: 0) }

    @inlinable @inline(__always)
    public var fieldID: FieldID { FieldID(rawValue: id) }

    /// The octets of the name inside the head that begins at `head`.
    @inlinable @inline(__always)
    public func name(in head: UnsafePointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: head + Int(nameOffset), count: Int(nameLength))
    }

    /// The octets of the value inside the head that begins at `head`.
    @inlinable @inline(__always)
    public func value(in head: UnsafePointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: head + Int(valueOffset), count: Int(valueLength))
    }

    /// The first of `count` fields with this id, or nil. Cost: one comparison a field.
    @inlinable @inline(__always)
    public static func first(
        _ id: FieldID, in fields: UnsafePointer<FieldSlice>, _ count: Int
    ) -> UnsafePointer<FieldSlice>? {
        var index = 0
        while index < count {
            if fields[index].id == id.rawValue { return fields + index }
            index &+= 1
        }
        return nil
    }
}
