import BerthHTTP

/// Fields that a Connection field names: they belong to that connection and are not passed on (RFC 9110 §7.6.1).
enum NominatedFields {
    /// Whether one of the Connection fields names this field. Asked only where a head is known to have such options.
    static func contains(
        _ name: UnsafePointer<UInt8>, _ length: Int, _ base: UnsafePointer<UInt8>, _ fields: UnsafePointer<FieldSlice>,
        _ count: Int
    ) -> Bool {
        var index = 0
        while index < count {
            let field = fields[index]
            index &+= 1
            if field.fieldID != .connection { continue }
            let value = base + Int(field.valueOffset)
            var cursor = ListCursor(value, Int(field.valueLength))
            while cursor.advance() {
                if cursor.length == length, equal(value + cursor.offset, name, length) { return true }
            }
        }
        return false
    }

    /// Without regard to the case of letters; both are tokens, or the comparison fails.
    private static func equal(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var index = 0
        while index < count {
            let (x, y) = (a[index], b[index])
            if x != y {
                let lowered = x | 0x20
                if lowered != y | 0x20 || lowered < 0x61 || lowered > 0x7a { return false }
            }
            index &+= 1
        }
        return true
    }
}
