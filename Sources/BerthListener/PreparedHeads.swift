import BerthHTTP
import CBerthBytes

/// Heads of this second that were sent before, encoded: when the next response has the same fields, its head is a comparison
/// and a copy, and the fields need not be judged again.
///
/// A head is kept with the number behind `Content-Length: ` that it had; contents of other lengths share what comes before that.
/// Which place it takes depends on the length of its first value, which Content-Type mostly is. A loop's own.
struct PreparedHeads: BitwiseCopyable {
    /// Fields of a head that is kept. Ours: what applications set; more of them differ from one response to the next.
    static let fieldsMax = 3
    /// Octets of a head that is kept. Ours: preamble (182 at most) and a few fields.
    static let octetsMax = 512
    /// Places, a power of 2. Ours.
    private static let count = 16

    struct Head: BitwiseCopyable {
        fileprivate struct FieldSize: BitwiseCopyable {
            var name: UInt64 = 0
            var value: UInt64 = 0
        }

        let octets: UnsafeMutablePointer<UInt8>
        /// Octets before the number.
        fileprivate(set) var length = 0
        /// The number, and octets of the whole head with it.
        fileprivate(set) var contentLength: UInt64 = 0
        fileprivate(set) var wholeLength = 0
        /// The wall second of its Date field.
        fileprivate var second = Int64.min
        /// Where the first field begins.
        fileprivate var fieldsOffset = 0
        fileprivate var fieldCount = 0
        fileprivate var sizes = InlineArray<3, FieldSize>(repeating: FieldSize())
    }

    private let heads: UnsafeMutablePointer<Head>

    init() {
        heads = .allocate(capacity: Self.count)
        for place in 0..<Self.count {
            (heads + place).initialize(to: Head(octets: .allocate(capacity: Self.octetsMax)))
        }
    }

    func deallocate() {
        for place in 0..<Self.count { heads[place].octets.deallocate() }
        heads.deallocate()
    }

    @inline(__always)
    private func place(_ fields: UnsafePointer<ResponseField>) -> UnsafeMutablePointer<Head> {
        heads + Int(truncatingIfNeeded: fields[0].value.count & UInt64(Self.count - 1))
    }

    /// The head of this second with these fields, octet for octet, or nil.
    @inline(__always)
    func find(_ fields: UnsafePointer<ResponseField>, _ count: Int, second: Int64) -> UnsafePointer<Head>? {
        if UInt(bitPattern: count &- 1) >= UInt(Self.fieldsMax) { return nil }
        let head = place(fields)
        if head.pointee.second != second || head.pointee.fieldCount != count { return nil }
        var known = UnsafePointer(head.pointee.octets) + head.pointee.fieldsOffset
        var i = 0
        while i < count {
            let size = head.pointee.sizes[i]
            guard let name = fields[i].name.start, let value = fields[i].value.start, fields[i].name.count == size.name,
                fields[i].value.count == size.value
            else { return nil }
            let (nameLength, valueLength) = (Int(truncatingIfNeeded: size.name), Int(truncatingIfNeeded: size.value))
            // Behind the name ": ", behind the value the line's end.
            if !cberth_equal(name, known, nameLength) { return nil }
            known += nameLength &+ 2
            if !cberth_equal(value, known, valueLength) { return nil }
            known += valueLength &+ 2
            i &+= 1
        }
        return UnsafePointer(head)
    }

    /// Keeps a head that was encoded just now, where it is of a kind that may come again.
    ///
    /// - Parameters:
    ///   - octets: the head, `wholeLength` with its `contentLength`, `length` before that; its fields were judged, and begin at
    ///     `fieldsOffset`.
    ///   - second: the wall second of its Date field.
    @inline(never)
    func keep(
        _ octets: UnsafePointer<UInt8>, _ length: Int, contentLength: UInt64, wholeLength: Int,
        _ fields: UnsafePointer<ResponseField>?, _ count: Int, fieldsOffset: Int, second: Int64
    ) {
        guard let fields, count > 0, count <= Self.fieldsMax, wholeLength <= Self.octetsMax else { return }
        let head = place(fields)
        head.pointee.second = .min
        for i in 0..<count {
            guard fields[i].name.start != nil, fields[i].value.start != nil else { return }
            head.pointee.sizes[i] = Head.FieldSize(name: fields[i].name.count, value: fields[i].value.count)
        }
        cberth_copy(head.pointee.octets, octets, wholeLength)
        head.pointee.length = length
        head.pointee.contentLength = contentLength
        head.pointee.wholeLength = wholeLength
        head.pointee.fieldsOffset = fieldsOffset
        head.pointee.fieldCount = count
        head.pointee.second = second
    }
}
