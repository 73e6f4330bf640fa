import BerthHTTP

/// Max-Forwards of an OPTIONS request: how many more may pass it on. TRACE, which has it too, is never forwarded.
///
/// Source: RFC 9110 §7.6.2.
enum MaxForwards {
    /// Its value; nil: there is none, or it is not a number.
    @inline(never)
    static func value(
        _ head: RequestHead, _ base: UnsafePointer<UInt8>, _ fields: UnsafePointer<FieldSlice>
    ) -> UInt64? {
        for index in 0..<Int(head.fieldCount) where fields[index].fieldID == .maxForwards {
            let start = base + Int(fields[index].valueOffset)
            let length = Int(fields[index].valueLength)
            if length == 0 || length > 18 { return nil }
            var value: UInt64 = 0
            for i in 0..<length {
                let digit = start[i] &- 0x30
                if digit > 9 { return nil }
                value = value &* 10 &+ UInt64(digit)
            }
            return value
        }
        return nil
    }
}
